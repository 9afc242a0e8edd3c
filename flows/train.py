"""The training flow: curate, featurize and split, train pack by pack, ensemble, evaluate, report."""

from pathlib import Path

from prefect import flow

from manywalks.tasks import versions
from manywalks.tasks.show import Board
from manywalks.tasks.stage import Steps
from manywalks.tasks.workspace import Workspace


@flow(name="train", persist_result=False, validate_parameters=False)
def train(work: str = ".") -> list[str]:
    """Bring every stage of a workspace up to date; returns the names of those that ran.

    Args:
        work: the workspace, a folder with a params.yaml.
    """
    workspace = Workspace.open(Path(work))
    with versions.exclusive(workspace) as repo, Board() as board:
        versions.fetch(repo, workspace)
        steps = Steps(workspace, board.follow)
        curated = steps.submit("curate")
        features = steps.submit("featurize", curated)
        split = steps.submit("split", curated)
        replicates = steps.replicates(features, split)
        ensemble = steps.submit("ensemble", replicates)
        scores = steps.submit("evaluate", ensemble)
        steps.submit("report", scores).result()
        versions.record(repo, workspace, steps.ran)
    return [stage.name for stage in steps.ran]
