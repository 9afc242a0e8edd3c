"""The step featurize: what it tells while a person waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from manywalks.runtime import progress
from manywalks.tasks import featurize as step
from manywalks.workspace import Workspace

PARAMS = """
data: {path: t.csv, endpoints: {y: {}}}
featurize: {blocks: [{kind: physchem}]}
orchestrate: {cores: 1}
"""


@pytest.mark.parametrize("first", [True, False])
def test_the_first_run_says_that_it_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    workspace.curated.parent.mkdir(parents=True)
    pd.DataFrame({"record": [1, 2], "id": ["a", "b"], "smiles": ["CCO", "CCN"]}).to_parquet(workspace.curated)
    told: list[str] = []

    @contextmanager
    def telling(what: str) -> Iterator[progress.Tell]:
        yield lambda done, total, note: told.append(f"{done:g}/{total:g} {note}")

    monkeypatch.setattr(progress, "telling", telling)
    monkeypatch.setattr(step, "must_compile", lambda blocks: first)
    step.run(workspace)
    assert told[-1].startswith("2/2 ")
    assert (told[0] == "0/2 compiling, only this once") == first
