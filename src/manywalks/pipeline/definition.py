"""dvc.yaml as the definition of what each stage reads and writes, and whether a record of it holds."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from manywalks import files
from manywalks.params.sections.block_sources import builder_content, content_of
from manywalks.pipeline.git import commit_of
from manywalks.workspace import Workspace

PACKAGE = Path(__file__).resolve().parent.parent
# how the code begins in dvc.yaml; `src/manywalks/tasks` is a link to `tasks`
CODE = ("tasks/", "src/manywalks/")
BYTE_CODE = "__pycache__"


@dataclass(frozen=True)
class Stage:
    """One stage of dvc.yaml, its `${...}` filled in."""

    name: str
    cmd: str
    deps: tuple[str, ...]
    params: tuple[str, ...]
    outs: tuple[str, ...]

    @property
    def data_deps(self) -> tuple[str, ...]:
        """Dependencies that are files of the workspace, not code."""
        return tuple(dep for dep in self.deps if not dep.startswith(CODE))


def read_yaml(path: Path) -> Any:
    """Read YAML as DVC reads it (PyYAML takes 1e-3 for a string, DVC for a number); not to be written to."""
    return _parsed(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def _parsed(text: str) -> Any:
    """YAML by its text: a look at all stages reads params.yaml a dozen times, 20 ms each."""
    return YAML(typ="safe").load(text) or {}


def definition_file() -> Path:
    """dvc.yaml: in a checkout a link leads to it, a wheel holds a copy."""
    return PACKAGE / "pipeline/stages.yaml"


def load_stages(workspace: Workspace) -> dict[str, Stage]:
    """The stages for this workspace, in the order of dvc.yaml."""
    raw = read_yaml(definition_file())
    values = read_yaml(workspace.params_file)
    return {name: _stage(name, spec, values) for name, spec in raw["stages"].items()}


def _stage(name: str, spec: dict[str, Any], values: dict[str, Any]) -> Stage:
    """One stage from its YAML."""
    outs = [
        next(iter(out)) if isinstance(out, dict) else out
        for kind in ("outs", "metrics", "plots")
        for out in spec.get(kind, [])
    ]
    return Stage(
        name=name,
        cmd=_filled(spec["cmd"], values),
        deps=tuple(_filled(dep, values) for dep in spec.get("deps", [])),
        params=tuple(spec.get("params", [])),
        outs=tuple(_filled(out, values) for out in outs),
    )


def _filled(text: str, values: dict[str, Any]) -> str:
    """`${a.b}` replaced by the value of params.yaml."""
    return re.sub(r"\$\{([^}]+)\}", lambda found: str(lookup(values, found.group(1).strip())), text)


def lookup(values: Any, key: str) -> Any:
    """The value at a dotted key, None where there is none."""
    for part in key.split("."):
        if not isinstance(values, dict) or part not in values:
            return None
        values = values[part]
    return values


def located(path: str, workspace: Workspace) -> Path:
    """Where a path of dvc.yaml lies: code inside the package, everything else in the workspace."""
    if path.startswith(CODE):
        return PACKAGE / path.removeprefix("src/manywalks/")
    return workspace.root / path


def content_hash(path: Path) -> str | None:
    """DVC's md5 of a file, or of a folder (`….dir`); None where nothing is there.

    Byte code in a folder does not count: `.dvcignore` hides it from DVC too, and numba keeps compiled
    functions there.
    """
    if path.is_file():
        return files.md5_file(path)
    if not path.is_dir():
        return None
    entries = [
        {"md5": files.md5_file(file), "relpath": file.relative_to(path).as_posix()}
        for file in path.rglob("*")
        if file.is_file() and BYTE_CODE not in file.parts
    ]
    listing = json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True)
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def inputs_of(stage: Stage, workspace: Workspace) -> dict[str, Any]:
    """What decides a stage's outputs: command, values of its params, content of every dep."""
    values = read_yaml(workspace.params_file)
    deps = {dep: content_hash(located(dep, workspace)) for dep in sorted(stage.deps)}
    if "featurize" in stage.params:
        deps |= content_of(lookup(values, "featurize.blocks") or [], workspace.root)
    if "network" in stage.params:
        families = lookup(values, "families")
        networks = [values, *(families if isinstance(families, list) else [])]
        builders = {str(builder) for one in networks if (builder := lookup(one, "network.builder"))}
        contents = {f"network.builder {one}": builder_content(one, workspace.root) for one in builders}
        deps |= {name: content for name, content in contents.items() if content is not None}
    return {
        "cmd": stage.cmd,
        "params": {key: lookup(values, key) for key in sorted(stage.params)},
        "deps": deps,
    }


