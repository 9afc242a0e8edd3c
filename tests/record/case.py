"""Nights of a record, made by hand."""

from typing import Any

import numpy as np
import pandas as pd

from manywalks.record.prospective import Promise, judged


def night(number: int, champion: str = "2026-01-01-aaaaaa", **changes: Any) -> dict[str, Any]:
    """One run, `number` days after the first."""
    one = {"kind": "regression", "unit": "log10 mol/L", "metric": "rmse", "score": 0.6, "n_test": 40,
           "bound": 0.04, "churn": 0.1, "churn_molecules": 50, "coverage": 0.9}  # fmt: skip
    when = pd.Timestamp("2026-01-01T02:00:00+00:00") + pd.Timedelta(days=number)
    return {
        "when": when.isoformat(), "data": "abcd1234", "molecules": 500 + number, "replicates": 8,
        "challenger": f"{when:%Y-%m-%d}-{number:06d}", "champion": champion, "judged_by": champion,
        "promoted": False, "reason": "logS equivalent", "rebuilt": False, "endpoints": {"logS": one},
        **changes,
    }  # fmt: skip


def came(smiles: list[str], error: float = 0.0, *, endpoint: str = "logS") -> pd.DataFrame:
    """Measurements that are so far above their predictions of 1, whose intervals are 1 ± 1."""
    n = len(smiles)
    predicted, sd, low, high = (np.full(n, value) for value in (1.0, 0.6, 0.0, 2.0))
    promise = Promise(predicted, sd, low, high, 0.9, 400, np.ones(n, dtype=bool))
    return judged(promise, np.full(n, 1.0 + error), smiles, endpoint=endpoint, model="2026-01-01-aaaaaa")
