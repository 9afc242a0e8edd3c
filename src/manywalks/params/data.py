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
# columns of the curated table, of the predictions and of scored tables that are no endpoint's
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
    """A cell alone as the list of it."""
    return [value] if isinstance(value, str | int | float | date) else value


Cells = Annotated[tuple[Cell, ...], BeforeValidator(_listed)]


class EndpointParams(Section):
    """One measured property: where it stands in the table and what it means."""

    kind: Literal["regression", "classification"] = Field(
        default="regression", description="what is predicted"
    )
    column: Name | None = Field(
        default=None, description="column of the table (default: the endpoint's name)"
    )
    unit: str = Field(default="", description="unit of the predictions and of every score")
    source_unit: Name | None = Field(
        default=None,
        description="unit of the column's cells, to convert from (default: they are in `unit` already)",
    )
    unit_column: Name | None = Field(
        default=None, description="column that holds each record's own unit (ChEMBL: Standard Units)"
    )
    transform: Literal["none", "p", "log10"] = Field(
        default="none",
        description="after conversion: p is -log10 of mol/L (pIC50), log10 is log10(value + offset)",
    )
    log_unit: Name | None = Field(
        default=None,
        description="transform log10: the unit it is taken in (default: that of `unit`, else source_unit)",
    )
    offset: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="transform log10: added to the value first, so that zeros have a logarithm"
    )
    positive: Cell | None = Field(
        default=None,
        description="classification: the cell that means class 1 (default: 1, true, yes, active)",
    )
    negative: Cells | None = Field(
        default=None,
        description="with `positive`: the cells that mean class 0; others are unusable (default: all others "
        "mean it, but for unknown, inconclusive and the like)",
    )
    relation_column: Name | None = Field(
        default=None,
        description="column of =, >, <, >=, <= (default: none; a cell such as >100 says it by itself)",
    )
    censored: Literal["keep", "reject"] = Field(
        default="keep", description="values known as a bound alone: keep them as bounds, or reject them"
    )
    weight_column: Name | None = Field(
        default=None, description="column of record weights, 0 or more (default: all weigh 1)"
    )
    error_column: Name | None = Field(
        default=None,
        description="column of standard errors, in the cells' unit: weights are (median error / error)^2",
    )
    spread_limit: Positive | None = Field(
        default=None,
        description="repeats of a molecule further apart than this (largest - smallest, in `unit`) are "
        "doubtful; curate.spread says what becomes of them",
    )
    tolerance: Positive | None = Field(
        default=None, description="this endpoint's own tolerance, in its unit (default: replicates.tolerance)"
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
        """Keys that say nothing together are refused."""
        if self.weight_column and self.error_column:
            raise ValueError("weight_column and error_column: both given; name one of them")
        numeric = (self.source_unit, self.unit_column, self.relation_column, self.error_column)
        if self.kind == "classification" and (any(numeric) or self.transform != "none"):
            raise ValueError(
                "kind: a classification has no unit, relation, error or transform; remove those keys"
            )
        if self.offset and self.transform != "log10":
            raise ValueError(f"offset: {self.offset} without transform: log10; add it, or remove the offset")
        if self.log_unit and self.transform != "log10":
            raise ValueError(
                f"log_unit: {self.log_unit!r} without transform: log10; add it, or remove log_unit"
            )
        if self.kind == "regression" and (self.positive is not None or self.negative is not None):
            raise ValueError("positive, negative: say nothing of a regression; add kind: classification")
        if self.negative is not None and self.positive is None:
            raise ValueError("negative: given alone; name the cell that means class 1 as positive")
        return self

    @model_validator(mode="after")
    def convertible(self) -> "EndpointParams":
        """What the cells are in converts to what the transform gives, and that is what `unit` says."""
        source, unit, target = self.source_unit, self.unit, self.target_unit()
        if self.transform == "p" and not source and not self.unit_column:
            raise ValueError(
                "transform: p takes -log10 of mol/L; say what the cells are in by source_unit (nM, uM ...) "
                "or unit_column, or remove transform where they are logarithms already"
            )
        if (source or self.unit_column) and not target:
            example = "log10 uM" if self.transform == "log10" else "uM"
            raise ValueError(f"unit: none given; say what the cells are converted to, such as {example}")
        if source and not units.convertible(source, target):
            raise ValueError(
                f"source_unit: {source!r} cannot be converted to {target!r}; known are "
                f"{', '.join(units.UNITS)}"
            )
        if self.transform != "none" and unit and units.is_unit(unit):
            gives = self._logarithm()
            if not gives or not units.same_unit(unit, gives):
                raise ValueError(
                    f"unit: {unit!r}, but transform: {self.transform} gives "
                    f"{gives or 'a log10 of the cells'}; write that, or change the transform"
                )
        return self


class CheckParams(Section):
    """What is declared of one column of the raw table."""

    type: Literal["text", "number", "integer", "date"] = Field(
        default="text", description="what every cell must be"
    )
    required: bool = Field(default=True, description="the column must be there")
    empty: bool = Field(default=True, description="empty cells are allowed")
    unique: bool = Field(default=False, description="no two records share a value")
    min: float | None = Field(default=None, description="numbers: the smallest allowed")
    max: float | None = Field(default=None, description="numbers: the largest allowed")
    allowed: Cells | None = Field(default=None, description="the only cells allowed")
    pattern: str | None = Field(default=None, description="regular expression that the whole cell must match")

    @model_validator(mode="after")
    def readable(self) -> "CheckParams":
        """The pattern must be one."""
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"pattern: {self.pattern!r} is no regular expression ({error})") from None
        return self


