"""What a look at the values suggests: a logarithm, limits of the assay, a split by time."""

import re
from collections import Counter

import numpy as np
import pandas as pd

from manywalks import units
from manywalks.data.cells import read_cells, read_numbers
from manywalks.data.dates import decimal_years
from manywalks.data.guess.column import ERRORS
from manywalks.data.guess.companions import filled_cells, words_of
from manywalks.data.numbers import Mark
from manywalks.formatting import count
from manywalks.params.sections.endpoint import EndpointParams

# values that span so many powers of ten are modelled as their logarithm
DECADES = 3.0
# of an exponential distribution, the largest twentieth of the values hold half of the variance
LEAST_SKEWED, SHARE_LARGEST, SHARE_OF_VARIANCE = 20, 0.05, 0.5
# so many values at one end, and such a share of all, look like the limit of an assay
LEAST_AT_LIMIT, SHARE_AT_LIMIT = 5, 0.05
# a column of dates has nearly nothing else in it
SHARE_DATES = 0.9
_DATED = re.compile(r"\b(date|year|time|when|measured|tested|registered)\b", re.IGNORECASE)


def as_logarithm(
    name: str, endpoint: EndpointParams, cells: pd.Series, decimal: Mark
) -> tuple[str, EndpointParams, str] | None:
    """Name, endpoint and sentence for values over three powers of ten; None where they are left as they are.

    Of an IC50 in nM that is pIC50, of another quantity its log10.
    """
    values = _values(cells, name, decimal)
    span = _decades(values)
    if endpoint.kind != "regression" or endpoint.transform != "none" or span is None:
        return None
    if endpoint.unit_column:  # values of several units span nothing by themselves
        return None
    said = f"its values span {span:.0f} powers of ten"
    column, unit = endpoint.source(name), endpoint.unit
    known, short = units.parse_unit(unit), _potency(name)
    given = endpoint.model_dump(exclude_unset=True) | {"column": column}
    if short and known is not None and not known.sign and known.dimension in ("amount", "mass"):
        keys = {"unit": short, "source_unit": unit, "transform": "p"}
        return short, EndpointParams.model_validate(given | keys), f"-log10 of {column!r} in mol/L, as {said}"
    keys = {"unit": f"log10 {unit}".strip(), "transform": "log10"}
    keys |= {"source_unit": unit} if unit else {}
    return name, EndpointParams.model_validate(given | keys), f"log10 of its values, as {said}"


def skewed(name: str, endpoint: EndpointParams, cells: pd.Series, decimal: Mark) -> str | None:
    """A sentence where a few large values make up most of the variance, and so decide errors in the unit.

    Accuracy is not at stake: the networks learn the logarithm of such values in any case.
    """
    values = _values(cells, name, decimal)
    if endpoint.kind != "regression" or endpoint.transform != "none" or endpoint.unit_column:
        return None
    if len(values) < LEAST_SKEWED or (values <= 0).any():
        return None
    squares = (np.sort(values) - values.mean()) ** 2
    largest = squares[-round(SHARE_LARGEST * len(values)) :].sum()
    if largest <= SHARE_OF_VARIANCE * squares.sum():
        return None
    keys = {"transform": "log10", "unit": f"log10 {endpoint.unit}".strip()}
    keys |= {"source_unit": endpoint.unit} if endpoint.unit else {}
    said = ", ".join(f"{key}: {value}" for key, value in keys.items())
    return (
        f"skewed: the largest {100 * SHARE_LARGEST:.0f} % of the values of {name!r} hold "
        f"{100 * largest / squares.sum():.0f} % of its variance, so they decide RMSE, intervals and "
        f"tolerance. For these in powers of ten, set {{{said}}} for {name!r} "
        "(networks learn the logarithm either way)"
    )


def limits(name: str, endpoint: EndpointParams, cells: pd.Series, decimal: Mark) -> str | None:
    """A sentence where many values stop at the largest or smallest one, as at an assay's limit."""
    if endpoint.kind != "regression" or endpoint.relation_column:
        return None
    read = read_numbers(filled_cells(cells).to_numpy(dtype=object), name, decimal)
    exact = read.value[(read.relation == "=") & ~np.isnan(read.value)]
    counts = Counter(exact.tolist())
    for end, word, sign in ((max, "largest", ">"), (min, "smallest", "<")):
        if len(counts) < 10:
            return None
        value = end(counts)
        if counts[value] >= max(LEAST_AT_LIMIT, SHARE_AT_LIMIT * len(exact)):
            return (
                f"limit of {name!r}? {counts[value]:,} of {len(exact):,} values are {value:g}, the {word}; "
                f"if the assay measures no further, write them as {sign}{value:g}, or they count as measured"
            )
    return None


