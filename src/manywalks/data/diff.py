"""What changed between two versions of the raw table, molecule by molecule after curation."""

from typing import Any

import numpy as np
import pandas as pd

from manywalks.data.curate import curate_table
from manywalks.params.load import Params


def diff_tables(old: pd.DataFrame, new: pd.DataFrame, params: Params) -> dict[str, Any]:
    """Molecules added, removed and changed between two raw tables of text cells.

    Both are curated with `params`, so a molecule that is merely written otherwise is the same one.

    Returns:
        Counts, the SMILES added and removed, and per endpoint every value or relation that changed, the
        largest change first.
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
    relations = [table[f"{name}:relation"].to_numpy() for table in (before, after)]
    measured = np.isfinite(old) & np.isfinite(new)
    changed = measured & (~np.isclose(old, new, rtol=1e-9, atol=1e-12) | (relations[0] != relations[1]))
    rows = np.flatnonzero(changed)
    rows = rows[np.argsort(-np.abs(new - old)[rows], kind="stable")]
    return {
        "changed": len(rows),
        "measured_since": int((~np.isfinite(old) & np.isfinite(new)).sum()),
        "measured_no_more": int((np.isfinite(old) & ~np.isfinite(new)).sum()),
        "changes": [
            {
                "smiles": before.index[row],
                "before": old[row],
                "before_relation": relations[0][row],
                "after": new[row],
                "after_relation": relations[1][row],
            }
            for row in rows
        ],
    }
