"""Look at a raw table: which column holds the SMILES, which are endpoints, and what was assumed."""

import re
from typing import NamedTuple

import pandas as pd
from rdkit import Chem, rdBase

from manywalks.data.chembl import free_name, guess_chembl, wanted
from manywalks.data.guess import hints
from manywalks.data.guess.column import counts_rows, guess_endpoint, why_not
from manywalks.data.guess.companions import filled_cells, find_id, with_companions, words_of
from manywalks.data.numbers import Mark, column_mark
from manywalks.formatting import count
from manywalks.params.load import Params
from manywalks.params.sections.data import DataParams
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.params.sections.split import SplitParams
from manywalks.tables.csv_header import SMILES_NAMES
from manywalks.tables.names import hint, listed
from manywalks.tables.raw import LOOKED_AT

PARTS = {"train", "train_val", "trainval", "training", "valid", "val", "validation", "test"}
LOOKS = (
    hints.doubtful_unit, hints.unread, hints.approximate, hints.written_limits, hints.limits, hints.skewed,
)  # fmt: skip
# columns of which it is said why they are no measurements
MOST_EXPLAINED = 5


class Guess(NamedTuple):
    """Parameters for a table, and a sentence for each thing that was assumed."""

    params: Params
    assumed: list[str]


def guess_params(
    frame: pd.DataFrame, path: str, name: str, *, smiles: str | None = None, sheet: str | None = None
) -> Guess:
    """Parameters for the raw table `frame` (strings); `path` is what params.yaml will say.

    Args:
        smiles: the column of SMILES, where the user names it.
        sheet: of a workbook, where the user names it.

    Raises:
        ValueError: no column of SMILES, or none of measurements; `name` is the table's in the message.
    """
    smiles = _named(frame, smiles, name) if smiles else find_smiles(frame, name)
    part = find_split_column(frame)
    assumed = [f"SMILES: column {smiles!r}"]
    others = [column for column in map(str, frame.columns) if column not in (smiles, part)]
    export = guess_chembl(frame)
    used = set(export.used) if export else set()
    identity = find_id(frame, [c for c in others if c not in used], pd.Series(frame[smiles]))
    assumed.append(f"ids: column {identity!r}" if identity else "ids: no column names the records (data.id)")
    rest = pd.DataFrame(frame[[c for c in others if c != identity]])
    decimal = find_decimal(rest)
    endpoints = export.endpoints if export else guess_endpoints(rest, decimal)
    if not endpoints:
        raise ValueError(f"{name}: has no column of measurements; {_none_measured(rest, decimal)}")
    assumed += export.assumed if export else []
    if export:  # what is said of values is of those that train
        rest = pd.DataFrame(rest[wanted(rest, export.where)])
    else:
        endpoints, taken, said = with_companions(rest, endpoints)
        used |= taken
        assumed += said
        endpoints, said = _logarithms(rest, endpoints, decimal)
        assumed += said
    assumed += _marks(rest, endpoints, decimal)
    assumed += [_sentence(column, endpoint, rest) for column, endpoint in endpoints.items()]
    cells = {name: pd.Series(rest[one.source(name)]) for name, one in endpoints.items()}
    found = [hint(name, one, cells[name], decimal) for name, one in endpoints.items() for hint in LOOKS]
    split, sentence = _split(frame, part)
    used |= {endpoint.source(name) for name, endpoint in endpoints.items()}
    dated = None if part or export else hints.dates(rest, used)
    ignored = [column for column in rest.columns if column not in used]
    assumed += [*filter(None, found), sentence, *([dated] if dated else [])]
    if export:  # its columns are known: none of the others is a measurement that was overlooked
        assumed.append(f"left alone: the other {count(len(ignored), 'column')} of the export")
    else:
        assumed += ["left alone: " + ", ".join(map(repr, ignored))] if ignored else []
        assumed += _left_in_doubt(pd.DataFrame(rest[ignored]), decimal) + hints.errors(ignored)
    data = DataParams(
        path=path,
        smiles=smiles,
        id=identity,
        sheet=sheet,
        decimal=decimal,
        where=export.where if export else {},
        endpoints=endpoints,
    )
    return Guess(Params(data=data, split=split), assumed)


def _logarithms(
    frame: pd.DataFrame, endpoints: dict[str, EndpointParams], decimal: Mark
) -> tuple[dict[str, EndpointParams], list[str]]:
    """Endpoints over many powers of ten as their logarithms, and a sentence for each of those."""
    found, said = {}, []
    taken = {*map(str, frame.columns), *endpoints}
    for name, one in endpoints.items():
        logged = hints.as_logarithm(name, one, pd.Series(frame[one.source(name)]), decimal)
        if logged is None:
            found[name] = one
            continue
        title, changed, why = logged
        title = title if title not in taken else name
        found[title] = changed
        said.append(f"transform of {title!r}: {why}")
    return found, said


def _named(frame: pd.DataFrame, smiles: str, name: str) -> str:
    """The column that the user names."""
    if smiles not in frame.columns:
        raise ValueError(
            f"{name}: no column {smiles!r}; {hint(smiles, [*map(str, frame.columns)])} (change --smiles)"
        )
    return smiles


def _split(frame: pd.DataFrame, part: str | None) -> tuple[SplitParams, str]:
    """The split, and what is said of it."""
    if part:
        cells = filled_cells(pd.Series(frame[part]))
        counts = ", ".join(f"{number:,} {word}" for word, number in cells.value_counts().items())
        return SplitParams(method="column", column=part), f"split: as column {part!r} says ({counts})"
    said = "split: random, 20 % test (split.method: scaffold is the harder test)"
    return SplitParams(method="random"), said


