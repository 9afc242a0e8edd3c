"""Sections of params.yaml about running: report, orchestrate, refresh."""

from typing import Annotated, Literal

from pydantic import Field

from manywalks.params.base import Count, Fraction, Name, Positive, Section


class ReportParams(Section):
    """The page for people."""

    title: str = Field(default="manywalks", description="title of the report and of the model card")
    owner: Name | None = Field(default=None, description="model card: who answers for the model")
    contact: Name | None = Field(default=None, description="model card: where to ask")
    licence: Name | None = Field(default=None, description="model card: of the model and its data")
    date: Name | None = Field(default=None, description="model card: of the model (a run writes none)")


class OrchestrateParams(Section):
    """Where and how hard the work runs; no result depends on it."""

    runner: Literal["local", "dask"] = Field(default="local", description="this machine, or a Dask cluster")
    address: Name | None = Field(
        default=None, description="dask: the scheduler's address (default: a local cluster)"
    )
    storage: Name | None = Field(
        default=None,
        description="dask: an fsspec URL that driver and workers reach, such as s3://bucket/folder "
        "(default: data goes to the workers, and replicates come back, over Dask itself)",
    )
    cores: Count | None = Field(default=None, description="cores to use (default: all)")
    retries: Annotated[int, Field(ge=0)] = Field(default=2, description="tries after a failure that can pass")
    time_limit: Positive = Field(default=3600.0, description="seconds after which a step or a pack is ended")


class RefreshParams(Section):
    """When a challenger takes the champion's place."""

    promote: Literal["better", "not_worse", "never"] = Field(
        default="better",
        description="better: an endpoint is better and none worse or undecided; not_worse: every endpoint is "
        "better or equivalent; never: only by `manywalks promote`",
    )
    metric: Literal["auto", "rmse", "mae", "log_loss", "brier"] = Field(
        default="auto",
        description="what the two are compared by (auto: rmse for regression, brier for classes)",
    )
    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.03, description="differences within this share of the champion's score are equivalent"
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        default=0.95, description="how sure a verdict is"
    )
    min_molecules: Annotated[int, Field(ge=10)] = Field(
        default=30, description="molecules that neither has trained on, at least; with fewer it is undecided"
    )
    keep: Count = Field(default=10, description="former champions to keep")
    drift_outside_share: Fraction = Field(
        default=0.3,
        description="warn when more than this share of new molecules lies outside the champion's domain",
    )
    drift_psi: Positive = Field(
        default=0.2, description="warn when an endpoint's population stability index is over this"
    )
