"""What the raw table says of the split: given parts, groups, times, carried over to molecules."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolHash

from manywalks.tasks.records import Records, texts

PARTS = {
    "train": "train", "training": "train", "train_val": "train", "trainval": "train", "train_valid": "train",
    "valid": "valid", "validation": "valid", "val": "valid", "test": "test", "testing": "test",
}  # fmt: skip
PRECEDENCE = {"test": 0, "valid": 1, "train": 2}


def given_parts(records: Records) -> np.ndarray | None:
    """Each open record's part (n,) under a column split: train, valid or test; None for other splits.

    A cell that names no part is a ValueError that lists all such cells.
    """
    split = records.params.split
    if split.method != "column" or split.column is None:
        return None
    cells = records.column(split.column)
    unknown = sorted({cell for cell in cells[records.open] if _part_key(cell) not in PARTS})
    if unknown:
        row = int(np.flatnonzero(records.open & np.isin(cells, unknown))[0]) + 1
        listed = ", ".join(repr(cell) for cell in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        raise ValueError(
            f"{records.params.data.path}: column {split.column!r} (split.column) holds {listed} (first in "
            f"record {row}); known are train, train_val, valid, test"
        )
    return np.array([PARTS.get(_part_key(cell), "") for cell in cells], dtype=object)


def _part_key(cell: str) -> str:
    return cell.lower().replace("-", "_").replace(" ", "_")


def tautomer_keys(smiles: Sequence[str]) -> list[str]:
    """A key for each molecule that all of its tautomers share (n,); 0.2 ms each, unlike enumerating them.

    RDKit's hetero-atom tautomer hash: some molecules that are no tautomers share one too, none the reverse
    among prototropic ones, which is the safe side for a split.
    """
    with rdBase.BlockLogs():
        return [_tautomer_key(text) for text in smiles]


def _tautomer_key(smiles: str) -> str:
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise ValueError(f"{smiles!r} is not a molecule; curate the table first")
    Chem.RemoveStereochemistry(mol)
    return rdMolHash.MolHash(mol, rdMolHash.HashFunction.HetAtomTautomerv2)


def settle(records: Records, smiles: np.ndarray, given: np.ndarray) -> None:
    """No molecule, and no tautomer of it, in two given parts: test wins over valid, valid over train.

    The other parts' records are rejected, not moved or averaged in: a published test part stays what it is.
    """
    rows = np.flatnonzero(records.open)
    code, names = pd.factorize(smiles[rows])
    key = pd.factorize(np.array(tautomer_keys(list(names)), dtype=object))[0][code]
    rank = np.array([PRECEDENCE[part] for part in given[rows]])
    best = np.full(int(key.max(initial=-1)) + 1, len(PRECEDENCE))
    np.minimum.at(best, key, rank)
    winners = list(PRECEDENCE)
    for i in np.flatnonzero(rank > best[key]):
        part = winners[best[key[i]]]
        detail = f"is in {given[rows[i]]}; the same molecule or a tautomer of it is in {part}"
        records.reject(rows[i], "other_part", detail)


def split_columns(records: Records, given: np.ndarray | None, rows: np.ndarray, code: np.ndarray) -> dict:
    """The columns split:part, split:group or split:time of the molecules, as the split's method asks.

    Args:
        rows: the open records; code: the molecule of each, numbered by first appearance.
    """
    split = records.params.split
    first = np.unique(code, return_index=True)[1]
    if given is not None:
        return {"split:part": texts(given[rows][first])}
    if split.method == "group" and split.column:
        return {"split:group": texts(records.column(split.column)[rows][first])}
    if split.method == "time" and split.column:
        times = read_times(records.column(split.column), records.params.data.path, split.column)[rows]
        earliest = np.full(len(first), np.inf)
        np.minimum.at(earliest, code, np.where(np.isnan(times), np.inf, times))
        return {"split:time": np.where(np.isinf(earliest), np.nan, earliest)}
    return {}


def read_times(cells: np.ndarray, path: str, column: str) -> np.ndarray:
    """Years or dates as decimal years (n,); NaN where the cell is empty."""
    text = pd.Series(cells, dtype=object)
    filled = text.str.strip() != ""
    numbers = pd.Series(pd.to_numeric(text.where(filled), errors="coerce"))
    years = numbers.between(1000, 3000)
    dates = pd.Series(pd.to_datetime(text.where(filled & ~years), errors="coerce", format="mixed"))
    bad = np.flatnonzero(filled & ~years & dates.isna())
    if len(bad):
        raise ValueError(
            f"{path}: column {column!r} (split.column): {cells[bad[0]]!r} in record {bad[0] + 1} is neither "
            "a year nor a date"
        )
    days = (dates.dt.day_of_year - 1) / (365 + dates.dt.is_leap_year)
    return numbers.where(years, dates.dt.year + days).to_numpy(dtype=np.float64)
