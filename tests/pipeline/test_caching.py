"""Which stages a change makes stale: every key of params.yaml, every file of code, in both orchestrators."""

import copy
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import yaml
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

from manywalks.params.render import describe
from manywalks.pipeline import definition
from manywalks.pipeline.definition import Stage
from manywalks.workspace import Workspace
from tests.conftest import copy_repository

# What a change of a key reruns by itself; what comes after those stages reruns where their outputs changed.
# The longest beginning of the key counts. Written by hand, since dvc.yaml is what is to be checked.
RERUNS = {
    "data": "curate ensemble",
    "data.path": "curate ensemble",
    "data.endpoints": "curate train draws ensemble evaluate report",
    "curate": "curate ensemble",
    "curate.time_limit": "curate featurize ensemble",
    "featurize": "featurize train draws ensemble evaluate",
    "split": "split train ensemble",
    "split.column": "curate split train ensemble",
    "split.method": "curate split train ensemble",
    "transform": "train draws ensemble",
    "network": "train draws ensemble",
    "train": "train draws ensemble",
    "families": "train draws ensemble evaluate",
    "weights": "train draws ensemble evaluate",
    "replicates": "train draws ensemble evaluate",
    "ensemble": "train ensemble evaluate",
    "evaluate": "draws ensemble evaluate",
    "report": "report",
    "refresh": "",
    "orchestrate": "",
}
# data.endpoints itself is a mapping: its keys are walked
KEYS = [
    key
    for key, *_ in describe()
    if key not in ("data.endpoints", "data.checks", "featurize.blocks") and not key.startswith("families[]")
]


class Recorded(NamedTuple):
    """A DVC repository in which every stage is up to date, its outputs made up."""

    workspace: Workspace
    stages: dict[str, Stage]
    repo: Repo
    text: str


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Iterator[Recorded]:
    """Both orchestrators' records hold: nothing is stale."""
    folder = copy_repository(tmp_path_factory.mktemp("recorded"), demo_table)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # our own records look for the code beside the package; here it is the copy that gets edited
        patch.setattr(definition, "PACKAGE", folder / "src/manywalks")
        workspace = Workspace.open(folder)
        stages = definition.load_stages(workspace)
        repo = Repo(str(folder))
        for stage in stages.values():
            for out in stage.outs:
                path = folder / out if Path(out).suffix else folder / out / "file"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(out, encoding="utf-8")
        for stage in stages.values():
            definition.write_record(stage, workspace, definition.inputs_of(stage, workspace))
            repo.commit(stage.name, force=True)
        yield Recorded(workspace, stages, repo, workspace.params_file.read_text(encoding="utf-8"))
        repo.close()


def stale_by_own_records(recorded: Recorded) -> set[str]:
    """Stages that the flow would run now."""
    workspace = Workspace.open(recorded.workspace.root)
    stages = definition.load_stages(workspace)
    return {name for name, stage in stages.items() if not definition.is_current(stage, workspace)}


def stale_by_dvc(recorded: Recorded) -> set[str]:
    """Stages whose parameters DVC finds changed."""
    return {
        stage.addressing
        for stage in recorded.repo.index.stages
        for dep in stage.deps
        if isinstance(dep, ParamsDependency) and dep.status()
    }


hashed_once = functools.cache(definition.content_hash)


def expected(key: str) -> set[str]:
    """The stages of the longest entry of the table that the key begins with."""
    parts = key.replace("[]", "").split(".")
    while ".".join(parts) not in RERUNS:
        parts.pop()
    return set(RERUNS[".".join(parts)].split())


def changed(raw: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping with another value at the key ("NAME" the first name there, "[]" the first item)."""
    raw = copy.deepcopy(raw)
    place: Any = raw
    *parents, last = key.replace("[]", ".0").split(".")
    for part in parents:
        if part == "0":
            place = place[0]
        elif part == "NAME":
            place = place.setdefault(next(iter(place), "column"), {})
        else:
            place = place.setdefault(part, {})
    place[last] = "another value"
    return raw


@pytest.fixture
def params(recorded: Recorded) -> Iterator[Path]:
    """params.yaml, as it was afterwards."""
    yield recorded.workspace.params_file
    recorded.workspace.params_file.write_text(recorded.text, encoding="utf-8")


def test_a_fresh_record_holds_for_every_stage(recorded: Recorded) -> None:
    assert stale_by_own_records(recorded) == set()
    assert recorded.repo.status() == {}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_reruns_exactly_the_stages_that_depend_on_it(
    recorded: Recorded, params: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    raw = changed(yaml.safe_load(recorded.text), key)
    params.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    # no file changes while keys are walked: hash each once
    monkeypatch.setattr(definition, "content_hash", hashed_once)
    assert stale_by_own_records(recorded) == expected(key)
    assert stale_by_dvc(recorded) == expected(key)


@pytest.mark.parametrize("order", ["comment", "reordered"])
def test_a_comment_and_the_order_of_keys_rerun_none(recorded: Recorded, params: Path, order: str) -> None:
    raw = yaml.safe_load(recorded.text)
    if order == "reordered":
        text = yaml.safe_dump({name: raw[name] for name in reversed(raw)}, sort_keys=True)
    else:
        text = recorded.text.replace("\n", "  # a comment\n").replace("#", "# more words,")
    params.write_text(text, encoding="utf-8")
    assert stale_by_own_records(recorded) == set()
    assert stale_by_dvc(recorded) == set()


def test_an_edit_of_code_reruns_exactly_the_stages_that_use_it(recorded: Recorded) -> None:
    using: dict[str, set[str]] = {}
    for name, stage in recorded.stages.items():
        for dep in set(stage.deps) - set(stage.data_deps):
            using.setdefault(dep, set()).add(name)
    assert len(using) >= 20
    for dep, stages in using.items():
        place = recorded.workspace.root / dep
        path = max(place.rglob("*.py")) if place.is_dir() else place
        before = path.read_bytes()
        path.write_bytes(before + b"\n# edited\n")
        try:
            assert stale_by_own_records(recorded) == stages, dep
            found = {
                stage.addressing
                for stage in recorded.repo.index.stages
                for one in stage.deps
                if one.def_path == dep and one.status()
            }
            assert found == stages, dep
        finally:
            path.write_bytes(before)


def test_the_manifest_names_no_setting_that_its_stage_does_not_depend_on(recorded: Recorded) -> None:
    from manywalks.ensemble.build import SECTIONS

    assert set(recorded.stages["ensemble"].params) >= SECTIONS
    assert set(type(recorded.workspace.params).model_fields) >= SECTIONS


def test_code_that_no_stage_uses_reruns_none(recorded: Recorded) -> None:
    path = recorded.workspace.root / "src/manywalks/cli/show/tables.py"
    before = path.read_bytes()
    path.write_bytes(before + b"\n# edited\n")
    assert stale_by_own_records(recorded) == set()
    assert recorded.repo.status() == {}
    path.write_bytes(before)


@pytest.mark.parametrize("name", ["data/features.npz", "models/ensemble/file", "reports/metrics.json"])
def test_a_damaged_output_is_stale_in_both(recorded: Recorded, name: str) -> None:
    path = recorded.workspace.root / name
    before = path.read_bytes()
    path.write_bytes(before[:-1] + b"?")
    try:
        maker = next(
            stage for stage in recorded.stages.values() if any(name.startswith(out) for out in stage.outs)
        )
        assert maker.name in stale_by_own_records(recorded)
        assert maker.name in recorded.repo.status()
    finally:
        path.write_bytes(before)
