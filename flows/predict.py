"""The prediction flow, for deployments: predict a table with an ensemble."""

from pathlib import Path

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from manywalks.pipeline.runs.run_names import named
from manywalks.pipeline.runs.webhook import on_failure
from manywalks.predict.predict import predict_table


class PredictJob(BaseModel):
    """What is to be predicted; Prefect's form shows these."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field("models/champion", title="Model", description="folder of an ensemble")
    table: str = Field(
        title="Molecules", description="CSV, Excel, Parquet or SDF, also .gz, or a folder of them"
    )
    output: str = Field(title="Predictions", description=".parquet or .csv, one row for each input row")
    smiles: str | None = Field(
        None,
        title="Column of SMILES",
        description="default: that of the training table, else by name or content",
    )
    id: str | None = Field(
        None,
        title="Column that names a row",
        description="default: that of the training table, else id or name, else its number",
    )
    keep: list[str] = Field([], title="Columns to carry along", description="of the input")
    top: int | None = Field(
        None,
        ge=1,
        title="Best molecules",
        description="mark so many of them, and say which a retrained ensemble would replace",
    )


@flow(
    name="predict",
    flow_run_name=named,
    description="Predict the molecules of a table.",
    persist_result=False,
    on_failure=[on_failure],
    on_crashed=[on_failure],
)
def predict(job: PredictJob) -> dict[str, int]:
    """Predict every row of a table; how many rows were written, and how many of them were rejected."""
    done = predict_table(
        Path(job.model),
        Path(job.table),
        Path(job.output),
        smiles=job.smiles,
        id_column=job.id,
        keep=job.keep,
        top=job.top,
    )
    return {"rows": done.rows, "rejected": done.rejected}
