"""A dvc.yaml for a workspace in a team's own repository: the pipeline without the package's code."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from manywalks import files
from manywalks.pipeline.definition import CODE, definition_file, read_yaml
from manywalks.workspace import dvc_repository

HEAD = """\
# The stages of manywalks for DVC: `dvc repro` runs them, and so does `manywalks train`.
# Written by `manywalks init --dvc`. After an upgrade of manywalks run `dvc repro --force` once.
"""


def write_definition(folder: Path) -> list[str]:
    """Write dvc.yaml, unless there is one (ValueError); lines that say what to do with it."""
    target = folder / "dvc.yaml"
    if target.exists():
        raise ValueError(f"{target}: exists; remove it, or leave out --dvc")
    with files.atomic_path(target) as path, path.open("w", encoding="utf-8") as handle:
        handle.write(HEAD)
        writer = YAML()
        writer.indent(mapping=2, sequence=4, offset=2)
        writer.dump(own_definition(), handle)
    lines = [f"{target} is for `dvc repro`, `dvc exp run -S train.epochs=30`, `dvc metrics show`"]
    if dvc_repository(folder) is None:
        lines.append("It needs a DVC repository: run `git init` and `dvc init` in the folder above it first")
    return lines


def own_definition() -> dict[str, Any]:
    """The stages with their data alone: the package's code lies outside of the repository."""
    stages = read_yaml(definition_file())["stages"]
    return {
        "stages": {
            name: {**spec, "deps": [dep for dep in spec["deps"] if not dep.startswith(CODE)]}
            for name, spec in stages.items()
        }
    }