def _marks(frame: pd.DataFrame, endpoints: dict[str, EndpointParams], decimal: Mark) -> list[str]:
    """What is said of decimal marks: a comma, and columns that have the other one."""
    words = {".": "point", ",": "comma"}
    odd = []
    for name, endpoint in endpoints.items():
        column = endpoint.source(name)
        if endpoint.kind == "regression" and column in frame:
            cells = filled_cells(pd.Series(frame[column])).str.lstrip("<>=~ ")
            odd += [repr(column)] if column_mark(cells, decimal) != decimal else []
    if odd:
        other = words["," if decimal == "." else "."]
        return [f"numbers: with a decimal {words[decimal]}, but with a decimal {other} in {', '.join(odd)}"]
    return ["numbers: with a decimal comma"] if decimal == "," else []


def find_decimal(frame: pd.DataFrame) -> Mark:
    """The decimal mark of a table: a comma where most numbers with a mark have that."""
    cells = frame.head(LOOKED_AT).to_numpy(dtype=object).ravel()
    number = r"[<>=~ ]*[+-]?\d+{}\d+"
    points, commas = (
        [cell for cell in cells if re.fullmatch(number.format(mark), cell.strip())] for mark in (r"\.", ",")
    )
    # 1,234 alone is one thousand or so
    decimals = any(not re.search(r",\d{3}$", cell.strip()) for cell in commas)
    return "," if decimals and len(commas) > len(points) else "."


def guess_endpoints(frame: pd.DataFrame, decimal: Mark) -> dict[str, EndpointParams]:
    """The columns that measure something, under names that no other column has."""
    found = {}
    for column in map(str, frame.columns):
        guess = guess_endpoint(pd.Series(frame[column]), column, decimal)
        if guess is None:
            continue
        name = free_name(column)
        found[name] = guess if name == column else guess.model_copy(update={"column": column})
    counted = [name for name, one in found.items() if counts_rows(pd.Series(frame[one.source(name)]))]
    return {name: one for name, one in found.items() if name not in counted or len(counted) == len(found)}


def _none_measured(frame: pd.DataFrame, decimal: Mark) -> str:
    """Why no column of a table is a measurement, with what helps."""
    if frame.empty or not len(frame.columns):
        return "beside structures and ids there is no column; add one"
    said = {column: why_not(pd.Series(frame[column]), column, decimal) for column in map(str, frame.columns)}
    shown = [f"{column!r} {why or 'holds text'}" for column, why in said.items()]
    more = f" and {len(shown) - MOST_EXPLAINED} more columns" if len(shown) > MOST_EXPLAINED else ""
    return f"{'; '.join(shown[:MOST_EXPLAINED])}{more}"


def _left_in_doubt(frame: pd.DataFrame, decimal: Mark) -> list[str]:
    """A sentence for each column that is left alone though it holds numbers."""
    said = {column: why_not(pd.Series(frame[column]), column, decimal) for column in map(str, frame.columns)}
    return [f"not taken: column {column!r} {why}" for column, why in said.items() if "cells (" in why]


def find_smiles(frame: pd.DataFrame, name: str) -> str:
    """The column whose cells RDKit reads as molecules; a well-known name decides between several."""
    known = [str(column) for column in frame.columns if str(column).lower() in SMILES_NAMES]
    # repeats of a molecule, and missing ones, say nothing against a column that is called so
    good = [column for column in known if _share_molecules(pd.Series(frame[column]))[0] > 0.5]
    if good:
        return good[0]
    shares = {str(c): _share_molecules(pd.Series(frame[c])) for c in frame.columns}
    found = {column: share for column, (share, looks) in shares.items() if looks and share > 0.8}
    if found:
        return max(found, key=lambda column: found[column])
    called = [str(column) for column in frame.columns if "smiles" in words_of(str(column)).lower().split()]
    if not called:
        raise ValueError(
            f"{name}: no column holds SMILES; it has {listed([*map(str, frame.columns)])}; name it with "
            "--smiles"
        )
    return called[0]


def _share_molecules(column: pd.Series) -> tuple[float, bool]:
    """Share of the first cells that are molecules, and whether they look like more than letters and words."""
    cells = filled_cells(column).head(LOOKED_AT).tolist()
    if not cells:
        return 0.0, False
    with rdBase.BlockLogs():
        good = sum(
            1 for cell in cells if (mol := Chem.MolFromSmiles(cell)) is not None and mol.GetNumAtoms() > 0
        )
    varied = len(set(cells)) > len(cells) / 4
    # "C" and "CO" are words too: a column of SMILES has bonds and rings in it somewhere
    marked = any(any(mark in cell for mark in "()=#1") for cell in cells)
    return good / len(cells), varied and marked


def find_split_column(frame: pd.DataFrame) -> str | None:
    """The column whose cells are train, valid and test, under any of their usual names."""
    for column in frame.columns:
        cells = set(filled_cells(pd.Series(frame[column])).str.lower())
        if cells and cells <= PARTS and len(cells) > 1:
            return str(column)
    return None


def _sentence(column: str, endpoint: EndpointParams, frame: pd.DataFrame) -> str:
    """What was assumed of one endpoint, and how many records have it."""
    values = count(len(filled_cells(pd.Series(frame[endpoint.source(column)]))), "value")
    unit = f", unit {endpoint.unit!r}" if endpoint.unit else ", no unit (give one as unit:)"
    return f"endpoint {column!r}: {endpoint.kind}{unit if endpoint.kind == 'regression' else ''}, {values}"
