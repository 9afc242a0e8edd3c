"""The training flow: curate, featurize and split, train pack by pack, ensemble, draws, evaluate, report."""

from functools import partial
from pathlib import Path

from prefect import flow

from manywalks.pipeline import versions
from manywalks.pipeline.runs.artifacts import publish, with_artifact
from manywalks.pipeline.runs.cancel import interruptible
from manywalks.pipeline.runs.run_names import named
from manywalks.pipeline.runs.webhook import on_failure
from manywalks.pipeline.stages import Steps
from manywalks.runtime import run_log
from manywalks.runtime.progress import Board, Tell
from manywalks.workspace import Workspace


def follow(workspace: Workspace, board: Board, stage: str) -> Tell:
    """A stage's bar on the terminal; the replicates' progress is an artifact too."""
    return with_artifact(workspace, board.follow(stage)) if stage == "train" else board.follow(stage)


@flow(
    name="train",
    flow_run_name=named,
    description="Train a model on a workspace, or bring it up to date.",
    persist_result=False,
    on_failure=[on_failure],
    on_crashed=[on_failure],
)
def train(workspace: str = ".") -> list[str]:
    """Bring every stage of a workspace up to date; returns the names of those that ran.

    Args:
        workspace: a folder with a params.yaml.
    """
    there = Workspace.open(Path(workspace))
    with (
        run_log.kept(there.state, "train"),
        interruptible(),
        versions.exclusive(there) as repo,
        Board() as board,
        Steps(there, partial(follow, there, board)) as steps,
    ):
        versions.fetch(repo, there)
        curated = steps.submit("curate")
        features = steps.submit("featurize", curated)
        steps.submit("split", features)  # what has no features is in no subset
        replicates = steps.replicates()
        ensemble = steps.submit("ensemble", replicates)
        draws = steps.draws(replicates)
        scores = steps.submit("evaluate", ensemble, draws)
        steps.submit("report", scores)
        steps.settle()
        versions.record(repo, there, steps.ran)
        publish(there)
    return [stage.name for stage in steps.ran]
