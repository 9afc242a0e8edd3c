"""What a search varies: keys of params.yaml with a range or with choices each, some under a condition."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import Field, ValidationError, model_validator

from manywalks.params.base import Section

# digits of a number that a search draws: more would be noise in params.yaml
DIGITS = 3


class RangeParams(Section):
    """A number between two ends."""

    low: float = Field(description="smallest value")
    high: float = Field(description="largest value")
    log: bool = Field(default=False, description="whether values are drawn evenly on a logarithmic scale")
    when: dict[str, Any] = Field(default={}, description="only where these keys have these values")

    @model_validator(mode="after")
    def ordered(self) -> "RangeParams":
        """Refuse ends in the wrong order, and a logarithm of what has none."""
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}; give a smaller low")
        if self.log and not self.low > 0:
            raise ValueError(f"low {self.low:g} has no logarithm; give a low above 0, or remove log")
        return self


class ChoicesParams(Section):
    """One of several values."""

    choices: tuple[Any, ...] = Field(min_length=1, description="the values")
    when: dict[str, Any] = Field(default={}, description="only where these keys have these values")


@dataclass(frozen=True)
class Key:
    """One key of a search.

    Attributes:
        name: dotted; items of lists by name, such as families.paths.weight; `use`: whether an item is there.
        given: its range or its choices.
        whole: whether a range holds whole numbers alone.
    """

    name: str
    given: RangeParams | ChoicesParams
    whole: bool = False

    @property
    def distribution(self) -> BaseDistribution:
        """As Optuna has it; choices by their text, since its storage takes no lists."""
        if isinstance(self.given, ChoicesParams):
            return CategoricalDistribution([label(value) for value in self.given.choices])
        if self.whole:
            return IntDistribution(int(self.given.low), int(self.given.high), log=self.given.log)
        return FloatDistribution(self.given.low, self.given.high, log=self.given.log)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that must be accepted for all to be: both ends, or every choice."""
        if isinstance(self.given, ChoicesParams):
            return self.given.choices
        kind = int if self.whole else float
        return kind(self.given.low), kind(self.given.high)

    def value(self, drawn: Any) -> Any:
        """What Optuna drew, as a value of params.yaml."""
        if isinstance(self.given, ChoicesParams):
            return next(value for value in self.given.choices if label(value) == drawn)
        return drawn if self.whole else rounded(drawn, self.given)

    def drawn(self, value: Any) -> Any:
        """A value of params.yaml as Optuna would have drawn it; None where it could not."""
        if isinstance(self.given, ChoicesParams):
            return label(value) if any(label(value) == label(one) for one in self.given.choices) else None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number and self.given.low <= value <= self.given.high else None

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether its condition holds where other keys have these values."""
        return all(
            label(values.get(name))
            in {label(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
            for name, wanted in self.given.when.items()
        )


def label(value: Any) -> str:
    """A choice as text."""
    return json.dumps(value, sort_keys=True)


def rounded(value: float, given: RangeParams) -> float:
    """A drawn number with few digits, within its range."""
    return min(max(float(f"{value:.{DIGITS}g}"), given.low), given.high)


def read_key(name: str, raw: Mapping[str, Any], *, whole: bool, source: str) -> Key:
    """A key from its mapping in space.yaml; a ValueError names the key and what would do."""
    model = ChoicesParams if "choices" in raw else RangeParams
    try:
        given = model.model_validate(dict(raw))
    except ValidationError as error:
        raise ValueError(f"{source}: {name}: {_fault(error, model)}") from None
    ends = (given.low, given.high) if isinstance(given, RangeParams) else ()
    return Key(name, given, whole=whole and all(end == int(end) for end in ends))


def _fault(error: ValidationError, model: type[Section]) -> str:
    """The first fault of a range or of choices, with its remedy."""
    # a key that is misspelt is missing too: its own name says more
    fault = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    key = ".".join(map(str, fault["loc"]))
    known = list(model.model_fields)
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, known, n=1)
        return f"unknown key {key}; " + (
            f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        )
    if fault["type"] == "missing":
        return f"{key} is missing; add it"
    if fault["type"] == "value_error":
        return fault["msg"].removeprefix("Value error, ")
    wanted = {"low": "a number", "high": "a number", "log": "true or false"}.get(
        key, "a list in square brackets"
    )
    return f"{key}: {fault['input']!r} is not accepted; give {wanted}"
