"""params.yaml, section split: which molecules train, validate and test."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from manywalks.params.base import Cell, Fraction, Name, Section


class SplitParams(Section):
    """Which molecules train the model, which calibrate it (valid), and which test it."""

    method: Literal["random", "stratified", "scaffold", "cluster", "time", "group", "column"] = Field(
        default="random", description="how the three subsets are chosen"
    )
    column: Name | None = Field(
        default=None,
        description="for column: the column that says train, valid or test; for group: molecules with equal "
        "cells stay together; for time: a date or a year",
    )
    endpoint: Name | None = Field(
        default=None,
        description="for stratified: the endpoint whose values are spread evenly (default: the first)",
    )
    test: Fraction = Field(default=0.2, description="share of the molecules used for testing")
    valid: Fraction = Field(
        default=0.1,
        description="share of the molecules used for calibration; 0 holds none back: nothing is calibrated "
        "then, unless replicates.rows is bootstrap (training molecules are used, each with the replicates "
        "that did not draw it)",
    )
    test_since: Cell | None = Field(
        default=None,
        description="for time: molecules first measured in this year, on this date or later test (default: "
        "the most recent share)",
    )
    similarity: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="for cluster: Tanimoto similarity from which two molecules belong together"
    )
    seed: int = Field(default=0, description="draws the split; all replicates use the same split")

    @model_validator(mode="after")
    def consistent(self) -> "SplitParams":
        """Refuse a split that lacks its column, and one that leaves nothing to train on."""
        if self.method in ("column", "group", "time") and self.column is None:
            raise ValueError(f"split.column: is missing; method {self.method} needs a column of the table")
        if self.test + self.valid >= 1:
            raise ValueError(
                f"split.test + split.valid: {self.test + self.valid:g} leaves nothing to train on; keep it "
                "below 1"
            )
        return self
