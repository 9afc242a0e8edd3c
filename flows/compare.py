"""The comparison flow: all configurations on the same splits, a verdict a pair."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from manywalks import files
from manywalks.compare.configurations import Configuration, asked_for
from manywalks.compare.design import Design
from manywalks.compare.report import page
from manywalks.compare.study import Study, check_folds
from manywalks.compare.variance_budget import budgets, shared_entropy
from manywalks.flows.shares import most_threads, train_shares, trainer
from manywalks.pipeline import versions
from manywalks.pipeline.runs.cancel import interruptible
from manywalks.pipeline.runs.run_names import named
from manywalks.pipeline.side_workspace import data_workspace
from manywalks.pipeline.stages import Steps
from manywalks.replicates.tally import Tally
from manywalks.report.html import links_to
from manywalks.runtime import interrupt, run_log
from manywalks.runtime.progress import Board
from manywalks.workspace import Workspace


def compare(
    folder: str, params: Sequence[str], settings: Sequence[str] = (), *, design: Design, kind: str = "compare"
) -> dict[str, Any]:
    """Compare configurations; returns what reports/compare.json holds.

    Args:
        folder: the workspace.
        params: files of parameters; none for the workspace's own.
        settings: "network.dropout=0.1,0.3", every combination of which is compared.
        design: splits, replicates, metric and thresholds.
        kind: "compare", "capacity" (sweep width and depth too) or "variance" (the first file alone).
    """
    workspace = Workspace.open(folder)
    paths = [Path(path) for path in params] or [workspace.params_file]
    asked = asked_for(paths, settings, kind)
    runner = ThreadPoolTaskRunner(max_workers=most_threads(workspace))
    options: dict[str, Any] = {"task_runner": runner}  # Prefect's own types do not admit its own runner
    return study_flow.with_options(**options)(workspace, asked, design, kind)


def _kept_words(study: Study) -> str:
    """What an interruption keeps."""
    return f"{study.kept()} of {study.expected} replicates kept; run again to go on"


@flow(name="compare", flow_run_name=named, persist_result=False, validate_parameters=False)
def study_flow(workspace: Workspace, asked: list[Configuration], design: Design, kind: str) -> dict[str, Any]:
    """Curate and featurize where that is not done, train share after share, judge, write the reports."""
    with (
        run_log.kept(workspace.state, kind),
        interruptible(),
        versions.exclusive(workspace) as repo,
        Board() as board,
    ):
        versions.fetch(repo, workspace)
        workspaces = [data_workspace(workspace, one.params) for one in asked]
        for prepared in {one.root: one for one in workspaces}.values():
            if prepared.root != workspace.root:
                with Steps(prepared, board.follow) as steps:
                    curated = steps.submit("curate")
                    curated.result()
                    check_folds(pd.read_parquet(prepared.curated), asked[0].params, design)
                    steps.submit("featurize", curated).result()
        entropy = shared_entropy(workspace, asked[0].params) if kind == "variance" else None
        study = Study(workspace, asked, workspaces, design, entropy)
        tally = Tally(board.follow("train"))
        with trainer(workspace) as by, interrupt.keeping(lambda: _kept_words(study)):
            while shares := study.shares(by.processes):
                tally.look(study.trained, study.expected)
                train_shares(by, shares, tally)
        tally.look(study.trained, study.trained)
        found = budgets(study) if kind == "variance" else study.result()
    name = "compare-variance" if kind == "variance" else "compare"
    files.write_json(workspace.reports / f"{name}.json", found)
    links = links_to(workspace.reports, "report.html", "reproduction.html", "card.md")
    files.write_text(workspace.reports / f"{name}.html", page.page(found, date.today().isoformat(), links))
    return found
