"""By series: how good the model is, and how far a retrained one would be, for molecules with one scaffold.

Molecules of a series are hard or easy together, so 200 molecules of 5 series say about as much as 5.
"""

from typing import Any

import numpy as np

from manywalks.evaluate.statement.statement import Terms
from manywalks.replicates.statistics.bound import difference_bound

# fewer molecules of a series have no error of their own worth reading
LEAST = 3
SHOWN = 20


def by_series(
    series: np.ndarray,
    replicates: np.ndarray,
    error: np.ndarray,
    within: np.ndarray,
    terms: Terms,
) -> dict[str, Any]:
    """Errors, intervals and bounds of each series, worst first.

    Args:
        series: scaffold of each molecule out of sample, str (n,); "" for molecules without a ring.
        replicates: (m, n) in endpoint units.
        error: (n,) predicted less observed, NaN where not measured exactly.
        within: (n,) whether the interval holds the observed value.
        terms: what the statement goes by.

    Returns:
        "series": how many there are; "alone": molecules that are a series by themselves; "effective": the
        number of series of equal size that say as much, (sum of sizes)^2 / sum of squared sizes; "worst": up
        to 20 series of 3 or more measured molecules, by root mean square error.
    """
    names, own, sizes = np.unique(series, return_inverse=True, return_counts=True)
    measured = np.isfinite(error)
    counted = np.bincount(own[measured], minlength=len(names))
    squares = np.bincount(own[measured], weights=error[measured] ** 2, minlength=len(names))
    rms = np.sqrt(squares / np.maximum(counted, 1))
    enough = np.flatnonzero(counted >= LEAST)
    worst = enough[np.argsort(-rms[enough], kind="stable")][:SHOWN]
    return {
        "series": len(names),
        "alone": int((sizes == 1).sum()),
        "effective": float(sizes.sum() ** 2 / np.sum(sizes.astype(np.float64) ** 2)),
        "worst": [
            {
                "scaffold": str(names[number]),
                "molecules": int(sizes[number]),
                "measured": int(counted[number]),
                "error_rms": float(rms[number]),
                "error_mean": float(error[measured & (own == number)].mean()),
                "covered": _covered(within[measured & (own == number)], terms),
                "difference_bound": difference_bound(
                    replicates[:, own == number],
                    terms.confidence,
                    adaptive=terms.adaptive,
                    how=terms.combining,
                ).bound,
            }
            for number in worst
        ],
    }


def _covered(within: np.ndarray, terms: Terms) -> float | None:
    """Share of a series within its intervals; a class has none."""
    return float(within.mean()) if terms.kind == "regression" else None
