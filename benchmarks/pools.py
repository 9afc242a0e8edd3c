"""Pools of real replicates: many replicates of a small network on a real data set, kept for benchmarks.

The data sets are looked for in the folder that MANYWALKS_DATA names (default: ../shared/data beside the
repository); pools are kept in .manywalks/pools.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.data.curate import curate_table
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.families import Family
from manywalks.similarity import nearest_similarity
from manywalks.split.clusters import similarity_bits
from manywalks.split.split import split_molecules
from manywalks.tables.frame import read_table
from manywalks.train.engines import train_pack
from manywalks.train.prepare import out_of_sample, prepare
from manywalks.train.problem import Pack

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("MANYWALKS_DATA", ROOT.parent / "shared" / "data"))
KEPT = ROOT / ".manywalks" / "pools"
SIZE = 256
# replicates of one pool, the same on every machine: a benchmark that can be rerun
ENTROPY = 20260101

SETS: dict[str, dict[str, Any]] = {
    "Caco2": {"path": "tdc/caco2_wang.csv", "smiles": "Drug", "column": "Y", "unit": "log10 cm/s"},
    "VDss": {"path": "tdc/vdss_lombardo.csv", "smiles": "Drug", "column": "Y", "unit": "L/kg"},
    "ESOL": {
        "path": "assay/esol.csv",
        "smiles": "smiles",
        "column": "measured log solubility in mols per litre",
        "unit": "log10 mol/L",
    },
    "Lipophilicity": {
        "path": "tdc/lipophilicity_astrazeneca.csv",
        "smiles": "Drug",
        "column": "Y",
        "unit": "log10",
    },
    "Clearance": {
        "path": "tdc/clearance_microsome_az.csv",
        "smiles": "Drug",
        "column": "Y",
        "unit": "mL/min/g",
    },
    "Pgp": {"path": "tdc/pgp_broccatelli.csv", "smiles": "Drug", "column": "Y", "kind": "classification"},
}


class Pool(NamedTuple):
    """Replicates (m, n) at out-of-sample molecules in endpoint units, and what was observed (n,)."""

    name: str
    kind: str
    replicates: np.ndarray
    observed: np.ndarray


def pool(name: str, *, threads: int = 2) -> Pool | None:
    """The pool of one data set, trained at first; None where the data set is not there."""
    about = SETS[name]
    kind = about.get("kind", "regression")
    path = KEPT / f"{name}.npz"
    if not path.is_file():
        if not (DATA / about["path"]).is_file():
            print(f"{name}: no {DATA / about['path']}; left out (set MANYWALKS_DATA)")
            return None
        files.write_npz(path, _train(about, kind, threads))
    kept = files.read_npz(path)
    return Pool(name, kind, kept["replicates"].astype(np.float64), kept["observed"])


def all_pools() -> list[Pool]:
    """The pools of all data sets that are there."""
    return [found for name in SETS if (found := pool(name)) is not None]


def similarity_of(name: str) -> np.ndarray:
    """Tanimoto similarity of a pool's n molecules to their nearest training molecule."""
    path = KEPT / f"{name}-similarity.npz"
    if not path.is_file():
        _, curated, parts = _ground(SETS[name], SETS[name].get("kind", "regression"))
        bits = similarity_bits(curated["smiles"].tolist())
        found = nearest_similarity(bits[out_of_sample(parts)], bits[parts == "train"])
        files.write_npz(path, {"similarity": found})
    return files.read_npz(path)["similarity"]


def _ground(about: dict[str, Any], kind: str) -> tuple[Params, pd.DataFrame, np.ndarray]:
    """Parameters, curated table and subsets: half out of sample, for many molecules to compare at."""
    endpoint = {"kind": kind, "column": about["column"], "unit": about.get("unit", "")}
    params = parse_params(
        {
            "data": {"path": about["path"], "smiles": about["smiles"], "endpoints": {"y": endpoint}},
            "featurize": {"blocks": [{"kind": "morgan_count"}, {"kind": "rdkit2d"}]},
            "split": {"test": 0.3, "valid": 0.1},
            "network": {"widths": [128, 64]},
            "train": {"epochs": 30},
        }
    )
    curated = curate_table(read_table(DATA / about["path"]), params).molecules
    return params, curated, split_molecules(curated, params.split)


def _train(about: dict[str, Any], kind: str, threads: int) -> dict[str, np.ndarray]:
    """Curate, featurize, split, train SIZE replicates."""
    params, curated, parts = _ground(about, kind)
    features = featurize(curated["smiles"].tolist(), params.featurize.blocks)
    prepared = prepare(curated, features, parts, Family("", params))
    found = {
        replicate.index: prepared.transform.inverse(replicate.predictions)[:, 0]
        for replicate in train_pack(Pack(prepared.problem, range(SIZE), ENTROPY, threads=threads))
        if not replicate.diverged
    }
    observed = curated["y"].to_numpy(dtype=np.float64)[out_of_sample(parts)]
    replicates = np.stack([found[index] for index in sorted(found)])
    return {"replicates": replicates.astype(np.float32), "observed": observed}


if __name__ == "__main__":
    for each in SETS:
        made = pool(each)
        if made is not None:
            print(each, made.replicates.shape, "spread", float(made.replicates.std(axis=0, ddof=1).mean()))
