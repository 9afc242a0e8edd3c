"""What changed between two versions of the raw table, molecule by molecule after curation."""

from typing import Any

import numpy as np
import pandas as pd

from manywalks.tasks.curate import curate_table
from manywalks.tasks.params import Params

LARGEST = 10


def diff_tables(old: pd.DataFrame, new: pd.DataFrame, params: Params) -> dict[str, Any]:
    """Molecules added, removed and changed between two raw tables of text cells.

    Both are curated with `params`, so a molecule that is merely written otherwise is the same one.

    Returns:
        Counts, the SMILES added and removed, and per endpoint the values that changed, largest first.
    """
    before = curate_table(old, params).molecules.set_index("smiles")
    after = curate_table(new, params).molecules.set_index("smiles")
    both = before.index.intersection(after.index)
    return {
        "before": len(before),
        "after": len(after),
        "added": after.index.difference(before.index).tolist(),
        "removed": before.index.difference(after.index).tolist(),
        "endpoints": {
            name: _changes(before.loc[both], after.loc[both], name) for name in params.data.endpoints
        },
    }


def _changes(before: pd.DataFrame, after: pd.DataFrame, name: str) -> dict[str, Any]:
    """Values of one endpoint that differ, were measured since, or are measured no more."""
    old, new = (table[name].to_numpy(dtype=np.float64) for table in (before, after))
    relation = before[f"{name}:relation"].to_numpy() != after[f"{name}:relation"].to_numpy()
    measured = np.isfinite(old) & np.isfinite(new)
    changed = measured & (~np.isclose(old, new, rtol=1e-9, atol=1e-12) | relation)
    largest = np.argsort(-np.abs(np.where(changed, new - old, 0)), kind="stable")[:LARGEST]
    return {
        "changed": int(changed.sum()),
        "measured_since": int((~np.isfinite(old) & np.isfinite(new)).sum()),
        "measured_no_more": int((np.isfinite(old) & ~np.isfinite(new)).sum()),
        "largest": [
            {"smiles": before.index[row], "before": old[row], "after": new[row]}
            for row in largest
            if changed[row]
        ],
    }
