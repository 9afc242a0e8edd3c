"""A Gaussian process of the gains: what a search believes of settings that it has not tried.

Its prior is a sum: an effect of each key by itself, and one of all keys together. Each trial counts by its
own error, so a trial that ended early, with few splits, says less than one that was trained to the end.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve
from scipy.special import ndtr

# how far apart values are that have little to do with each other, in ranges: for a key by itself, and for all
OWN_LENGTH, JOINT_LENGTH = 0.35, 0.7
# how different two choices are, in the same lengths
OWN_CHOICE, JOINT_CHOICE = 2.0, 0.45
# variances of both parts that are tried, as shares of the gains' variance; the likeliest are taken
OWN_SHARES, JOINT_SHARES = (0.3, 1.0, 3.0, 10.0), (0.05, 0.3, 1.0)
JITTER = 1e-4


@dataclass(frozen=True)
class Surrogate:
    """What is believed after some trials.

    Attributes:
        points: (n, k) settings; a range's value as its place 0 to 1, a choice's number, NaN where the key
            does not apply.
        choices: bool (k,), whether a key has choices.
        variances: of the prior's two parts.
        mean: of the gains, before anything is known of the settings.
        factor: (n, n) Cholesky factor of the gains' covariance.
        weights: (n,) what each trial adds to a prediction.
    """

    points: np.ndarray
    choices: np.ndarray
    variances: tuple[float, float]
    mean: float
    factor: np.ndarray
    weights: np.ndarray

    @classmethod
    def fit(
        cls, points: np.ndarray, choices: np.ndarray, gains: np.ndarray, errors: np.ndarray
    ) -> "Surrogate":
        """From (n, k) settings, their gains (n,) and standard errors (n,); the likeliest prior of some."""
        parts = _parts(points, points, choices)
        scale = float(np.var(gains)) or 1.0
        noise = errors**2 + JITTER * scale
        found = [
            _solved(parts, (own * scale, joint * scale), gains, noise)
            for own in OWN_SHARES
            for joint in JOINT_SHARES
        ]
        _, variances, mean, factor, weights = max(found, key=lambda one: one[0])
        return cls(points, choices, variances, mean, factor, weights)

    def believed(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the gain at (m, k) settings: (m,) each."""
        shared = self._covariance(points)
        own = sum(self.variances) - np.einsum("ij,ji->i", shared, cho_solve((self.factor, True), shared.T))
        return self.mean + shared @ self.weights, np.sqrt(np.maximum(own, 1e-12 * sum(self.variances)))

    def expecting(self, points: np.ndarray) -> "Surrogate":
        """The same, as if (m, k) settings that are still being trained had come out as is believed."""
        if not len(points):
            return self
        every = np.vstack([self.points, points])
        gains = np.concatenate([self._gains(), self.believed(points)[0]])
        noise = np.concatenate([self._noise(), np.full(len(points), JITTER * sum(self.variances))])
        parts = _parts(every, every, self.choices)
        _, variances, mean, factor, weights = _solved(parts, self.variances, gains, noise, self.mean)
        return Surrogate(every, self.choices, variances, mean, factor, weights)

    def improvement(self, points: np.ndarray) -> np.ndarray:
        """By how much (m, k) settings are expected to be better than the best that were tried: (m,)."""
        best = self.believed(self.points)[0].max()
        mean, sd = self.believed(points)
        z = (mean - best) / sd
        return sd * (z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))

    def _covariance(self, points: np.ndarray) -> np.ndarray:
        """(m, k) settings and those tried: (m, n)."""
        own, joint = _parts(points, self.points, self.choices)
        return self.variances[0] * own + self.variances[1] * joint

    def _gains(self) -> np.ndarray:
        """The gains (n,) that were given."""
        return self.mean + self.factor @ (self.factor.T @ self.weights)

    def _noise(self) -> np.ndarray:
        """Their squared errors (n,)."""
        return np.diag(self.factor @ self.factor.T) - sum(self.variances)


def _parts(one: np.ndarray, other: np.ndarray, choices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How alike (n, k) and (m, k) settings are, at most 1: the mean over keys, and all keys; (n, m) each."""
    apart = np.abs(one[:, None] - other[None])
    absent = np.isnan(one)[:, None] ^ np.isnan(other)[None]
    # as far apart as both ends of a range; a key that applies to neither makes no difference
    apart = np.where(absent, 1.0, np.nan_to_num(apart))
    own = np.where(choices, OWN_CHOICE * (apart > 0), (apart / OWN_LENGTH) ** 2)
    joint = np.where(choices, JOINT_CHOICE * (apart > 0), (apart / JOINT_LENGTH) ** 2)
    return np.exp(-own / 2).mean(axis=-1), np.exp(-joint.sum(axis=-1) / 2)


def _solved(
    parts: tuple[np.ndarray, np.ndarray],
    variances: tuple[float, float],
    gains: np.ndarray,
    noise: np.ndarray,
    mean: float | None = None,
) -> tuple[float, tuple[float, float], float, np.ndarray, np.ndarray]:
    """Log-likelihood, variances, mean (the likeliest, if none is given), Cholesky factor and weights (n,)."""
    factor = np.linalg.cholesky(variances[0] * parts[0] + variances[1] * parts[1] + np.diag(noise))
    if mean is None:
        ones = cho_solve((factor, True), np.ones(len(gains)))
        mean = float(ones @ gains / ones.sum())
    weights = cho_solve((factor, True), gains - mean)
    likelihood = float(-0.5 * (gains - mean) @ weights - np.log(np.diag(factor)).sum())
    return likelihood, variances, mean, factor, weights
