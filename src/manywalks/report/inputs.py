"""What the report reads of a workspace: everything that the other stages left."""

from pathlib import Path

import pandas as pd

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.domain import Domain
from manywalks.report.page import ReportInputs
from manywalks.workspace import Workspace


def read(workspace: Workspace) -> ReportInputs:
    """What the other stages left."""
    reports = workspace.reports
    domain = Domain.load(workspace.ensemble / "domain.npz")
    predictions = pd.read_parquet(reports / "predictions.parquet")
    return ReportInputs(
        title=workspace.params.report.title,
        metrics=files.read_json(reports / "metrics.json"),
        statements=files.read_json(reports / "statement.json"),
        # the page is about molecules that no replicate trained on
        predictions=predictions.loc[predictions["subset"] != "train"].reset_index(drop=True),
        counts=_table(reports / "plots/replicates.json", ["endpoint", "replicates", "score", "sd"]),
        replicates=_table(reports / "plots/single_replicates.json", ["endpoint", "replicate", "score"]),
        data=files.read_json(reports / "data.json"),
        split=files.read_json(reports / "split.json"),
        about=files.read_json(workspace.ensemble / manifest.FILE),
        domain={"similarity": domain.similarity_threshold, "outside": domain.outside_threshold},
        said=workspace.params.report.model_dump(exclude={"title"}),
    )


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    """Points of a plot, with these columns even where there are none."""
    return pd.DataFrame(files.read_json(path), columns=pd.Index(columns))
