"""Simulated data sets and quick learners in place of networks, for the validity of `manywalks compare`."""

from dataclasses import dataclass

import numpy as np

N, FEATURES, REPLICATES, REPEATS, FOLDS = 200, 12, 8, 5, 5


@dataclass(frozen=True)
class World:
    """How a simulated data set and its learners are made.

    Attributes:
        name: as the table shows it.
        groups: features that each configuration sees, by group number; two groups hold equal signal.
        gain: signal of one more feature, which group 2 has beside those of group 0.
        tails: degrees of freedom of the noise.
    """

    name: str
    groups: tuple[int, ...]
    gain: float = 0.0
    tails: float = np.inf


WORLDS = (
    World("the same, 2 configurations", (0, 0)),
    World("the same, 4 configurations", (0, 0, 0, 0)),
    World("twins, 2 configurations", (0, 1)),
    World("twins, 4 configurations", (0, 1, 0, 1)),
    World("twins, noise of heavy tails (t3)", (0, 1), tails=3.0),
)
POWER = tuple(World(f"{gain:g}", (2, 0), gain=gain) for gain in (0.3, 0.45, 0.6, 0.8))


def draw_world(rng: np.random.Generator, world: World) -> tuple[list[np.ndarray], np.ndarray]:
    """Features (n, d) of each group and values (n,); groups 0 and 1 carry the same share of the signal."""
    x = rng.standard_normal((N, 2, FEATURES))
    extra = rng.standard_normal(N)
    weights = rng.standard_normal(FEATURES)
    weights /= np.linalg.norm(weights)  # the same for both groups: neither is easier to learn
    noise = rng.standard_normal(N) if np.isinf(world.tails) else rng.standard_t(world.tails, N) / np.sqrt(3)
    y = (x[:, 0] + x[:, 1]) @ weights + world.gain * extra + noise
    return [x[:, 0], x[:, 1], np.column_stack([x[:, 0], extra])], y


def replicates_of(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """(REPLICATES, n_test) predictions of ridge regressions, each on two thirds of the features."""
    found = []
    for _ in range(REPLICATES):
        seen = rng.permutation(x.shape[1])[: 2 * x.shape[1] // 3]
        a = x[train][:, seen]
        beta = np.linalg.solve(a.T @ a + 3 * np.eye(len(seen)), a.T @ y[train])
        found.append(x[test][:, seen] @ beta)
    return np.stack(found)


def folds_of(rng: np.random.Generator) -> list[np.ndarray]:
    """Test rows of a repeated k-fold."""
    return [part for _ in range(REPEATS) for part in np.array_split(rng.permutation(N), FOLDS)]
