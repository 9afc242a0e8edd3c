"""Cells of the raw table as values: numbers, bounds, units, classes, weights; what is unusable, and why."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from manywalks import units
from manywalks.chemistry.missing import MISSING
from manywalks.data.numbers import Mark, plain_numbers
from manywalks.params.sections.endpoint import EndpointParams

POSITIVE = frozenset({"1", "true", "t", "yes", "y", "active", "positive", "pos"})
NEGATIVE = frozenset({"0", "false", "f", "no", "n", "inactive", "negative", "neg"})
# words that say of a molecule that its class is not known: beside `positive` they are not class 0
UNDECIDED = frozenset(
    {"unknown", "inconclusive", "undetermined", "ambiguous", "equivocal", "indeterminate", "unspecified"}
)
RELATIONS = {
    "": "=", "=": "=", "==": "=", "~": "=", "≈": "=",
    ">": ">", ">=": ">", ">>": ">", "≥": ">", "<": "<", "<=": "<", "<<": "<", "≤": "<",
}  # fmt: skip
# how a column of relations may say them
RELATION_WORDS = RELATIONS | {
    "eq": "=", "equal": "=", "equals": "=", "equal to": "=", "exact": "=", "approx": "=", "ca.": "=",
    "gt": ">", "ge": ">", "gte": ">", "greater": ">", "greater than": ">", "more than": ">", "above": ">",
    "lt": "<", "le": "<", "lte": "<", "less": "<", "less than": "<", "below": "<",
}  # fmt: skip
# beyond that no assay measures, and float32 ends
LARGEST = 1e30
_FLIPPED = {"=": "=", ">": "<", "<": ">"}


@dataclass
class Cells:
    """One endpoint over n records.

    Attributes:
        value: float64 (n,), in the endpoint's unit once converted; NaN where there is none.
        relation: object (n,): "=", ">" or "<" where there is a value.
        weight: float64 (n,).
        error: standard errors, float64 (n,), in the cells' unit, NaN where not given; None without a column.
        problems: record -> (reason code, a sentence), for cells that hold something unusable.
        taken_as_0: record -> its word, for those that were read as class 0 because it is not `positive`.
    """

    value: np.ndarray
    relation: np.ndarray
    weight: np.ndarray
    error: np.ndarray | None = None
    problems: dict[int, tuple[str, str]] = field(default_factory=dict)
    taken_as_0: dict[int, str] = field(default_factory=dict)

    def refuse(self, rows: np.ndarray, code: str, sentence: str, shown: np.ndarray | None = None) -> None:
        """The cells of these records are unusable; {} in `sentence` becomes what `shown` holds there."""
        self.value[rows] = np.nan
        for row in rows:
            detail = sentence if shown is None else sentence.replace("{}", repr(shown[row]))
            self.problems[int(row)] = (code, detail)

    def leave_out(self, rows: np.ndarray) -> None:
        """These records are none of the endpoint's: no value, and nothing to count or to show."""
        self.value[rows] = np.nan
        for row in map(int, rows):
            self.problems.pop(row, None)
            self.taken_as_0.pop(row, None)


def read_cells(frame: pd.DataFrame, name: str, endpoint: EndpointParams, *, decimal: Mark = ".") -> Cells:
    """An endpoint's cells as numbers in their own unit, or as classes 0 and 1; not converted yet."""
    text = _stripped(frame, endpoint.source(name))
    if endpoint.kind == "classification":
        cells = _read_classes(text, name, endpoint)
    else:
        cells = read_numbers(text, name, decimal)
        if endpoint.relation_column:
            _read_relations(cells, _stripped(frame, endpoint.relation_column), name)
    if endpoint.weight_column:
        _read_weights(cells, _stripped(frame, endpoint.weight_column), name, decimal)
    if endpoint.error_column:
        _read_errors(cells, _stripped(frame, endpoint.error_column), name, decimal)
    return cells


def convert_cells(
    cells: Cells, frame: pd.DataFrame, name: str, endpoint: EndpointParams, *, molar_mass: np.ndarray
) -> None:
    """Convert each value to the endpoint's unit and transform it; a bound turns where the sign does.

    Args:
        molar_mass: g/mol (n,), NaN where the record has no molecule.
    """
    if endpoint.kind == "classification":
        return
    measured = ~np.isnan(cells.value)
    source = _record_units(frame, endpoint)
    target, errors = endpoint.target_unit(), cells.error
    for unit in sorted(set(source[measured])):
        rows = np.flatnonzero(measured & (source == unit))
        _convert_rows(cells, rows, unit, target, name, endpoint.offset, molar_mass, errors)
    if errors is not None:
        _weigh(cells, errors)
    if endpoint.censored == "reject":
        bounds = np.flatnonzero(~np.isnan(cells.value) & (cells.relation != "="))
        cells.refuse(bounds, "censored", f"{name} is known as a bound alone")


