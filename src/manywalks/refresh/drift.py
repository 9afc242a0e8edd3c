"""Whether new data is like the data that a model was trained on: structures and values."""

from typing import Any

import numpy as np

BINS = 10
LEVEL = 0.01
# a bin that one side leaves empty would make the index infinite
_LEAST_SHARE = 1e-3


def value_drift(old: np.ndarray, new: np.ndarray) -> dict[str, Any]:
    """Shift of an endpoint's distribution.

    Args:
        old: values that the model was trained on (NaN: not measured).
        new: values measured since.

    Returns:
        old, new (how many), ks (largest distance of the cumulative shares), p (of that, were both one
        distribution; exact for classes), psi (population stability index: under 0.1 little, over 0.2 much);
        None where either side has fewer than 5 values.
    """
    from scipy import stats  # half a second to import

    old, new = old[np.isfinite(old)], new[np.isfinite(new)]
    found: dict[str, Any] = {"old": old.size, "new": new.size, "ks": None, "p": None, "psi": None}
    if min(old.size, new.size) < 5:
        return found
    if set(np.unique(old)) | set(np.unique(new)) <= {0.0, 1.0}:
        return {**found, **_class_drift(old, new)}
    test: Any = stats.ks_2samp(old, new, method="asymp")
    return {**found, "ks": float(test.statistic), "p": float(test.pvalue), "psi": psi(old, new)}


def _class_drift(old: np.ndarray, new: np.ndarray) -> dict[str, float]:
    """Shift of the share of class 1, by Fisher's exact test."""
    from scipy import stats  # half a second to import

    counts = np.array([[np.sum(side == value) for value in (0.0, 1.0)] for side in (old, new)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    test: Any = stats.fisher_exact(counts)
    return {
        "ks": float(abs(shares[1, 1] - shares[0, 1])),
        "p": float(test.pvalue),
        "psi": _index(shares[0], shares[1]),
    }


def psi(old: np.ndarray, new: np.ndarray) -> float:
    """Population stability index over bins of equally many old values."""
    values = np.unique(old)
    edges = (
        (values[1:] + values[:-1]) / 2
        if values.size <= BINS
        else np.unique(np.quantile(old, np.linspace(0, 1, BINS + 1)[1:-1]))
    )
    shares = [
        np.bincount(np.searchsorted(edges, side), minlength=edges.size + 1) / side.size for side in (old, new)
    ]
    return _index(shares[0], shares[1])


def _index(old: np.ndarray, new: np.ndarray) -> float:
    """Population stability index of the shares in each bin."""
    before, after = np.maximum(old, _LEAST_SHARE), np.maximum(new, _LEAST_SHARE)
    return float(np.sum((after - before) * np.log(after / before)))


def structure_drift(similarity: np.ndarray, in_domain: np.ndarray) -> dict[str, Any]:
    """Distance of new molecules from the training set.

    Args:
        similarity: (n,) Tanimoto to the nearest training molecule, NaN without a fingerprint.
        in_domain: (n,) whether each lies in the model's domain.
    """
    known = similarity[np.isfinite(similarity)]
    return {
        "molecules": int(in_domain.size),
        "outside": float(1 - in_domain.mean()) if in_domain.size else None,
        "similarity_median": float(np.median(known)) if known.size else None,
        "similarity_low": float(np.quantile(known, 0.05)) if known.size else None,
    }


def warnings_of(
    structures: dict[str, Any], values: dict[str, dict[str, Any]], most_outside: float, most_psi: float
) -> list[str]:
    """A sentence for everything over its threshold."""
    found = []
    if structures["outside"] is not None and structures["outside"] > most_outside:
        found.append(
            f"{structures['outside']:.0%} of {structures['molecules']} new molecules lie outside the domain "
            f"of the champion (threshold {most_outside:.0%}, refresh.drift_outside_share)"
        )
    for name, one in values.items():
        # few values scatter the index: what chance alone would do is no drift
        if one["psi"] is not None and one["psi"] > most_psi and one["p"] < LEVEL:
            found.append(
                f"{name}: new values are distributed otherwise: population stability index {one['psi']:.2f} "
                f"(threshold {most_psi:g}, refresh.drift_psi), KS distance {one['ks']:.2f}"
            )
    return found
