"""Small problems on real graphs for the engines' tests."""

from typing import Any

import numpy as np

from manywalks.featurize.featurize import featurize
from manywalks.params.sections.model import FeatureBlock, NetworkParams, TrainParams
from manywalks.train.problem import Problem
from manywalks.train.targets import Targets
from tests.support.problems import TRAIN

# the last but one has more atoms than there are slots, and the last one atom and no bond
SMILES = (
    "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "C/C=C/C#N", "C/C=C\\C#N",
    "O=S(=O)(c1ccccc1)N1CCC1", "CCO", "FS(F)(F)(F)(F)F", "CC(C)(C)C", "C1CC1", "c1ccncc1", "C" * 17, "C",
)  # fmt: skip
TIMES = 6
MAX_ATOMS = 16
# columns of the block `graph` alone are left with "beside": False
NETWORK: dict[str, Any] = {"units": 12, "layers": 3, "widths": (8,), "dropout": 0.3, "max_atoms": MAX_ATOMS}


def graph_problem(
    network: dict[str, Any], train: dict[str, Any] | None = None, *, beside: bool = True
) -> Problem:
    """Each molecule some times over with other values, gaps among them; other features beside the graph."""
    blocks = [FeatureBlock(kind="graph", max_atoms=MAX_ATOMS)]
    if beside:
        blocks = [*(FeatureBlock.model_validate({"kind": kind}) for kind in ("maccs", "physchem")), *blocks]
    raw = featurize(list(SMILES), blocks)
    rng = np.random.default_rng(4)
    n = TIMES * len(SMILES)
    values = rng.normal(size=(n, 2)).astype(np.float32)
    weights = rng.choice([0, 0.5, 1], size=(n, 2)).astype(np.float32)
    rows = rng.permutation(n)
    dense = raw.dense.copy()
    first = [not name.startswith("graph:") for name in raw.names[-dense.shape[1] :]]
    dense[:, first] = np.nan_to_num(
        (dense[:, first] - dense[:, first].mean(0)) / (dense[:, first].std(0) + 1)
    )
    features = type(raw)(raw.counts, dense, raw.names).take(np.tile(np.arange(len(SMILES)), TIMES))
    return Problem(
        features,
        Targets(values, weights, np.zeros((n, 2), np.int8), np.array([False, True])),
        rows[:50],
        rows[50:60],
        rows[50:],
        NetworkParams.model_validate({**NETWORK, **network}),
        TrainParams.model_validate({**TRAIN, **(train or {})}),
    )
