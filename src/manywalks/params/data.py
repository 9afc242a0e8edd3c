"""params.yaml, about the table: sections data, curate and split."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from manywalks import units
from manywalks.params.base import Count, Fraction, Name, Positive, Section

# YAML reads 1, true and 2020-04-03 as a number, a boolean and a date, where the cell that is meant is text
Cell = Annotated[
    str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float | date) else value)
]
# columns that the curated table and the tables of predictions have already: no endpoint may take their names
RESERVED = (
    "file",
    "id",
    "smiles",
    "record",
    "records",
    "flags",
    "standardized",
    "similarity",
    "in_domain",
    "rejected",
)


def _listed(value: Any) -> Any:
    """One cell as a list of one."""
    return [value] if isinstance(value, str | int | float | date) else value


Cells = Annotated[tuple[Cell, ...], BeforeValidator(_listed)]


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

    def source(self, name: str) -> str:
        """The column that holds the endpoint called `name`."""
        return self.column or name

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
        if self.transform != "none" and unit and units.is_unit(unit):
            gives = self._logarithm()
            if not gives or not units.same_unit(unit, gives):
                raise ValueError(
                    f"unit: {unit!r}, but transform: {self.transform} gives "
                    f"{gives or 'the log10 of the values'}; write that, or change the transform"
                )
        return self


class CheckParams(Section):
    """What one column of the raw table must look like."""

    type: Literal["text", "number", "integer", "date"] = Field(
        default="text", description="what every cell must hold"
    )
    required: bool = Field(default=True, description="whether the column must be there")
    empty: bool = Field(default=True, description="whether empty cells are allowed")
    unique: bool = Field(default=False, description="whether every value may occur only once")
    min: float | None = Field(default=None, description="smallest number allowed")
    max: float | None = Field(default=None, description="largest number allowed")
    allowed: Cells | None = Field(default=None, description="list of all cells allowed")
    pattern: str | None = Field(
        default=None, description="regular expression that every whole cell must match"
    )

    @model_validator(mode="after")
    def readable(self) -> "CheckParams":
        """Refuse a pattern that is not a regular expression."""
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(
                f"pattern: {self.pattern!r} is not a regular expression ({error}); correct it"
            ) from None
        return self


class DataParams(Section):
    """The raw table."""

    path: Name = Field(description="your table, relative to the workspace: CSV, Parquet or SDF, also as .gz")
    rev: Name | None = Field(
        default=None, description="git revision or tag of the table to use (default: the file as it is now)"
    )
    smiles: Name = Field(default="smiles", description="column of SMILES")
    id: Name | None = Field(default=None, description="column that names each record (default: none)")
    delimiter: Name | None = Field(
        default=None, description="CSV: the character between cells (default: detected)"
    )
    encoding: Name | None = Field(default=None, description="CSV: the text encoding (default: detected)")
    decimal: Literal[".", ","] = Field(default=".", description="decimal mark of numbers")
    where: dict[Name, Cells] = Field(
        default_factory=dict,
        description="records to use, as column: cell or column: [cells]; all others are rejected as filtered",
    )
    checks: dict[Name, CheckParams] = Field(
        default_factory=dict,
        description="what columns must look like; if one does not, all faults are listed and nothing runs",
    )
    endpoints: dict[Name, EndpointParams] = Field(
        min_length=1, description="the measured properties to predict, by name"
    )

    @model_validator(mode="after")
    def free_names(self) -> "DataParams":
        """An endpoint becomes a column of every table made: refuse a name that is another column's."""
        for name in self.endpoints:
            if name in RESERVED or ":" in name:
                taken = "is the name of another column in the tables that manywalks writes"
                why = (
                    taken
                    if name in RESERVED
                    else "contains a colon, which manywalks puts between an endpoint and what it says of it"
                )
                raise ValueError(
                    f"endpoints: {name!r} {why}; give the endpoint another name, and name the table's column "
                    "under `column`"
                )
        return self


class CurateParams(Section):
    """How records become molecules: which are rejected, how structures and repeats are treated."""

    mixtures: Literal["reject", "largest", "keep"] = Field(
        default="reject",
        description="two or more different organic molecules left after salts and solvents are removed",
    )
    metals: Literal["reject", "keep"] = Field(
        default="reject",
        description="molecules with a metal after salts are removed (organometallics, complexes)",
    )
    inorganics: Literal["reject", "keep"] = Field(
        default="reject", description="molecules without a carbon atom"
    )
    polymers: Literal["reject", "keep"] = Field(
        default="reject", description="structures with undefined atoms (*), attachment points or repeat units"
    )
    isotopes: Literal["drop", "keep", "reject"] = Field(
        default="drop",
        description="isotope labels (2H, 14C): drop turns the molecule into its unlabelled parent",
    )
    stereo: Literal["keep", "drop", "flag", "reject"] = Field(
        default="keep",
        description="keep or drop all stereochemistry; or flag (in the column `flags`) or reject molecules "
        "with an unspecified stereocentre or double bond",
    )
    tautomers: Literal["keep", "canonical"] = Field(
        default="keep",
        description="keep molecules as drawn, or use RDKit's canonical tautomer (takes four times as long)",
    )
    max_tautomers: Count = Field(
        default=200,
        description="for tautomers: canonical: a molecule with more tautomers is kept as drawn and flagged",
    )
    max_atoms: Count = Field(default=150, description="molecules with more heavy atoms are rejected")
    time_limit: Positive = Field(
        default=10.0, description="a molecule that takes more seconds to standardize is rejected"
    )
    merge: Literal["median", "mean", "tobit"] = Field(
        default="median",
        description="how repeated measurements become one value; tobit: where limits (>100) and values "
        "meet, the most likely mean, given the noise of the assay",
    )
    spread: Literal["flag", "reject"] = Field(
        default="flag",
        description="repeats further apart than the endpoint's spread_limit: flag or reject the molecule",
    )


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
    valid: Fraction = Field(default=0.1, description="share of the molecules used for calibration")
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