def asks_molar_mass(endpoint: EndpointParams) -> bool:
    """Whether some cell of the endpoint may need its molecule's molar mass."""
    target = endpoint.target_unit()
    if endpoint.unit_column:
        known = units.parse_unit(target)
        return known is not None and known.dimension in ("amount", "mass")
    return bool(endpoint.source_unit) and units.needs_mass(endpoint.source_unit or "", target)


def _stripped(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column's cells as stripped Python strings, object (n,)."""
    return pd.Series(frame[column]).str.strip().to_numpy(dtype=object)


def _is_missing(text: np.ndarray) -> np.ndarray:
    lowered = pd.Series(text, dtype=object).str.lower()
    return lowered.isin(MISSING).to_numpy(dtype=bool)


def _blank(n: int) -> Cells:
    return Cells(np.full(n, np.nan), np.full(n, "=", dtype=object), np.ones(n))


def read_numbers(text: np.ndarray, name: str, decimal: Mark) -> Cells:
    """Stripped cells (n,) as numbers, with the relation that one may begin with (>10, <= 0.5)."""
    cells = _blank(len(text))
    parts = pd.Series(text, dtype=object).str.extract(r"^([<>=~≈≤≥]{0,2})\s*(.*)$")
    sign, number = parts[0].to_numpy(dtype=object), plain_numbers(parts[1], decimal)
    cells.value = np.array(pd.to_numeric(number.text, errors="coerce"), dtype=np.float64)
    cells.value[np.abs(cells.value) > LARGEST] = np.nan
    known = np.array([symbol in RELATIONS for symbol in sign], dtype=bool)
    cells.relation = np.array([RELATIONS.get(symbol, "=") for symbol in sign], dtype=object)
    bad = ~_is_missing(text) & (~np.isfinite(cells.value) | ~known) & ~number.ambiguous
    cells.value[~np.isfinite(cells.value)] = np.nan
    cells.refuse(np.flatnonzero(bad), "not_a_number", name + ": {} is not a finite number", text)
    twice = name + ": {} can be read two ways, its mark as decimal or between thousands; write it without"
    cells.refuse(np.flatnonzero(number.ambiguous), "not_a_number", twice, text)
    return cells


def _read_classes(text: np.ndarray, name: str, endpoint: EndpointParams) -> Cells:
    """Classes: `positive` against `negative` or against anything else, or the words for yes and no."""
    cells = _blank(len(text))
    missing = _is_missing(text)
    words = [plain_cell(cell).lower() for cell in text]
    lowered = pd.Series(words, dtype=object)
    if endpoint.positive is None:
        yes, no = lowered.isin(POSITIVE).to_numpy(), lowered.isin(NEGATIVE).to_numpy()
        remedy = "the cell is left out; set `positive` and `negative` if it means one of the classes"
    else:
        yes = (lowered == plain_cell(endpoint.positive).lower()).to_numpy()
        if endpoint.negative is None:
            no = ~yes & ~missing & ~lowered.isin(UNDECIDED).to_numpy()
            cells.taken_as_0 = {int(row): words[row] for row in np.flatnonzero(no)}
        else:
            no = ~yes & lowered.isin([plain_cell(cell).lower() for cell in endpoint.negative]).to_numpy()
        remedy = "the cell is left out, which is right if it means neither class; else add it to `negative`"
    cells.value = np.where(yes, 1.0, np.where(no, 0.0, np.nan))
    sentence = f"{name}: {{}} says no class; {remedy}"
    cells.refuse(np.flatnonzero(~missing & ~yes & ~no), "not_a_class", sentence, text)
    return cells


def plain_cell(cell: str) -> str:
    """A cell for comparison with one of params: stripped, 2.0 the same as 2, and TRUE as true."""
    cell = cell.strip()
    if cell.lower() in ("true", "false"):
        return cell.lower()
    try:
        # to Python 2020_1 is the number 20201
        return f"{float(cell):.15g}" if len(cell) < 15 and "_" not in cell else cell
    except ValueError:
        return cell


def _read_relations(cells: Cells, text: np.ndarray, name: str) -> None:
    """Relations from a column of their own; a cell's own sign stays where the column says nothing."""
    plain = np.array([cell.strip("'\" ").lower() for cell in text], dtype=object)
    # a question mark says that the relation is not known, not that there is none
    plain[_is_missing(plain) & (plain != "?")] = ""
    measured = ~np.isnan(cells.value)
    unknown = np.array([cell not in RELATION_WORDS for cell in plain], dtype=bool)
    column = np.array([RELATION_WORDS.get(cell, "=") for cell in plain], dtype=object)
    clash = (column != "=") & (cells.relation != "=") & (column != cells.relation)
    cells.relation = np.where(column == "=", cells.relation, column)
    cells.refuse(
        np.flatnonzero(measured & unknown), "relation", name + ": relation {} is not one of =, >, <", text
    )
    cells.refuse(
        np.flatnonzero(measured & clash),
        "relation",
        name + ": relation {}, but the value has another",
        text,
    )


def _read_weights(cells: Cells, text: np.ndarray, name: str, decimal: Mark) -> None:
    """Weights of 0 or more; an empty cell weighs 1."""
    weights = read_numbers(text, name, decimal).value
    missing = _is_missing(text)
    bad = ~missing & (np.isnan(weights) | (weights < 0)) & ~np.isnan(cells.value)
    cells.weight = np.where(missing | np.isnan(weights), 1.0, weights)
    cells.refuse(np.flatnonzero(bad), "weight", name + ": weight {} is not a number of 0 or more", text)


def _read_errors(cells: Cells, text: np.ndarray, name: str, decimal: Mark) -> None:
    """Standard errors over 0; NaN where the cell is empty."""
    cells.error = read_numbers(text, name, decimal).value
    bad = ~_is_missing(text) & ~(cells.error > 0) & ~np.isnan(cells.value)
    cells.refuse(np.flatnonzero(bad), "weight", name + ": standard error {} is not a number over 0", text)


def _weigh(cells: Cells, errors: np.ndarray) -> None:
    """Weights (median error / error)^2, within 0.01 .. 100: an error written as tiny must not own the fit."""
    known = ~np.isnan(errors) & ~np.isnan(cells.value)
    if known.any():
        cells.weight[known] = np.clip((np.median(errors[known]) / errors[known]) ** 2, 0.01, 100.0)


def _record_units(frame: pd.DataFrame, endpoint: EndpointParams) -> np.ndarray:
    """Each record's unit, object (n,): its own cell, else the endpoint's source unit, else ""."""
    default = endpoint.source_unit or ""
    if not endpoint.unit_column:
        return np.full(len(frame), default, dtype=object)
    text = _stripped(frame, endpoint.unit_column)
    return np.where(_is_missing(text), default, text)


def _convert_rows(
    cells: Cells,
    rows: np.ndarray,
    unit: str,
    target: str,
    name: str,
    offset: float,
    molar_mass: np.ndarray,
    errors: np.ndarray | None,
) -> None:
    """Convert the values of records that share a unit."""
    if not target:
        return
    if target == "log10":  # no unit named: the cells' own, whatever it is
        unit, target = "M", "log10 M"
    if not unit or not units.convertible(unit, target):
        sentence = f"{name}: unit {unit!r} cannot be converted to {target!r}"
        cells.refuse(rows, "unit", sentence)
        return
    if units.needs_mass(unit, target):
        # without a molecule there is no molar mass, and the record is rejected for its structure
        rows = rows[~np.isnan(molar_mass[rows])]
    before = cells.value[rows]
    if errors is not None:
        errors[rows] = _carry_errors(before, errors[rows], unit, target, offset, molar_mass[rows])
    cells.value[rows] = units.convert(before, unit, target, molar_mass=molar_mass[rows], offset=offset)
    if units.flips(unit, target):
        cells.relation[rows] = [_FLIPPED[relation] for relation in cells.relation[rows]]
    bad = np.isnan(cells.value[rows])
    shown = np.zeros(len(cells.value), dtype=object)
    shown[rows] = [float(value) for value in before]
    cells.refuse(rows[bad], "logarithm", name + ": {} has no logarithm", shown)


def _carry_errors(
    values: np.ndarray, errors: np.ndarray, unit: str, target: str, offset: float, mass: np.ndarray
) -> np.ndarray:
    """Standard errors through the conversion, by its slope at each value (delta method)."""
    step = np.maximum(np.abs(values), 1e-12) * 1e-6
    ends = [units.convert(values + d, unit, target, molar_mass=mass, offset=offset) for d in (step, -step)]
    return errors * np.abs(ends[0] - ends[1]) / (2 * step)
