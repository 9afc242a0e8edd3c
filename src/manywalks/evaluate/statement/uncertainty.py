"""How good stated uncertainties are: scores of predicted standard deviations and of probabilities.

A score alone says little, since it depends on how many molecules there are and how their predicted standard
deviations differ; beside each stands what it would be if errors were drawn as stated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from manywalks.evaluate.scores import spearman

_SIMULATIONS = 500
_GRID = np.linspace(0.01, 0.99, 99)


def gaussian_scores(error: np.ndarray, sd: np.ndarray) -> dict[str, Any]:
    """Scores of errors (n,) against the standard deviations (n,) that were stated for them.

    Returns:
        nll, crps, ence, miscalibration_area, spearman (of |error| and sd; None where sd is constant), each
        {"value", "expected", "low", "high"}: expected and central 95 % over simulated errors N(0, sd^2).
    """
    draws = np.random.default_rng(0)  # simulations of the reference are no part of any replicate
    simulated = draws.standard_normal((_SIMULATIONS, error.size)) * sd
    found = {}
    for name, score in _SCORES.items():
        value = score(error, sd)
        reference = [score(drawn, sd) for drawn in simulated] if value is not None else []
        known = [one for one in reference if one is not None]
        low, high = np.quantile(known, [0.025, 0.975]).tolist() if known else (None, None)
        expected = float(np.mean(known)) if known else None
        found[name] = {"value": value, "expected": expected, "low": low, "high": high}
    return found


def nll(error: np.ndarray, sd: np.ndarray) -> float:
    """Mean negative logarithm of the Gaussian density at the error, in nats."""
    return float(np.mean(0.5 * np.log(2 * np.pi * sd**2) + 0.5 * (error / sd) ** 2))


def crps(error: np.ndarray, sd: np.ndarray) -> float:
    """Mean continuous ranked probability score of Gaussians, in the endpoint's unit."""
    z = error / sd
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    scores = z * (2 * special.ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)
    return float(np.mean(sd * scores))


def ence(error: np.ndarray, sd: np.ndarray) -> float | None:
    """Expected normalized calibration error: mean over bins of sd of |rms error / rms sd - 1|.

    10 to 20 bins of equally many molecules, 5 at least in each; None below 50 molecules.
    """
    if error.size < 50:
        return None
    order = np.argsort(sd, kind="stable")
    bins = np.array_split(order, int(np.clip(error.size // 20, 10, 20)))
    ratios = [np.sqrt(np.mean(error[own] ** 2) / np.mean(sd[own] ** 2)) for own in bins]
    return float(np.mean(np.abs(np.array(ratios) - 1)))


def miscalibration_area(error: np.ndarray, sd: np.ndarray) -> float:
    """Area between the diagonal and the curve of observed over stated shares: 0 to 0.5."""
    below = np.sort(special.ndtr(error / sd))
    observed = np.searchsorted(below, _GRID, side="right") / error.size
    return float(np.mean(np.abs(observed - _GRID)))


def error_rank(error: np.ndarray, sd: np.ndarray) -> float | None:
    """Spearman's correlation of |error| and sd; None where one is constant."""
    return spearman(np.abs(error), sd)


_SCORES: dict[str, Callable[[np.ndarray, np.ndarray], float | None]] = {
    "nll": nll,
    "crps": crps,
    "ence": ence,
    "miscalibration_area": miscalibration_area,
    "spearman": error_rank,
}


def binomial_interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share of n."""
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high


def reliability(positive: np.ndarray, probability: np.ndarray) -> list[dict[str, Any]]:
    """Mean probability and share of class 1 in up to 10 bins of equally many molecules."""
    order = np.argsort(probability, kind="stable")
    bins = np.array_split(order, max(1, min(10, positive.size // 10)))
    return [
        {
            "molecules": int(own.size),
            "probability": float(probability[own].mean()),
            "positive": float(positive[own].mean()),
        }
        for own in bins
        if own.size
    ]


def expected_calibration_error(positive: np.ndarray, probability: np.ndarray) -> float | None:
    """Mean over molecules of |share of class 1 - mean probability| in their bin of `reliability`."""
    if positive.size == 0:
        return None
    bins = reliability(positive, probability)
    gaps = [row["molecules"] * abs(row["positive"] - row["probability"]) for row in bins]
    return float(sum(gaps) / positive.size)


def perfect_calibration_error(probability: np.ndarray) -> tuple[float, float] | None:
    """What `expected_calibration_error` is for classes drawn by these (n,) probabilities: mean, 97.5 % point.

    With few molecules it is far from 0: about 0.1 for 100 molecules.
    """
    if probability.size == 0:
        return None
    draws = np.random.default_rng(0)  # simulations of the reference are no part of any replicate
    found = [
        expected_calibration_error(draws.random(probability.size) < probability, probability)
        for _ in range(_SIMULATIONS)
    ]
    errors = np.array(found, dtype=np.float64)
    return float(errors.mean()), float(np.quantile(errors, 0.975))


def mutual_information(probabilities: np.ndarray) -> float:
    """What replicates disagree on: entropy of the mean less mean entropy of (m, n) probabilities, in nats."""
    return float(np.mean(_entropy(probabilities.mean(axis=0)) - _entropy(probabilities).mean(axis=0)))


def _entropy(p: np.ndarray) -> np.ndarray:
    """Entropy of Bernoulli variables, in nats."""
    p = np.clip(np.asarray(p, dtype=np.float64), 1e-12, 1 - 1e-12)
    return -(p * np.log(p) + (1 - p) * np.log1p(-p))