def outputs_of(stage: Stage, workspace: Workspace) -> dict[str, str | None]:
    """Content of every output as it is on disk now."""
    return {out: content_hash(workspace.root / out) for out in sorted(stage.outs)}


def _record_file(stage: Stage, workspace: Workspace) -> Path:
    return workspace.state / "done" / f"{stage.name}.json"


def write_record(stage: Stage, workspace: Workspace, inputs: dict[str, Any]) -> dict[str, Any]:
    """Note that the stage made what is on disk from `inputs`."""
    record = {**inputs, "outs": outputs_of(stage, workspace)}
    files.write_json(_record_file(stage, workspace), record)
    return record


def records_of(stage: Stage, workspace: Workspace) -> list[dict[str, Any]]:
    """What is known of the stage's last runs: our own record, and dvc.lock where DVC records."""
    found = []
    own = _record_file(stage, workspace)
    if own.is_file():
        try:
            found.append(files.read_json(own))
        except ValueError:
            own.unlink()  # a damaged record says nothing: the step runs again
    lock = workspace.root / "dvc.lock"
    if workspace.is_recorded and lock.is_file():
        entry = lookup(read_yaml(lock), f"stages.{stage.name}")
        if entry:
            found.append(_with_code(_from_lock(entry), stage, workspace))
    return found


def _with_code(record: dict[str, Any], stage: Stage, workspace: Workspace) -> dict[str, Any]:
    """A record of a dvc.yaml that names no code (`init --dvc`): it is taken to be of the code here."""
    if any(dep.startswith(CODE) for dep in record["deps"]):
        return record
    code = {dep: content_hash(located(dep, workspace)) for dep in stage.deps if dep.startswith(CODE)}
    return {**record, "deps": {**record["deps"], **code}}


def _from_lock(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of dvc.lock in the form of our own records."""
    return {
        "cmd": entry["cmd"],
        "params": dict(entry.get("params", {}).get("params.yaml", {})),
        "deps": {dep["path"]: dep.get("md5") for dep in entry.get("deps", [])},
        "outs": {out["path"]: out.get("md5") for out in entry.get("outs", [])},
    }


def is_current(stage: Stage, workspace: Workspace) -> bool:
    """Whether the outputs on disk are the recorded ones of the present inputs."""
    records = records_of(stage, workspace)
    if not records:
        return False
    present = {**inputs_of(stage, workspace), "outs": outputs_of(stage, workspace)}
    table, rev = (lookup(read_yaml(workspace.params_file), key) for key in ("data.path", "data.rev"))
    if table not in stage.deps:
        rev = None
    if rev is not None and not workspace.is_recorded:
        # the stage read another version; DVC alone asks for today's file, and runs again when it changes
        for known in (present, *records):
            known["deps"].pop(table, None)
    if None in present["deps"].values() or None in present["outs"].values():
        return False
    return present in records and (rev is None or _is_read_at(workspace, rev))


def _is_read_at(workspace: Workspace, rev: str) -> bool:
    """Whether the raw table was read at the commit that data.rev names now: a branch moves on."""
    source = files.read_json(workspace.reports / "data.json")["source"]
    return source.get("commit") == commit_of(workspace, rev)
