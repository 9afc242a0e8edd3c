"""Predictions that were made before the measurement: how far off, inside the interval or not.

A model is fixed once it is trained, so what it predicts for a molecule today is what it predicted before the
molecule was measured. A measurement counts if the model saw none of that endpoint for that molecule.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.split.clusters import scaffolds

COLUMNS = {
    "endpoint": "str", "smiles": "str", "series": "str", "model": "str", "observed": "float64",
    "predicted": "float64", "sd": "float64", "low": "float64", "high": "float64", "within": "float64",
    "coverage": "float64", "calibration": "int64", "in_domain": "bool",
}  # fmt: skip


class Promise(NamedTuple):
    """What a model says of n molecules at one endpoint, in its unit; a class has no sd and no interval (NaN).

    Attributes:
        predicted: (n,) values, or calibrated probabilities.
        sd: (n,) standard deviation of the error, as predicted.
        low, high: (n,) ends of the interval.
        coverage: share of the measurements that the intervals shall hold.
        calibration: how many series of molecules the intervals were fitted on.
        in_domain: bool (n,).
    """

    predicted: np.ndarray
    sd: np.ndarray
    low: np.ndarray
    high: np.ndarray
    coverage: float
    calibration: int
    in_domain: np.ndarray


def unseen(curated: pd.DataFrame, seen: pd.DataFrame, endpoint: str) -> np.ndarray:
    """Which of n curated molecules have an exact value of the endpoint that a model did not see, bool (n,).

    Args:
        curated: columns smiles, the endpoint, and its relation.
        seen: what the model knew: smiles, and a column of values for each of its endpoints.
    """
    exact = np.isfinite(curated[endpoint].to_numpy(dtype=np.float64))
    exact &= curated[f"{endpoint}:relation"].to_numpy() == "="
    if endpoint not in seen.columns:
        return np.zeros(len(curated), dtype=bool)
    known = seen.loc[np.isfinite(seen[endpoint].to_numpy(dtype=np.float64)), "smiles"]
    return exact & ~curated["smiles"].isin(list(known)).to_numpy()


def judged(
    promise: Promise, observed: np.ndarray, smiles: list[str], *, endpoint: str, model: str
) -> pd.DataFrame:
    """One row per measurement (n), with the columns of `COLUMNS`.

    Args:
        promise: what the model says.
        observed: (n,) measured values, finite.
        smiles: of the molecules.
        endpoint, model: their names.
    """
    within = ((observed >= promise.low) & (observed <= promise.high)).astype(np.float64)
    frame = pd.DataFrame(
        {
            "endpoint": endpoint,
            "smiles": smiles,
            "series": series_of(smiles),
            "model": model,
            "observed": observed,
            "predicted": promise.predicted,
            "sd": promise.sd,
            "low": promise.low,
            "high": promise.high,
            "within": np.where(np.isfinite(promise.low), within, np.nan),
            "coverage": promise.coverage,
            "calibration": promise.calibration,
            "in_domain": promise.in_domain,
        }
    )
    return frame.astype(COLUMNS)


def nothing() -> pd.DataFrame:
    """No measurement."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})


def series_of(smiles: list[str]) -> np.ndarray:
    """The series of n molecules: those of one scaffold; one without a ring is a series by itself."""
    return np.array([own or text for own, text in zip(scaffolds(smiles), smiles, strict=True)], dtype=object)