class DataParams(Section):
    """The raw table."""

    path: Name = Field(description="the raw table, relative to the workspace: CSV, Parquet or SDF, also .gz")
    rev: Name | None = Field(
        default=None, description="git revision or tag of the table (default: the file as it is)"
    )
    smiles: Name = Field(default="smiles", description="column that holds the SMILES")
    id: Name | None = Field(default=None, description="column that names a record (default: none)")
    delimiter: Name | None = Field(
        default=None, description="CSV: between cells (default: found in the file)"
    )
    encoding: Name | None = Field(default=None, description="CSV: of the text (default: found in the file)")
    decimal: Literal[".", ","] = Field(default=".", description="decimal mark of the numbers")
    where: dict[Name, Cells] = Field(
        default_factory=dict,
        description="column: a cell, or a list of cells; records with another cell are rejected as filtered",
    )
    checks: dict[Name, CheckParams] = Field(
        default_factory=dict,
        description="column: what is declared of it; all violations are listed at once, and nothing runs",
    )
    endpoints: dict[Name, EndpointParams] = Field(
        min_length=1, description="the measured properties, by name"
    )

    @model_validator(mode="after")
    def free_names(self) -> "DataParams":
        """An endpoint's columns stand beside others in every table: none may take another's place."""
        for name in self.endpoints:
            if name in RESERVED or ":" in name:
                taken = "is a column of its own in the tables that are made"
                why = taken if name in RESERVED else "holds a colon, as what is said of an endpoint does"
                raise ValueError(
                    f"endpoints: {name!r} {why}; give the endpoint another name, and the table's column as "
                    "column:"
                )
        return self


class CurateParams(Section):
    """What becomes of a record before it is a molecule of the curated table."""

    mixtures: Literal["reject", "largest", "keep"] = Field(
        default="reject",
        description="two or more different organic parts after salts and solvents are removed",
    )
    metals: Literal["reject", "keep"] = Field(
        default="reject",
        description="a metal that stays after salts are split and removed (organometallics, complexes)",
    )
    inorganics: Literal["reject", "keep"] = Field(default="reject", description="no carbon atom")
    polymers: Literal["reject", "keep"] = Field(
        default="reject", description="undefined atoms (*), attachment points, repeat units"
    )
    isotopes: Literal["drop", "keep", "reject"] = Field(
        default="drop", description="isotope labels (2H, 14C): drop makes the molecule its unlabelled parent"
    )
    stereo: Literal["keep", "drop", "flag", "reject"] = Field(
        default="keep",
        description="keep; drop all stereo marks; flag (in column `flags`) or reject molecules with an "
        "unspecified stereo centre or double bond",
    )
    tautomers: Literal["keep", "canonical"] = Field(
        default="keep",
        description="keep them as drawn, or write RDKit's canonical tautomer (four times the time)",
    )
    max_tautomers: Count = Field(
        default=200,
        description="tautomers: canonical: a molecule with more of them is kept as drawn and flagged",
    )
    max_atoms: Count = Field(default=150, description="heavy atoms; larger molecules are rejected")
    time_limit: Positive = Field(
        default=10.0, description="seconds for one molecule; it is rejected after that"
    )
    merge: Literal["median", "mean", "tobit"] = Field(
        default="median",
        description="how repeats of a molecule become one value; tobit: the likeliest mean, with the "
        "assay's pooled noise, where bounds and values meet",
    )
    spread: Literal["flag", "reject"] = Field(
        default="flag",
        description="repeats further apart than an endpoint's spread_limit: flag the molecule, or reject",
    )


class SplitParams(Section):
    """Which molecules train, which validate, which test."""

    method: Literal["random", "stratified", "scaffold", "cluster", "time", "group", "column"] = Field(
        default="random", description="how the parts are drawn"
    )
    column: Name | None = Field(
        default=None,
        description="method column: the column that says train/valid/test; group: whose equal cells stay "
        "together; time: a date or a year",
    )
    endpoint: Name | None = Field(
        default=None, description="method stratified: the endpoint that is spread evenly (default: the first)"
    )
    test: Fraction = Field(default=0.2, description="share of the molecules in the test subset")
    valid: Fraction = Field(default=0.1, description="share of the molecules in the valid subset")
    test_since: Cell | None = Field(
        default=None,
        description="method time: test what was first measured in this year, on this date or later "
        "(default: the last share)",
    )
    similarity: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="method cluster: Tanimoto from which two molecules are neighbours"
    )
    seed: int = Field(
        default=0, description="draw of the split (data, not a replicate: it is the same for all replicates)"
    )

    @model_validator(mode="after")
    def consistent(self) -> "SplitParams":
        """A column, group or time split needs its column, and something must be left to train on."""
        if self.method in ("column", "group", "time") and self.column is None:
            raise ValueError(f"split.column: none given; name the column for method {self.method}")
        if self.test + self.valid >= 1:
            raise ValueError(
                f"split.test + split.valid: {self.test + self.valid:g} leaves nothing to train on"
            )
        return self
