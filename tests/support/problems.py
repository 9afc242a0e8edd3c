"""Small problems for the engines' tests."""

from typing import Any

import numpy as np
from scipy import sparse

from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams, TrainParams
from manywalks.train.problem import Problem
from manywalks.train.targets import Targets

N, COUNTS, DESCRIPTORS = 200, 60, 9
NETWORK: dict[str, Any] = {"widths": (16, 8), "activation": "tanh", "normalization": "none", "dropout": 0.0}
TRAIN: dict[str, Any] = {
    "loss": "auto", "optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 1e-4, "l2": 0.0,
    "schedule": "cosine", "epochs": 5, "batch_size": 16, "early_stopping": None,
}  # fmt: skip


def small_problem(
    network: dict[str, Any] | None = None,
    train: dict[str, Any] | None = None,
    *,
    classes: tuple[bool, ...] = (False, False),
    censored: bool = False,
    counts: int = COUNTS,
    descriptors: int = DESCRIPTORS,
    often: float = 0.9,
) -> Problem:
    """200 molecules with sparse and dense features, gaps in the targets and unequal weights.

    `often` is the root of the share of molecules that have the commonest of the sparse features.
    """
    rng = np.random.default_rng(5)
    # from features that most molecules have to such that none has
    share = np.linspace(0, often, counts) ** 2
    x = ((rng.random((N, counts)) < share) * rng.integers(1, 4, (N, counts))).astype(np.float32)
    dense = rng.normal(size=(N, descriptors)).astype(np.float32)
    t = len(classes)
    y = x @ rng.normal(size=(counts, t)) + dense @ rng.normal(size=(descriptors, t))
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    weights = rng.choice([0, 0.5, 1, 2], size=(N, t)).astype(np.float32)
    values = np.where(weights > 0, np.where(classes, y > 0, y), 0).astype(np.float32)
    side = rng.integers(-1, 2, (N, t)) if censored else np.zeros((N, t))
    rows = rng.permutation(N)
    names = tuple(f"f{i}" for i in range(counts + descriptors))
    return Problem(
        Features(sparse.csr_matrix(x), dense, names),
        Targets(values, weights, side.astype(np.int8), np.array(classes)),
        rows[:150],
        rows[150:170],
        rows[150:],
        NetworkParams(**{**NETWORK, **(network or {})}),
        TrainParams(**{**TRAIN, **(train or {})}),
    )
