"""What the engines are measured on: public sets, and the networks S, L and the default recipe."""

import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.files import sha256_bytes
from manywalks.params.sections.model import (
    FeatureBlock,
    FeaturizeParams,
    NetworkParams,
    TrainParams,
    TransformParams,
)
from manywalks.train.problem import Problem
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import Targets

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
CACHE = Path(tempfile.gettempdir()) / "manywalks-benchmarks"

TABLES = {
    "esol": ("assay/esol.csv", "smiles", "measured log solubility in mols per litre"),
    "caco2": ("tdc/caco2_wang.csv", "Drug", "Y"),
    "vdss": ("tdc/vdss_lombardo.csv", "Drug", "Y"),
    "lipophilicity": ("tdc/lipophilicity_astrazeneca.csv", "Drug", "Y"),
}
BITS = 2048
PLAIN = {"activation": "relu", "normalization": "none", "dropout": 0.2}
ADAM = {
    "batch_size": 32,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "loss": "mse",
}
RECIPES = {
    "S": ({**PLAIN, "widths": (512, 128)}, ADAM),
    "L": ({**PLAIN, "widths": (2048, 1024)}, ADAM),
    "default": ({}, {}),
}


@cache
def problem(table: str, recipe: str, epochs: int) -> Problem:
    """A table's molecules, four fifths of them to train on, and a recipe's network."""
    features, values = _features(table, "default" if recipe == "default" else "bits")
    y = ((values - values.mean()) / values.std()).astype(np.float32)[:, None]
    targets = Targets(y, np.ones_like(y), np.zeros(y.shape, np.int8), np.zeros(1, bool))
    rows = np.random.default_rng(0).permutation(len(y))
    cut = len(y) * 4 // 5
    network, train = RECIPES[recipe]
    return Problem(
        features,
        targets,
        rows[:cut],
        rows[cut:],
        rows[cut:],
        NetworkParams.model_validate(network),
        TrainParams.model_validate({**train, "epochs": epochs}),
    )


def rmse(problem: Problem, predictions: np.ndarray) -> float:
    """Of the test molecules (k, t), in standard deviations of the target."""
    return float(np.sqrt(np.mean((predictions - problem.targets.values[problem.predict]) ** 2)))


def _features(table: str, kind: str) -> tuple[Features, np.ndarray]:
    """Scaled features (kept from an earlier run) and the measured values (n,)."""
    path, smiles, column = TABLES[table]
    if not (DATA / path).is_file():
        raise SystemExit(f"{DATA / path}: no such file; set MANYWALKS_DATA")
    frame = pd.read_csv(DATA / path)
    values = frame[column].to_numpy(np.float64)
    if table == "vdss":
        values = np.log(values)
    recipe = f"{FeaturizeParams.model_validate({})}{TransformParams.model_validate({})}"
    kept = CACHE / f"{table}-{kind}-{sha256_bytes(recipe.encode())[:8]}.npz"
    if not kept.is_file():
        _make(list(frame[smiles]), kind).save(kept)
    return Features.load(kept), values


def _make(smiles: list[str], kind: str) -> Features:
    """Features of the default recipe, scaled; or 2,048 Morgan bits as they are."""
    if kind == "default":
        raw = featurize(smiles, FeaturizeParams.model_validate({}).blocks)
        return FeatureScaler.fit(raw, TransformParams.model_validate({})).transform(raw)
    bits = featurize(smiles, (FeatureBlock.model_validate({"kind": "morgan_bits", "n_bits": BITS}),))
    return Features(sparse.csr_matrix(bits.counts), bits.dense, bits.names)
