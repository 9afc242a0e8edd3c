"""params.yaml, one measured property of section data: its column, its unit, and what its cells mean."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from manywalks import units
from manywalks.params.base import Cell, Cells, Name, Positive, Section


class EndpointParams(Section):
    """One measured property: the column that holds it, and what its values mean."""

    kind: Literal["regression", "classification"] = Field(
        default="regression",
        description="regression predicts a number, classification the probability of Yes",
    )
    column: Name | None = Field(
        default=None, description="column that holds the values (default: the endpoint's name)"
    )
    unit: str = Field(default="", description="unit of the predictions and of their errors")
    source_unit: Name | None = Field(
        default=None,
        description="unit of the values in the table, converted to `unit` (default: they are in `unit` "
        "already)",
    )
    unit_column: Name | None = Field(
        default=None, description="column that gives each record its own unit (ChEMBL: Standard Units)"
    )
    transform: Literal["none", "p", "log10"] = Field(
        default="none",
        description="taken after conversion: p is -log10 of mol/L (pIC50), log10 is log10(value + offset)",
    )
    log_unit: Name | None = Field(
        default=None,
        description="for log10: unit of the value before the logarithm (default: as in `unit`, else "
        "source_unit)",
    )
    offset: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="for log10: added to every value first, so that zeros have a logarithm"
    )
    positive: Cell | None = Field(
        default=None,
        description="for classification: the cell that means Yes (default: 1, true, yes or active)",
    )
    negative: Cells | None = Field(
        default=None,
        description="used with `positive`: the cells that mean No; all others are ignored (default: every "
        "other cell means No, except unknown, inconclusive and the like)",
    )
    relation_column: Name | None = Field(
        default=None,
        description="column of =, >, <, >= and <= (default: none; cells such as >100 are understood without "
        "it)",
    )
    censored: Literal["keep", "reject"] = Field(
        default="keep", description="values known only as a limit (>100): keep them as limits, or reject them"
    )
    weight_column: Name | None = Field(
        default=None, description="column of record weights, 0 or more (default: every record weighs 1)"
    )
    error_column: Name | None = Field(
        default=None,
        description="column of standard errors, in the unit of the values; weights are (median error / "
        "error)^2",
    )
    spread_limit: Positive | None = Field(
        default=None,
        description="repeated measurements of a molecule that lie further apart than this (largest - "
        "smallest, "
        "in `unit`) are doubtful; curate.spread says what happens to them",
    )
    tolerance: Positive | None = Field(
        default=None, description="tolerance of this endpoint, in its unit (default: replicates.tolerance)"
    )
    want: Literal["high", "low", "range"] | None = Field(
        default=None,
        description="which values you look for: high, low, or those within `range`. It decides which "
        "molecules count as the best ones (default: high)",
    )
    range: tuple[float, float] | None = Field(
        default=None, description="for want: range: lowest and highest value that you look for, in `unit`"
    )

    def source(self, name: str) -> str:
        """The column that holds the endpoint called `name`."""
        return self.column or name

    def desirability(self, values: np.ndarray) -> np.ndarray:
        """Values of any shape turned so that more is better, by `want`: within a range, how far within."""
        if self.want == "range" and self.range is not None:
            low, high = self.range
            return np.minimum(values - low, high - values)
        return -values if self.want == "low" else values

    def target_unit(self) -> str:
        """The unit that cells are converted to, as units.convert takes it; "" means left as they are.

        "log10" alone is that of the cells as they are, where nothing says what unit they are in.
        """
        named = self.source_unit or self.unit_column
        if self.transform == "none":
            return self.unit if named else ""
        return self._logarithm() if named or self.transform == "p" else "log10"

    def _logarithm(self) -> str:
        """What the transform gives: -log10 M, log10 of a unit, or "" where none is named."""
        if self.transform == "p":
            return "-log10 M"
        inner = self.log_unit or units.inside_log10(self.unit) or self.source_unit
        return f"log10 {inner}" if inner else ""

    @model_validator(mode="after")
    def consistent(self) -> "EndpointParams":
        """Refuse keys that contradict each other or mean nothing together."""
        if self.weight_column and self.error_column:
            raise ValueError("weight_column and error_column: both are given; keep one of them")
        numeric = (self.source_unit, self.unit_column, self.relation_column, self.error_column)
        if self.kind == "classification" and (any(numeric) or self.transform != "none"):
            raise ValueError(
                "kind: a classification takes no source_unit, unit_column, relation_column, error_column or "
                "transform; remove those keys"
            )
        if self.offset and self.transform != "log10":
            raise ValueError(
                f"offset: {self.offset} has no effect without transform: log10; add that, or remove offset"
            )
        if self.log_unit and self.transform != "log10":
            raise ValueError(
                f"log_unit: {self.log_unit!r} has no effect without transform: log10; add that, or remove "
                "log_unit"
            )
        if self.kind == "regression" and (self.positive is not None or self.negative is not None):
            raise ValueError("positive, negative: have no effect on a regression; add kind: classification")
        if (self.want == "range") != (self.range is not None):
            raise ValueError(
                "range: belongs to want: range and is needed there; give both, such as "
                "{want: range, range: [1, 3]}, or neither"
            )
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"range: {list(self.range)} is empty; give the lower value first")
        if self.negative is not None and self.positive is None:
            raise ValueError("negative: needs positive beside it; add positive with the cell that means Yes")
        return self

    @model_validator(mode="after")
    def convertible(self) -> "EndpointParams":
        """The unit of the cells must convert to what the transform gives, and `unit` must name that."""
        source, unit, target = self.source_unit, self.unit, self.target_unit()
        if self.transform == "p" and not source and not self.unit_column:
            raise ValueError(
                "transform: p needs to know the unit of the values; give source_unit (nM, uM ...) or "
                "unit_column, or remove transform if the values are logarithms already"
            )
        if (source or self.unit_column) and not target:
            example = "log10 uM" if self.transform == "log10" else "uM"
            raise ValueError(f"unit: is missing; give the unit to convert the values to, such as {example}")
        if source and not units.convertible(source, target):
            raise ValueError(
                f"source_unit: {source!r} cannot be converted to {target!r}; choose one of "
                f"{', '.join(units.UNITS)}"
            )
        if self.transform != "none" and (units.is_unit(unit) or units.is_linear(unit)):
            gives = self._logarithm()
            if not gives or not units.same_unit(unit, gives):
                raise ValueError(
                    f"unit: {unit!r}, but transform: {self.transform} gives "
                    f"{gives or 'the log10 of the values'}; write that, or change the transform"
                )
        return self
