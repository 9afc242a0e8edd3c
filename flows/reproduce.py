"""The reproduction flow: retrain a model from its manifest and its data, and judge the agreement."""

from pathlib import Path
from typing import Any

from prefect import flow

from manywalks import files
from manywalks.pipeline import versions
from manywalks.pipeline.runs.cancel import interruptible
from manywalks.pipeline.runs.run_names import named
from manywalks.pipeline.stages import Steps
from manywalks.reproduce import page, reproduce
from manywalks.runtime import run_log
from manywalks.runtime.progress import Board


@flow(
    name="reproduce",
    flow_run_name=named,
    description="Retrain a model and check that its statement holds.",
    persist_result=False,
)
def reproduce_model(
    model: str = "models/ensemble",
    data: str | None = None,
    replicates: int | None = None,
    from_scratch: bool = False,
) -> dict[str, Any]:
    """Train fresh replicates and compare; returns what reports/reproduction.json holds.

    Args:
        model: folder of an ensemble.
        data: its raw table, where it does not lie as the manifest says.
        replicates: how many fresh ones (default: as many as the model has).
        from_scratch: curate, featurize and split again too.
    """
    retraining = reproduce.prepare(
        Path(model), data=Path(data) if data else None, count=replicates, from_scratch=from_scratch
    )
    state = Path(model).resolve().parent.parent / ".manywalks"
    with (
        run_log.kept(state, "reproduce"),
        interruptible(),
        versions.exclusive(retraining.workspace),
        Board() as board,
        Steps(retraining.workspace, board.follow) as steps,
    ):
        curated = steps.submit("curate")
        features = steps.submit("featurize", curated)
        steps.submit("split", features)
        steps.replicates()
        judged = reproduce.judge(retraining)
    reports = Path(model).resolve().parent.parent / "reports"
    files.write_json(reports / "reproduction.json", judged.found)
    files.write_json(reports / "plots" / "reproduction.json", judged.points)
    page.write(reports)
    return judged.found
