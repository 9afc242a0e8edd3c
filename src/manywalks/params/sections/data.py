"""params.yaml, section data: the raw table, what is declared of its columns, and its endpoints."""

import re
from typing import Literal

from pydantic import Field, model_validator

from manywalks.params.base import Cells, Name, Section
from manywalks.params.sections.endpoint import EndpointParams

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
    "on_graph",
    "rejected",
)


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

    path: Name = Field(
        description="your table, relative to the workspace: CSV, Excel, Parquet or SDF, also as .gz"
    )
    rev: Name | None = Field(
        default=None, description="git revision or tag of the table to use (default: the file as it is now)"
    )
    smiles: Name = Field(default="smiles", description="column of SMILES")
    id: Name | None = Field(default=None, description="column that names each record (default: none)")
    delimiter: Name | None = Field(
        default=None, description="CSV: the character between cells (default: detected)"
    )
    encoding: Name | None = Field(default=None, description="CSV: the text encoding (default: detected)")
    sheet: Name | None = Field(
        default=None, description="Excel: the sheet that holds the table (default: the first)"
    )
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
