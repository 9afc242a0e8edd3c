"""What a search is asked for, by the command line or by a deployment."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from manywalks.pipeline import experiments
from manywalks.tune.design import Design, seconds_of
from manywalks.tune.space import recipe
from manywalks.workspace import Workspace


class TuneJob(BaseModel):
    """What a search is asked for; Prefect's form shows these."""

    model_config = ConfigDict(extra="forbid")

    workspace: str = Field(".", title="Workspace", description="folder with a params.yaml")
    trials: int = Field(60, ge=1, title="Trials", description="settings to try")
    time: str | None = Field(None, title="Time", description="for search and verdict, such as 30m")
    space: str | None = Field(None, title="Space", description="file of ranges; none for the default space")
    resume: bool = Field(False, title="Continue", description="go on with the last search")
    replicates: int = Field(8, ge=2, title="Replicates", description="on each fresh fold, for the verdict")
    metric: str | None = Field(None, title="Metric", description="score that decides")
    threshold: float | None = Field(None, gt=0, title="Threshold", description="smallest gain that matters")

    cost: str | None = Field(
        None, title="Cost", description="seconds or parameters, searched beside the score"
    )
    dvc: bool = Field(False, title="DVC experiments", description="of the trials, for dvc exp show")

    @property
    def design(self) -> Design:
        """How the search is made."""
        seconds = None if self.time is None else seconds_of(self.time)
        return Design(self.trials, seconds, self.replicates, self.metric, self.threshold, self.cost)

    def opened(self) -> recipe.Opened:
        """The search, checked: what cannot be searched ends here, before anything starts."""
        workspace, space = Workspace.open(self.workspace), None if self.space is None else Path(self.space)
        if self.dvc:
            experiments.check(workspace)
        return recipe.open_search(workspace, space, resume=self.resume)
