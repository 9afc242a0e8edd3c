"""Kept molecules that have no features, listed with their reasons."""

from collections.abc import Mapping

import pandas as pd

from manywalks.featurize.molecule import Failure


def failure_table(curated: pd.DataFrame, failures: Mapping[int, Failure]) -> pd.DataFrame:
    """The molecules without features, in the columns of data/rejected.csv.

    Args:
        curated: the curated table, n rows: record (of the raw table, 1 = first), id, smiles.
        failures: by row of the curated table; a ValueError where no molecule is left.
    """
    rows = sorted(failures)
    there = curated.iloc[rows]
    if rows and len(rows) == len(curated):
        first = failures[rows[0]]
        raise ValueError(
            f"featurize.blocks: none of the {len(rows)} molecules has features; the first is "
            f"{there['smiles'].iloc[0]!r}: {first.reason}: {first.detail}"
        )
    return pd.DataFrame(
        {
            "row": there["record"],
            "id": there["id"],
            "smiles": there["smiles"],
            "reason": [failures[row].reason for row in rows],
            "detail": [failures[row].detail for row in rows],
        }
    )
