"""What the raw table says of the split: given parts, groups, times, carried over to molecules."""

import numpy as np
import pandas as pd

from manywalks.chemistry.tautomers import joined, tautomer_keys
from manywalks.data.dates import read_times
from manywalks.data.records import Records, texts

SUBSETS = {
    "train": "train", "training": "train", "train_val": "train", "trainval": "train", "train_valid": "train",
    "valid": "valid", "validation": "valid", "val": "valid", "test": "test", "testing": "test",
}  # fmt: skip
# the column of the keys that `settle` made
TAUTOMERS = "split:tautomers"
PRECEDENCE = {"test": 0, "valid": 1, "train": 2}


def given_subsets(records: Records) -> np.ndarray | None:
    """Each open record's part (n,) under a column split: train, valid or test; None for other splits.

    A cell that names no part is a ValueError that lists all such cells.
    """
    split = records.params.split
    if split.method != "column" or split.column is None:
        return None
    cells = records.column(split.column)
    unknown = sorted({cell for cell in cells[records.open] if _subset_key(cell) not in SUBSETS})
    if unknown:
        row = int(np.flatnonzero(records.open & np.isin(cells, unknown))[0]) + 1
        listed = ", ".join(repr(cell) for cell in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        raise ValueError(
            f"{records.params.data.path}: column {split.column!r} (split.column) holds {listed} (first in "
            f"record {row}); known are train, train_val, valid, test"
        )
    return np.array([SUBSETS.get(_subset_key(cell), "") for cell in cells], dtype=object)


def _subset_key(cell: str) -> str:
    return cell.lower().replace("-", "_").replace(" ", "_")


def settle(records: Records, smiles: np.ndarray, given: np.ndarray) -> dict[str, str]:
    """No molecule, and no tautomer of it, in two given parts: test wins over valid, valid over train.

    The other parts' records are rejected, not moved or averaged in: a published test subset stays what it is.
    """
    rows = np.flatnonzero(records.open)
    code, names = pd.factorize(smiles[rows])
    keys = tautomer_keys(list(names))
    key = pd.factorize(np.array(keys, dtype=object))[0][code]
    rank = np.array([PRECEDENCE[subset] for subset in given[rows]])
    best = np.full(int(key.max(initial=-1)) + 1, len(PRECEDENCE))
    np.minimum.at(best, key, rank)
    winners = list(PRECEDENCE)
    for i in np.flatnonzero(rank > best[key]):
        subset = winners[best[key[i]]]
        detail = f"is in {given[rows[i]]}; the same molecule or a tautomer of it is in {subset}"
        records.reject(rows[i], "other_subset", detail)
    return dict(zip(names, keys, strict=True))


def split_columns(records: Records, given: np.ndarray | None, rows: np.ndarray, code: np.ndarray) -> dict:
    """The columns split:subset, split:group or split:time of the molecules, as the split's method asks.

    Args:
        rows: the open records; code: the molecule of each, numbered by first appearance.
    """
    split = records.params.split
    first = np.unique(code, return_index=True)[1]
    if given is not None:
        return {"split:subset": texts(given[rows][first])}
    if split.method == "group" and split.column:
        return {"split:group": texts(_joined_groups(code, records.column(split.column)[rows]))}
    if split.method == "time" and split.column:
        times = read_times(records.column(split.column), records.params.data.path, split.column)[rows]
        earliest = np.full(len(first), np.inf)
        np.minimum.at(earliest, code, np.where(np.isnan(times), np.inf, times))
        return {"split:time": np.where(np.isinf(earliest), np.nan, earliest)}
    return {}


def _joined_groups(code: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The group of each molecule (m,), "" where it has none; `code` and `cells` are the records' (r,).

    A molecule measured in two groups makes one group of them, or it would leave its fellows of one of them in
    another part. The first name in the alphabet stands for all: the order of the rows says nothing.
    """
    found = np.full(int(code.max(initial=-1)) + 1, "", dtype=object)
    filled = np.flatnonzero(cells != "")
    if len(filled):
        whole = joined([code[filled].astype(str).tolist(), cells[filled].tolist()])
        first = pd.Series(cells[filled]).groupby(whole).transform("min")
        found[code[filled]] = first.to_numpy(dtype=object)
    return found
