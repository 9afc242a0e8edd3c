"""What the sections of params.yaml are made of: a strict, frozen model, and kinds of values."""

from datetime import date
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.fields import FieldInfo

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
# beyond that a sentence would say "100 % sure", and no simulation has gone so far
Confidence = Annotated[float, Field(gt=0.5, le=0.99999)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]
# of a key that the program fills in itself: params.yaml does not have it
FILLED_IN: dict[str, JsonValue] = {"filled_in": True}


class Section(BaseModel):
    """A section of params.yaml: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def written_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a section that params.yaml may have."""
    return {key: field for key, field in model.model_fields.items() if field.json_schema_extra != FILLED_IN}


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is or holds, if any."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := model_in(inner))), None)


def _listed(value: Any) -> Any:
    """One cell as a list of one."""
    return [value] if isinstance(value, str | int | float | date) else value


# YAML reads 1, true and 2020-04-03 as a number, a boolean and a date, where the cell that is meant is text
Cell = Annotated[
    str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float | date) else value)
]
Cells = Annotated[tuple[Cell, ...], BeforeValidator(_listed)]
