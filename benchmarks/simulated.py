"""Simulated replicates whose covariance is known."""

from typing import NamedTuple

import numpy as np

MOLECULES = 200
_RANK = np.arange(1.0, MOLECULES + 1)


class Setting(NamedTuple):
    """A spectrum of the replicates' covariance (n,), mean 1, and the tails: Student's degrees of freedom."""

    name: str
    spectrum: np.ndarray
    tails: float = np.inf
    together: bool = False

    @property
    def nu(self) -> float:
        """Effective number of directions."""
        return float(self.spectrum.sum() ** 2 / (self.spectrum**2).sum())


def settings() -> list[Setting]:
    """What coverage is measured on; replicates are drawn along the covariance's own axes."""
    unequal = np.exp(1.2 * np.random.default_rng(3).standard_normal(MOLECULES))
    unequal[:2] += [1.5 * unequal.sum() / 10, unequal.sum() / 20]
    one = np.r_[1.0, np.full(MOLECULES - 1, 1e-3)]
    shapes = {"flat": np.ones(MOLECULES), "1/k": 1 / _RANK, "1/k^2": _RANK**-2.0, "one direction": one}
    gaussian = [Setting(name, shape / shape.mean()) for name, shape in shapes.items()]
    gaussian.append(Setting("unequal variances, two directions", unequal / unequal.mean()))
    heavy = [s._replace(name=f"{s.name}, t5 tails", tails=5.0) for s in gaussian[:3]]
    far = gaussian[1]._replace(name="1/k, far replicates (t10)", tails=10.0, together=True)
    return [*gaussian, *heavy, far]


def draw(rng: np.random.Generator, m: int, setting: Setting) -> np.ndarray:
    """(m, n) replicates with mean zero; `together`: a replicate is far at all molecules or at none."""
    z = rng.standard_normal((m, MOLECULES))
    if np.isfinite(setting.tails):
        scales = (m, 1) if setting.together else (m, MOLECULES)
        z /= np.sqrt(rng.chisquare(setting.tails, scales) / (setting.tails - 2))
    return z * np.sqrt(setting.spectrum)


def mean_replicates(rng: np.random.Generator, m: int, setting: Setting, ensembles: int) -> np.ndarray:
    """Means (ensembles, n) of m fresh replicates each."""
    if np.isinf(setting.tails):
        return draw(rng, ensembles, setting) / np.sqrt(m)
    return np.stack([draw(rng, m, setting).mean(axis=0) for _ in range(ensembles)])
