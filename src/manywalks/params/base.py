"""What the sections of params.yaml are made of: a strict, frozen model, and kinds of numbers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A part of params.yaml: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
