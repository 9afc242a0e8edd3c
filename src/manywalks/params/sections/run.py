"""Sections of params.yaml about running: report, orchestrate, refresh."""

from typing import Annotated, Literal

from pydantic import Field

from manywalks.params.base import Confidence, Count, Fraction, Name, Positive, Section


class ReportParams(Section):
    """Title of the report, and what the model card says of the model's owner."""

    title: str = Field(default="manywalks", description="title of the report and of the model card")
    owner: Name | None = Field(
        default=None, description="for the model card: who is responsible for the model"
    )
    contact: Name | None = Field(default=None, description="for the model card: whom to ask")
    licence: Name | None = Field(
        default=None, description="for the model card: licence of the model and its data"
    )
    date: Name | None = Field(
        default=None, description="for the model card: date of the model (a run does not fill it in)"
    )


class OrchestrateParams(Section):
    """Where the work runs and with how many cores; no result depends on it."""

    runner: Literal["local", "dask"] = Field(
        default="local", description="local: on this machine; dask: on a Dask cluster"
    )
    address: Name | None = Field(
        default=None, description="for dask: the scheduler's address (default: a cluster on this machine)"
    )
    storage: Name | None = Field(
        default=None,
        description="for dask: an fsspec URL that this machine and the workers can reach, such as "
        "s3://bucket/folder (default: data and replicates travel through Dask itself)",
    )
    cores: Count | None = Field(default=None, description="number of cores to use (default: all)")
    retries: Annotated[int, Field(ge=0)] = Field(
        default=2, description="how often to try again after a failure that may be temporary"
    )
    time_limit: Positive = Field(
        default=3600.0, description="a step, or a pack of replicates, that takes more seconds is stopped"
    )
    reports: Annotated[str, Field(pattern="^https?://")] | None = Field(
        default=None,
        description="an address under which people open this workspace's folder reports, such as "
        "https://files.example.org/assay/reports: Prefect's page of a run then links to the report",
    )


class RefreshParams(Section):
    """`manywalks refresh`: when a newly trained model (challenger) replaces the present one (champion)."""

    promote: Literal["better", "not_worse", "never"] = Field(
        default="better",
        description="better: if it is better at one endpoint or more, and worse or undecided at none; "
        "not_worse: if it is better or equivalent at every endpoint; never: only by `manywalks promote`",
    )
    metric: Literal["auto", "rmse", "mae", "log_loss", "brier"] = Field(
        default="auto",
        description="score that the two are compared by (auto: rmse for regressions, brier for "
        "classifications)",
    )
    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.03,
        description="scores that differ by no more than this share of the champion's are equivalent",
    )
    confidence: Confidence = Field(default=0.95, description="how sure a verdict must be")
    min_molecules: Annotated[int, Field(ge=10)] = Field(
        default=30,
        description="number of molecules new to both models that a verdict takes; with fewer, it is "
        "undecided",
    )
    max_churn: Positive | None = Field(
        default=None,
        description="a challenger that is no better is not promoted if its predictions moved by more than "
        "this share of the standard deviation of the training values (default: no limit)",
    )
    keep: Count = Field(default=10, description="number of former champions to keep")
    drift_outside_share: Fraction = Field(
        default=0.3,
        description="warn if more than this share of the new molecules lies outside the champion's domain",
    )
    drift_psi: Positive = Field(
        default=0.2,
        description="warn if the distribution of an endpoint's values has shifted by more than this "
        "(population "
        "stability index)",
    )
