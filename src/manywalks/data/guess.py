"""Look at a raw table: which column holds the SMILES, which are endpoints, and what was assumed."""

import re
from collections import Counter
from typing import NamedTuple

import pandas as pd
from rdkit import Chem, rdBase

from manywalks import units
from manywalks.data import hints
from manywalks.data.cells import plain_cell, read_numbers
from manywalks.data.chembl import free_name, guess_chembl
from manywalks.data.companions import (
    filled_cells,
    find_id,
    is_relation,
    is_unit,
    owner_of,
    with_unit_column,
    words_of,
)
from manywalks.data.numbers import Mark, column_mark
from manywalks.formatting import count
from manywalks.params.data import DataParams
from manywalks.params.endpoint import EndpointParams
from manywalks.params.load import Params
from manywalks.params.split import SplitParams
from manywalks.tables.csv_header import SMILES_NAMES
from manywalks.tables.names import hint, listed
from manywalks.tables.reader import LOOKED_AT

PARTS = {"train", "train_val", "trainval", "training", "valid", "val", "validation", "test"}
# Columns that describe a molecule or a row; not what an assay measured.
NOT_MEASURED = re.compile(
    r"\b(id|cid|name|title|cas|index|row|number of|minimum degree|molecular weight"
    r"|mw|mass|alogp|clogp|xlogp|tpsa|psa"
    r"|polar surface area|ring|rings|rotatable|hbd|hba|predicted|prediction|weight|year|date"
    r"|max phase|violations|ligand efficiency|duplicate)\b"
    r"|^unnamed|_id$|^id_",
    re.IGNORECASE,
)
# other words in a column of classes
MOST_OTHERS = 5
# of units that are not converted
_LIKE_A_UNIT = re.compile(r"[%/°]|(^|[ *·^])([munp]?(s|L|g|m|V)|h|hr|min|d|mol|kcal|kJ)\b")
CLASSES = ({"0", "1"}, {"true", "false"}, {"active", "inactive"}, {"yes", "no"})


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
        raise ValueError(f"{name}: no column of measurements among {listed(others)}; add one")
    assumed += export.assumed if export else []
    if not export:
        endpoints, taken, said = with_companions(rest, endpoints)
        used |= taken
        assumed += said
        endpoints, said = _logarithms(rest, endpoints, decimal)
        assumed += said
    assumed += _marks(rest, endpoints, decimal)
    assumed += [_sentence(column, endpoint, rest) for column, endpoint in endpoints.items()]
    cells = {name: pd.Series(rest[one.source(name)]) for name, one in endpoints.items()}
    found = [hints.limits(name, one, cells[name], decimal) for name, one in endpoints.items()]
    split, sentence = _split(part)
    used |= {endpoint.source(name) for name, endpoint in endpoints.items()}
    dated = None if part or export else hints.dates(rest, used)
    ignored = [column for column in rest.columns if column not in used]
    assumed += [*filter(None, found), sentence, *([dated] if dated else [])]
    assumed += ["left alone: " + ", ".join(map(repr, ignored))] if ignored else []
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


def _split(part: str | None) -> tuple[SplitParams, str]:
    """The split, and what is said of it."""
    if part:
        return SplitParams(method="column", column=part), f"split: column {part!r} says train and test"
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


def with_companions(
    frame: pd.DataFrame, endpoints: dict[str, EndpointParams]
) -> tuple[dict[str, EndpointParams], set[str], list[str]]:
    """Endpoints with their columns of relations and units, the columns used, and a sentence for each."""
    found, used, said = dict(endpoints), set(), []
    numeric = {name: one for name, one in endpoints.items() if one.kind == "regression"}
    values = {one.source(name) for name, one in endpoints.items()}
    for column in (c for c in map(str, frame.columns) if c not in values):
        cells = pd.Series(frame[column])
        what = "relation" if is_relation(cells) else "unit" if is_unit(cells, column) else ""
        if not what or not numeric:
            continue
        owner = owner_of(column, numeric)
        held = ", ".join(sorted(set(filled_cells(cells)))[:6])
        if owner is None:
            said.append(
                f"{what}s: column {column!r} holds {held}; whose {what}s they are is not known: name it as "
                f"{what}_column of its endpoint, or its values are taken as they are"
            )
            used.add(column)
            continue
        if what == "relation":
            found[owner] = found[owner].model_copy(update={"relation_column": column})
        else:
            found[owner] = with_unit_column(owner, found[owner], column, cells)
        used.add(column)
        said.append(f"{what}s of {owner!r}: column {column!r} ({held})")
    return found, used, said


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
    return found


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


def guess_endpoint(column: pd.Series, name: str, decimal: Mark = ".") -> EndpointParams | None:
    """What a column measures, None where it seems to measure nothing."""
    if NOT_MEASURED.search(name.replace("_", " ")) or NOT_MEASURED.search(name):
        return None
    cells = filled_cells(column)
    if len(cells) == 0 or is_relation(column):
        return None
    values = set(cells.map(plain_cell).str.lower())
    if values == {"1", "-1"}:
        return EndpointParams(kind="classification", positive="1", negative=("-1",))
    if _are_classes(cells.map(plain_cell).str.lower()):
        return EndpointParams(kind="classification")
    numbers = pd.Series(read_numbers(cells.to_numpy(dtype=object), name, decimal).value)
    if numbers.notna().mean() < 0.9 or numbers.nunique() < 5:
        return None
    return EndpointParams(kind="regression", unit=_unit_in(name))


def _are_classes(words: pd.Series) -> bool:
    """Whether cells are the two words of a class, with a few others that training leaves out."""
    counts = Counter(words)
    for pair in CLASSES:
        others = {word: count for word, count in counts.items() if word not in pair}
        if pair <= counts.keys() and len(others) <= MOST_OTHERS and sum(others.values()) < len(words) / 4:
            return True
    return False


def _unit_in(name: str) -> str:
    """The unit in brackets at the end of a column's name; "" where what stands there is none (logD (7.4))."""
    found = re.search(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]\s*$", name)
    text = found[1].strip() if found else ""
    if not units.is_unit(text) and not _LIKE_A_UNIT.search(text):
        return ""
    is_log = name.lower().startswith("log") and not text.lower().startswith("log")
    return f"log {text}" if is_log else text


def _sentence(column: str, endpoint: EndpointParams, frame: pd.DataFrame) -> str:
    """What was assumed of one endpoint, and how many records have it."""
    values = count(len(filled_cells(pd.Series(frame[endpoint.source(column)]))), "value")
    unit = f", unit {endpoint.unit!r}" if endpoint.unit else ", no unit (give one as unit:)"
    return f"endpoint {column!r}: {endpoint.kind}{unit if endpoint.kind == 'regression' else ''}, {values}"
