"""models/ensemble/manifest.json: everything that says what a model is and where it came from."""

import platform
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError

from manywalks import files
from manywalks.params.renamed import with_new_names
from manywalks.params.sections.curate import CurateParams
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.params.sections.evaluate import EvaluateParams
from manywalks.params.sections.families import FamilyParams
from manywalks.params.sections.model import EnsembleParams, FeaturizeParams, NetworkParams

FILE = "manifest.json"
FORMAT = 1
# Packages whose version can change a feature or a weight.
PACKAGES = ("manywalks", "keras", "tensorflow", "rdkit", "chembl_structure_pipeline", "numpy", "numba")
KEYS = ("params", "feature_names", "calibration", "versions", "files")
# sections that prediction reads
NEEDED: dict[str, type[BaseModel]] = {
    "curate": CurateParams,
    "featurize": FeaturizeParams,
    "network": NetworkParams,
    "ensemble": EnsembleParams,
    "evaluate": EvaluateParams,
}
FEATURE_PACKAGES = ("rdkit", "chembl_structure_pipeline")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a model depends on, those that are installed.

    Prediction needs no TensorFlow, so a server may lack it.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def write(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest last, with the checksum of every other file of the model."""
    checksums = {
        path.relative_to(folder).as_posix(): files.sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != FILE
    }
    files.write_json(folder / FILE, {"format": FORMAT, **content, "files": checksums})


def read(folder: Path) -> dict[str, Any]:
    """Read a model's manifest and check it.

    Raises:
        ValueError: no manifest, a file that is missing or not what the manifest says, a version of a
            package that makes the features other than the model's, or a setting that this version does not
            know; the line says what differs.
    """
    path = folder / FILE
    if not path.is_file():
        raise ValueError(_no_model(folder))
    content = files.read_json(path)
    _check_keys(path, content)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: format {content.get('format')!r}, this version reads {FORMAT}; train again"
        )
    for name, checksum in content["files"].items():
        file = folder / name
        if not file.is_file():
            raise ValueError(
                f"{file}: missing, though the manifest names it; train again or copy the whole folder"
            )
        if files.sha256_file(file) != checksum:
            raise ValueError(
                f"{file}: is not the file that the manifest names; train again or copy the whole folder"
            )
    here = versions()
    for package in FEATURE_PACKAGES:
        trained, present = content["versions"][package], here[package]
        if trained != present:
            raise ValueError(
                f"{path}: trained with {package} {trained}, this is {present}, whose features may differ; "
                f"install {package}=={trained} or train again"
            )
    read = {**content, "params": with_new_names(content["params"])}
    _check_params(path, read)
    return read


def _check_params(path: Path, content: dict[str, Any]) -> None:
    """Refuse settings that prediction needs and this version does not know, as of a model of a newer one."""
    params = content["params"]
    held = [(f"params.{name}", model, params.get(name)) for name, model in NEEDED.items()]
    endpoints = params.get("data", {}).get("endpoints", {})
    held += [(f"params.data.endpoints.{name}", EndpointParams, one) for name, one in endpoints.items()]
    families = params.get("families") or []
    held += [(f"params.families.{place}", FamilyParams, one) for place, one in enumerate(families)]
    for place, model, given in held:
        try:
            model.model_validate({} if given is None else given)
        except ValidationError as error:
            fault = error.errors()[0]
            key = ".".join([place, *map(str, fault["loc"])])
            what = "unknown key" if fault["type"] == "extra_forbidden" else f"{fault['input']!r} is unknown"
            made, here = content["versions"].get("manywalks"), versions()["manywalks"]
            remedy = (
                f"install manywalks {made}" if made != here else "copy the whole folder of the model again"
            )
            raise ValueError(
                f"{path}: {key}: {what}; the model was made by manywalks {made}, this is {here}: {remedy} or "
                "train again"
            ) from None


def _no_model(folder: Path) -> str:
    """Why a folder without a manifest is no model, and what to name instead."""
    if not folder.exists():
        return f"{folder}: no such folder; `manywalks train` makes a model, the folder models/ensemble"
    if folder.is_file():
        unpacked = ": unpack it, and name the folder model in it" if folder.suffix.lower() == ".zip" else ""
        return f"{folder}: is a file, and a model's folder is needed here{unpacked}"
    within = folder / "models/ensemble"
    named = within if (within / FILE).is_file() else "models/ensemble"
    return f"{folder}: holds no {FILE}, so it is no ensemble; name the folder {named}"


def data_sentence(source: dict[str, Any]) -> str:
    """Which data a model was trained on: path, rows, revision with its commit, md5."""
    said = source["path"]
    if source.get("rows") is not None:
        said += f", {source['rows']:,} rows"
    if source.get("rev"):
        said += f", revision {source['rev']}"
    if source.get("commit"):
        said += f" (commit {source['commit']})"
    return f"{said}, md5 {source['md5']}"


def check_names(folder: Path, what: str, present: list[str], expected: list[str]) -> None:
    """Feature names must be those of training, in that order; a ValueError names the first other one."""
    if present == expected:
        return
    place = next(
        (i for i, (a, b) in enumerate(zip(present, expected, strict=False)) if a != b),
        min(len(present), len(expected)),
    )
    one, other = (names[place] if place < len(names) else "nothing" for names in (present, expected))
    raise ValueError(
        f"{folder}: {what}: {len(present)} feature names, the model has {len(expected)}; "
        f"the first that differs is number {place}: {one!r}, of the model {other!r}; train again"
    )


def is_whole(content: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a manifest is one of this version, with every key."""
    return isinstance(content, dict) and content.get("format") == FORMAT and not set(KEYS) - set(content)


def _check_keys(path: Path, content: Any) -> None:
    """What every manifest says must be there."""
    if not isinstance(content, dict):
        raise ValueError(f"{path}: holds no object; copy the whole folder of the model again")
    missing = [key for key in KEYS if key not in content]
    if content.get("format") == FORMAT and missing:
        raise ValueError(f"{path}: lacks {', '.join(missing)}; copy the whole folder of the model again")
