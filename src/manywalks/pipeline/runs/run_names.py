"""What Prefect's pages call runs: a flow by its workspace and data version, a task by what it does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect.runtime import flow_run, task_run

from manywalks.pipeline.lineage import version_of
from manywalks.workspace import Workspace

DOES = {
    "curate": "curate the molecules",
    "featurize": "compute the features",
    "split": "split into train, valid and test",
    "train": "train the replicates",
    "draws": "train on other draws of the data",
    "ensemble": "build the ensemble",
    "evaluate": "score it on the test molecules",
    "report": "write the report",
}


def named() -> str:
    """The name of the flow run that is starting: "solubility, data 2cadb08b"."""
    return name_of(flow_run.parameters)


def name_of(parameters: dict[str, Any]) -> str:
    """A run's name from its flow's parameters: the folder that it works on, and the version of its data.

    A folder that is no workspace, or a table that is missing, is the flow's own to complain about.
    """
    job = parameters.get("job")
    found = {**parameters, **(job if isinstance(job, dict) else getattr(job, "__dict__", {}))}
    if "model" in found:
        model = Path(str(found["model"])).resolve()
        what = model.parent.parent.name if model.parent.name == "models" else model.name
        return f"{what}, {Path(str(found['table'])).name}" if "table" in found else what
    asked = found.get("workspace", ".")
    workspace = asked if isinstance(asked, Workspace) else Workspace(Path(str(asked)).resolve())
    try:
        return f"{workspace.root.name}, data {version_of(workspace)[:8]}"
    except (OSError, ValueError):
        return workspace.root.name


def pack_name() -> str:
    """The name of a pack's task run: "train replicates 1 to 8"."""
    return replicates_name(list(task_run.parameters["indices"]))


def replicates_name(indices: Sequence[int]) -> str:
    """Replicates in words, counted from 1; those of two packs that run side by side alternate."""
    first, last = min(indices) + 1, max(indices) + 1
    if first == last:
        return f"train replicate {first}"
    if len(indices) == last - first + 1:
        return f"train replicates {first} to {last}"
    return f"train {len(indices)} replicates between {first} and {last}"


def stage_name() -> str:
    """The name of a stage's task run: what it does."""
    name = task_run.parameters["stage"].name
    return DOES.get(name, str(name))