def doubtful_unit(name: str, endpoint: EndpointParams, cells: pd.Series, decimal: Mark) -> str | None:
    """A sentence where potencies would be such as no assay measures: the column's name has a wrong unit."""
    values, source = _values(cells, name, decimal), endpoint.source_unit
    if endpoint.kind != "regression" or endpoint.unit_column or len(values) < LEAST_SKEWED:
        return None
    if endpoint.transform == "p":
        if source is None or units.needs_mass(source, "-log10 M") or (values <= 0).any():
            return None
        values = units.convert(values, source, "-log10 M")
    doubt = units.unlike_potencies(endpoint.unit, *np.quantile(values, [0.25, 0.75]).tolist())
    given = f"source_unit: {source}" if source else f"unit: {endpoint.unit}"
    return f"unit of {name!r}? With {given}, {doubt}; give the unit that the values have" if doubt else None


def written_limits(name: str, endpoint: EndpointParams, cells: pd.Series, decimal: Mark) -> str | None:
    """A sentence where cells such as >100 are limits and no measurements."""
    given = filled_cells(cells)
    read = read_numbers(given.to_numpy(dtype=object), name, decimal)
    there = ~np.isnan(read.value)
    limit = there & (read.relation != "=")
    if endpoint.kind != "regression" or not limit.any():
        return None
    first = pd.Series(given[limit]).iloc[0]
    return (
        f"limits of {name!r}: {limit.sum():,} of {there.sum():,} values, such as {first}; "
        "they count as limits, not as measured"
    )


def unread(name: str, endpoint: EndpointParams, cells: pd.Series, decimal: Mark) -> str | None:
    """A sentence where cells hold something that is neither a value nor missing."""
    column = endpoint.source(name)
    alone = endpoint.model_copy(update=dict.fromkeys(("relation_column", "weight_column", "error_column")))
    found = read_cells(cells.to_frame(column), name, alone, decimal=decimal).problems
    if not found:
        return None
    place = next(iter(found))
    what = "numbers" if endpoint.kind == "regression" else "classes"
    return (
        f"unread: {count(len(found), 'cell')} of {column!r} {'is' if len(found) == 1 else 'are'} not read as "
        f"{what}, such as {cells.iloc[place]!r} in row {cells.index[place] + 1}, and left out"
    )


def approximate(name: str, endpoint: EndpointParams, cells: pd.Series, decimal: Mark) -> str | None:
    """A sentence where cells such as ~5 are said to be rough."""
    rough = pd.Series(cells[cells.str.match(r"\s*[~≈]")])
    if endpoint.kind != "regression" or rough.empty:
        return None
    return (
        f"rough values: {count(len(rough), 'cell')} of {endpoint.source(name)!r}, such as {rough.iloc[0]!r} "
        f"in row {rough.index[0] + 1}; they count as measured, like any other (empty those you do not trust)"
    )


def dates(frame: pd.DataFrame, used: set[str]) -> str | None:
    """A sentence where a column has dates: a split by time tests on the latest molecules."""
    for column in (c for c in map(str, frame.columns) if c not in used):
        cells = filled_cells(pd.Series(frame[column]))
        if len(cells) < SHARE_DATES * len(frame) or cells.nunique() < 3:
            continue
        if not _DATED.search(words_of(column)) and cells.str.fullmatch(r"[\d.,]+").mean() > 0.1:
            continue  # a number over a thousand is no year by itself
        times = decimal_years(cells.to_numpy(dtype=object))
        if not times.fault and (~np.isnan(times.years)).mean() > SHARE_DATES:
            return (
                f"dates: column {column!r} (split: {{method: time, column: {column!r}}} tests on the latest "
                "molecules, as in use)"
            )
    return None


def errors(columns: list[str]) -> list[str]:
    """A sentence for each column of standard errors by its name."""
    return [
        f"standard errors? column {column!r} (error_column: {column!r} of its endpoint weighs by them)"
        for column in columns
        if ERRORS.search(words_of(column))
    ]


def _values(cells: pd.Series, name: str, decimal: Mark) -> np.ndarray:
    """The numbers of a column, without the missing ones."""
    values = read_numbers(filled_cells(cells).to_numpy(dtype=object), name, decimal).value
    return values[~np.isnan(values)]


def _decades(values: np.ndarray) -> float | None:
    """Powers of ten that positive values span, a few far ones left out; None where they are too few."""
    if len(values) < 10 or (values <= 0).any():
        return None
    low, high = np.quantile(np.log10(values), [0.01, 0.99])
    return float(high - low) if high - low >= DECADES else None


def _potency(name: str) -> str:
    """The name of -log10 of a potency (IC50 (nM) -> pIC50), "" where a column is none."""
    known = {one.lower(): one for one in units.P_NAMES}
    words = re.split(r"[^A-Za-z0-9]+", name)
    return next((known[f"p{word.lower()}"] for word in words if f"p{word.lower()}" in known), "")
