"""Problems that benchmarks/engine_jax.py trains: real molecules with the networks of a case, made-up ones."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks import problems
from manywalks.features import Features
from manywalks.files import sha256_bytes
from manywalks.params.load import Params
from manywalks.params.presets import Preset, with_preset
from manywalks.params.sections.model import FeaturizeParams, NetworkParams, TrainParams, TransformParams
from manywalks.train.problem import Problem
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import Targets


@cache
def problems_of(case: str, epochs: int) -> tuple[Problem, ...]:
    """ESOL with the networks of a case: one problem a family."""
    if case not in ("mix", "graph"):
        return (problems.problem("esol", case, epochs),)
    params = TrainParams.model_validate({"epochs": epochs})
    whole = problems.problem("esol", "default", epochs)
    found = []
    for blocks in _blocks_of(case):
        network = NetworkParams.model_validate(GRAPH if case == "graph" else {})
        features, name = _features(blocks), "-".join(blocks)
        rows = whole.train, whole.valid, whole.predict
        found.append(Problem(features, whole.targets, *rows, network, params, family=name))
    return tuple(found)


# as the prototype had it: 192 units, 4 layers, descriptors beside the readout
GRAPH = {"builder": "relational", "units": 192, "layers": 4, "widths": [256], "dropout": 0.2, "max_atoms": 60}


def _blocks_of(case: str) -> list[list[str]]:
    """Blocks of each family of a case."""
    if case == "graph":
        return [["graph", "rdkit2d", "ionization"]]
    return [list(family.blocks) for family in defaults("smiles", "y").families]


def _features(blocks: Sequence[str]) -> Features:
    """ESOL's features of some blocks, scaled; kept for the next run."""
    from manywalks.featurize.featurize import featurize

    name = sha256_bytes(" ".join(blocks).encode())[:8]
    kept = problems.CACHE / f"esol-{name}.npz"
    if not kept.is_file():
        path, smiles, _ = problems.TABLES["esol"]
        molecules = list(pd.read_csv(problems.DATA / path)[smiles])
        asked = FeaturizeParams.model_validate({"blocks": [{"kind": kind} for kind in blocks]})
        raw = featurize(molecules, asked.blocks)
        FeatureScaler.fit(raw, TransformParams.model_validate({})).transform(raw).save(kept)
    return Features.load(kept)


def synthetic(n: int, epochs: int, d_counts: int = 2048, d_dense: int = 240) -> Problem:
    """n made-up molecules with as many features as one family of the defaults has, three in a hundred set."""
    rng = np.random.default_rng(0)
    counts = sparse.random(n, d_counts, 0.03, "csr", np.float32, rng)
    counts.data = rng.integers(1, 5, counts.nnz).astype(np.float32)
    dense = rng.normal(size=(n, d_dense)).astype(np.float32)
    y = (dense[:, :8].sum(axis=1, keepdims=True) / 3).astype(np.float32)
    names = tuple(f"f{k}" for k in range(d_counts + d_dense))
    rows = np.arange(n)
    targets = Targets(y, np.ones_like(y), np.zeros(y.shape, np.int8), np.zeros(1, bool))
    return Problem(
        Features(sparse.csr_matrix(counts), dense, names), targets, rows, rows[:0], rows[:1000],
        NetworkParams(), TrainParams.model_validate({"epochs": epochs}),
    )  # fmt: skip


def defaults(smiles: str, column: str, preset: Preset = "default", max_atoms: int = 60) -> Params:
    """What `manywalks init` writes for a table with one number a molecule."""
    data = {"path": "table.csv", "smiles": smiles, "endpoints": {column: {"kind": "regression"}}}
    return with_preset(Params.model_validate({"data": data}), preset, max_atoms=max_atoms)
