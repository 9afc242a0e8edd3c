"""One column of a raw table: what it measures, or why it seems to measure nothing."""

import re
from collections import Counter

import pandas as pd

from manywalks import units
from manywalks.data.cells import NEGATIVE, POSITIVE, plain_cell, read_numbers
from manywalks.data.guess.companions import filled_cells, is_relation, words_of
from manywalks.data.numbers import Mark
from manywalks.params.sections.endpoint import EndpointParams

# Columns that describe a molecule or a row; not what an assay measured.
NOT_MEASURED = re.compile(
    r"\b(id|cid|idx|name|title|cas|index|row|number of|minimum degree|molecular weight"
    r"|mw|mol ?wt|mass|alogp|clogp|xlogp|tpsa|psa"
    r"|polar surface area|ring|rings|rotatable|hbd|hba|predicted|prediction|weight|year|date"
    r"|max phase|violations|ligand efficiency|duplicate)\b"
    r"|^unnamed|_id$|^id_|^n$|^n (reps?|replicates|tests?)$|^replicates?$",
    re.IGNORECASE,
)
ERRORS = re.compile(
    r"\b(sem|sd|std|stdev|stddev|stderr|(standard|std) (error|deviation|dev|err))\b", re.IGNORECASE
)
# other words in a column of classes
MOST_OTHERS = 5
# fewer different numbers are no quantity
LEAST_VALUES = 5
# such a share of the cells of a measurement are numbers
SHARE_NUMBERS = 0.9
# so many rows that are 1, 2, 3 ... are counted, not measured
LEAST_COUNTED = 10
# of units that are not converted
_LIKE_A_UNIT = re.compile(r"[%°]|\w *\/|(^|[ *·^])([munp]?(s|L|g|m|V)|h|hr|min|d|mol|kcal|kJ)\b")
_NON = ("non", "in", "un", "not ", "non-", "no ")


def guess_endpoint(column: pd.Series, name: str, decimal: Mark = ".") -> EndpointParams | None:
    """What a column measures, None where it seems to measure nothing."""
    cells = filled_cells(column)
    if _is_described(name) or len(cells) == 0 or is_relation(column):
        return None
    # beside + a - is a class, and no missing value
    if set(column.astype(str).str.strip()) - {""} == {"+", "-"}:
        return EndpointParams(kind="classification", positive="+", negative=("-",))
    if (classes := _classes(cells)) is not None:
        return classes
    numbers = _numbers(cells, name, decimal)
    if numbers.notna().mean() < SHARE_NUMBERS or numbers.nunique() < LEAST_VALUES or _are_keys(cells):
        return None
    return EndpointParams(kind="regression", unit=unit_in(name))


def why_not(column: pd.Series, name: str, decimal: Mark) -> str:
    """Why `guess_endpoint` takes a column for none, in words; "" where the column is plainly text."""
    cells = filled_cells(column)
    if len(cells) == 0:
        return "is empty"
    if _is_described(name):
        return "describes the records, by its name"
    words = Counter(cells.map(plain_cell)).most_common()
    shown = ", ".join(f"{word!r} ({count})" for word, count in words[:4])
    if len(words) == 1:
        return f"holds {words[0][0]!r} alone"
    read = read_numbers(cells.to_numpy(dtype=object), "", decimal)
    good = len(cells) - len(read.problems)
    if good < SHARE_NUMBERS * len(cells) and (good or cells.str.match(r"\W{0,3}\d").any()):
        _, detail = next(iter(read.problems.values()))
        text = f"holds numbers in {good} of {len(cells)} cells ({detail.removeprefix(': ')})"
        with_unit = cells.str.match(r"\W{0,3}[\d.,]+\s*[^\W\d]").mean() >= SHARE_NUMBERS
        return (
            f"{text}: write the number alone, and its unit in a column of its own"
            if with_unit
            else f"{text}: leave all others empty"
        )
    if len(words) < LEAST_VALUES:
        return f"holds {shown}: classes are written 1 and 0, or yes and no"
    return "looks like numbers of records" if _are_keys(cells) else ""


def counts_rows(column: pd.Series) -> bool:
    """Whether a column is 0, 1, 2 ... or 1, 2, 3 ... down the table."""
    cells = column.astype(str).str.strip().tolist()
    return len(cells) >= LEAST_COUNTED and any(
        cells == [str(start + row) for row in range(len(cells))] for start in (0, 1)
    )


def unit_in(name: str) -> str:
    """The unit at the end of a column's name, in brackets (Ki (nM)) or behind the last words (Ki_nM).

    "" where what stands there is none (logD (7.4)).
    """
    found = re.search(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]\s*$", name)
    text = found[1].strip() if found else _last_words(name)
    if not units.is_unit(text) and not _LIKE_A_UNIT.search(text):
        return ""
    is_log = name.lower().startswith("log") and not text.lower().startswith("log")
    return f"log {text}" if is_log else text


def _last_words(name: str) -> str:
    """What follows the first mark between words from where on all is an amount or a mass a volume; or ""."""
    for mark in re.finditer(r"[\s_,;/]+", name):
        known = units.parse_unit(name[mark.end() :])
        if known is not None and known.dimension in ("amount", "mass") and len(name) - mark.end() > 1:
            return name[mark.end() :].strip()
    return ""


def _is_described(name: str) -> bool:
    """Whether a name is that of a description of molecules or records, or of errors of values."""
    ways = (name, name.replace("_", " "), words_of(name))
    return any(NOT_MEASURED.search(way) or ERRORS.search(way) for way in ways)


def _numbers(cells: pd.Series, name: str, decimal: Mark) -> pd.Series:
    """Cells as numbers, NaN where one is none."""
    return pd.Series(read_numbers(cells.to_numpy(dtype=object), name, decimal).value)


def _are_keys(cells: pd.Series) -> bool:
    """Whether cells are long numbers, each there once: registration numbers."""
    return bool(cells.str.fullmatch(r"\d{9,}").all()) and cells.is_unique


def _classes(cells: pd.Series) -> EndpointParams | None:
    """The classes that cells say, None where they say none; a few other words are left out of training."""
    counts = Counter(cells.map(plain_cell).str.lower())
    if set(counts) == {"1", "-1"}:
        return EndpointParams(kind="classification", positive="1", negative=("-1",))
    others = {word: n for word, n in counts.items() if word not in POSITIVE | NEGATIVE}
    few = len(others) <= MOST_OTHERS and sum(others.values()) < len(cells) / 4
    if few and counts.keys() & POSITIVE and counts.keys() & NEGATIVE:
        return EndpointParams(kind="classification")
    if len(counts) == 2:
        for yes, no in (tuple(counts), tuple(counts)[::-1]):
            if no in {prefix + yes for prefix in _NON}:
                return EndpointParams(kind="classification", positive=yes, negative=(no,))
    return None
