"""A trained workspace by the pipeline's steps alone, as `dvc repro` runs them: no server has to start."""

from pathlib import Path

import pandas as pd

from tests.conftest import SMALL, run

STEPS = ("curate", "featurize", "split", "train", "ensemble", "evaluate", "report")


def trained_by_steps(folder: Path, table: pd.DataFrame) -> Path:
    """160 molecules and a small network."""
    table.iloc[::8].to_csv(folder / "table.csv", index=False)
    (folder / "params.yaml").write_text(SMALL, encoding="utf-8")
    for step in STEPS:
        done = run(["python", "-m", "manywalks.tasks", step], cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder
