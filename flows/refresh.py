"""The refresh flow: newest data, a challenger, and the champion's place for it where it earned that."""

from pathlib import Path
from typing import Any

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from manywalks.flows.train import train
from manywalks.pipeline import versions
from manywalks.pipeline.runs.artifacts import publish_refresh
from manywalks.pipeline.runs.cancel import interruptible
from manywalks.pipeline.runs.run_names import named
from manywalks.pipeline.runs.webhook import on_better, on_failure
from manywalks.refresh import refresh as step
from manywalks.refresh.text import text_of
from manywalks.runtime import run_log
from manywalks.workspace import Workspace


class RefreshJob(BaseModel):
    """What a refresh is asked for; Prefect's form shows these."""

    model_config = ConfigDict(extra="forbid")

    workspace: str = Field(".", title="Workspace", description="folder with a params.yaml")
    push: bool = Field(True, title="Push", description="dvc push where a remote of your own is set")
    pull: bool = Field(False, title="Pull", description="git pull first, for newer .dvc files")
    wait: float = Field(0, ge=0, title="Wait", description="seconds to wait for another run to end")


@flow(
    name="refresh",
    flow_run_name=named,
    description="Take new data, retrain, and keep the better model.",
    persist_result=False,
    on_failure=[on_failure],
    on_crashed=[on_failure],
)
def refresh(job: RefreshJob | None = None) -> dict[str, Any]:
    """Pull the newest data; where anything changed train a challenger, judge it, promote it by the rule.

    Returns what reports/refresh.json holds, and `changed`: whether there was anything to do.
    """
    job = job or RefreshJob()  # pyright: ignore[reportCallIssue]
    workspace = Workspace.open(Path(job.workspace))
    seen = step.check_for_change(workspace, wait=job.wait, pull=job.pull)
    if not seen.changed:
        return {**(step.read(workspace) or {}), "promoted": False, "changed": False, "data": seen.data}
    with run_log.kept(workspace.state, "refresh"), interruptible():
        train(str(workspace.root))
    with interruptible(), versions.exclusive(workspace, wait=job.wait) as repo:
        found = step.refresh(workspace)
        pushed = versions.push(repo, workspace) if job.push else "not asked for"
    publish_refresh(workspace, found, text_of(found))
    if found["promoted"]:
        on_better(found)
    return {**found, "changed": True, "data": seen.data, "pushed": pushed}
