"""Simulated molecules, and replicates: random functions in which molecules of a scaffold move together."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

COUNTS = (2, 4, 8, 16, 32, 64)
DIRECTIONS, SCAFFOLDS, MOLECULES = 40, 100, 4000
Rows = Callable[["World", np.random.Generator], np.ndarray]


class World(NamedTuple):
    """Molecules (n): loadings (n, k) of the random directions, true values, scaffolds, and which are far."""

    loadings: np.ndarray
    centre: np.ndarray
    scaffold: np.ndarray
    far: np.ndarray

    def replicates(self, rng: np.random.Generator, m: int, rows: np.ndarray) -> np.ndarray:
        """(m, n) replicates at some molecules."""
        z = rng.standard_normal((m, DIRECTIONS))
        return (
            self.centre[rows]
            + z @ self.loadings[rows].T
            + self.alone(rows) * rng.standard_normal((m, rows.size))
        )

    def alone(self, rows: np.ndarray) -> np.ndarray:
        """Standard deviation (n,) of what a replicate does at each molecule alone."""
        return 0.3 * self.loadings[rows].std(axis=1)

    def spread(self, rows: np.ndarray) -> float:
        """Spread of the replicates, root mean square over some molecules."""
        return float(np.sqrt(np.mean((self.loadings[rows] ** 2).sum(axis=1) + self.alone(rows) ** 2)))


def world() -> World:
    """The molecules, the same in every run."""
    rng = np.random.default_rng(5)
    spectrum = 1 / np.sqrt(np.arange(1.0, DIRECTIONS + 1))
    scaffold = np.arange(MOLECULES) % SCAFFOLDS
    shared, alone = rng.normal(size=(SCAFFOLDS, DIRECTIONS)), rng.normal(size=(MOLECULES, DIRECTIONS))
    far = rng.random(MOLECULES) < 0.25
    scale = 0.1 * np.exp(0.4 * rng.normal(size=MOLECULES)) * np.where(far, 3.0, 1.0)
    loadings = (shared[scaffold] + alone) * spectrum * scale[:, None]
    return World(loadings, rng.normal(size=MOLECULES), scaffold, far)


def some(size: int, where: Callable[[World], np.ndarray]) -> Rows:
    """So many of the molecules that `where` names."""
    return lambda here, rng: rng.choice(np.flatnonzero(where(here)), size, replace=False)


def like_reference(here: World) -> np.ndarray:
    """Molecules of the scaffolds and at the distances of the valid and test molecules."""
    return (here.scaffold < SCAFFOLDS // 2) & ~here.far


LISTS: dict[str, Rows] = {
    "20 molecules": some(20, lambda here: here.scaffold < 50),
    "100 molecules": some(100, lambda here: here.scaffold < 50),
    "100 far ones": some(100, lambda here: here.far),
    "100 of other scaffolds": some(100, lambda here: here.scaffold >= 50),
    "one series of 20": lambda here, rng: rng.choice(
        np.flatnonzero(here.scaffold == rng.integers(SCAFFOLDS)), 20, replace=False
    ),
}
# lists at which the bound of the valid and test molecules is tried; the reference is like the first two
ELSEWHERE: dict[str, Rows] = {
    "100 molecules like them": some(100, like_reference),
    "20 molecules like them": some(20, like_reference),
    "one molecule": some(20, like_reference),
    "100 of other scaffolds": some(100, lambda here: (here.scaffold >= SCAFFOLDS // 2) & ~here.far),
    "100 far ones": some(100, lambda here: here.far),
}
