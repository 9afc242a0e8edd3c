"""A network on the molecular graph beside the dense default, and both mixed, by cross-validation.

    python -m benchmarks.graph [--tasks caco2_wang vdss_lombardo] [--replicates 4] [--folds 5] [--epochs 80]

The graph network is a `builder` of plain Keras layers, so the engine for any Keras model trains it: atoms
tell their neighbours what they know, three times; then sum, mean and largest of all atoms go to dense layers,
alone or beside the scaled descriptors. It reads the graph from a flat row, as every network here does: 48
atoms' properties, then their neighbours' numbers. The folds are those of benchmarks/accuracy.md.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem
from scipy import sparse

from benchmarks.accuracy import DATA, Task, read
from benchmarks.results import table, write_section
from benchmarks.tasks import ENDPOINT, predictions, task_params
from manywalks.benchmark.scores import score
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params
from manywalks.params.sections.families import Family
from manywalks.params.sections.model import NetworkParams
from manywalks.tables.frame import read_table
from manywalks.train.keras_engine.model import import_keras
from manywalks.train.prepare import Prepared, prepare

ATOMS, NEIGHBOURS = 48, 4
ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P")
HYBRIDS = (Chem.HybridizationType.SP, Chem.HybridizationType.SP2, Chem.HybridizationType.SP3)
BONDS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
PROPERTIES = len(ELEMENTS) + 1 + 5 + 5 + 3 + len(HYBRIDS) + 3 + len(BONDS)
COLUMNS = ATOMS * (PROPERTIES + NEIGHBOURS)
UNITS, ROUNDS, DROPOUT = 96, 3, 0.2


def one_hot(value: Any, known: tuple) -> list[float]:
    """A one for each known value, and none for others."""
    return [float(value == one) for one in known]


def properties(atom: Chem.Atom) -> list[float]:
    """What an atom knows of itself: PROPERTIES numbers."""
    element = one_hot(atom.GetSymbol(), ELEMENTS)
    bonds = [bond.GetBondType() for bond in atom.GetBonds()]
    return [
        *element, 1.0 - sum(element),
        *one_hot(atom.GetDegree(), (0, 1, 2, 3, 4)),
        *one_hot(atom.GetTotalNumHs(), (0, 1, 2, 3, 4)),
        *one_hot(atom.GetFormalCharge(), (-1, 0, 1)),
        *one_hot(atom.GetHybridization(), HYBRIDS),
        float(atom.GetIsAromatic()), float(atom.IsInRing()), 1.0,
        *(float(bonds.count(kind)) for kind in BONDS),
    ]  # fmt: skip


def encode(smiles: str) -> np.ndarray:
    """The flat row (COLUMNS,) of a molecule; atoms past the first 48 are not seen, missing numbers are -1."""
    atoms, neighbours = np.zeros((ATOMS, PROPERTIES)), np.full((ATOMS, NEIGHBOURS), -1.0)
    for atom in list(Chem.MolFromSmiles(smiles).GetAtoms())[:ATOMS]:
        atoms[atom.GetIdx()] = properties(atom)
        near = [other.GetIdx() for other in atom.GetNeighbors()][:NEIGHBOURS]
        neighbours[atom.GetIdx(), : len(near)] = near
    return np.concatenate([atoms.ravel(), neighbours.ravel()]).astype(np.float32)


def build(n_features: int, n_endpoints: int) -> Any:
    """The graph network; what stands behind the graph's columns joins it before the dense layers."""
    keras: Any = import_keras()
    ops, layers = keras.ops, keras.layers
    given = keras.Input((n_features,))
    atoms = layers.Reshape((ATOMS, PROPERTIES))(given[:, : ATOMS * PROPERTIES])
    numbers = layers.Reshape((ATOMS, NEIGHBOURS))(given[:, ATOMS * PROPERTIES : COLUMNS])
    adjacent = ops.sum(ops.one_hot(ops.cast(numbers, "int32"), ATOMS), axis=2)
    there = atoms[:, :, -len(BONDS) - 1 : -len(BONDS)]
    x = layers.Dense(UNITS)(atoms)
    for _ in range(ROUNDS):
        message = layers.Dense(UNITS)(ops.concatenate([x, ops.matmul(adjacent, x)], axis=-1))
        message = layers.Activation("gelu")(layers.LayerNormalization()(message))
        x = x + layers.Dropout(DROPOUT)(message) * there
    x = x * there
    count = ops.sum(there, axis=1)
    pooled = [ops.sum(x, axis=1) / 10.0, ops.sum(x, axis=1) / count, ops.max(x, axis=1)]
    beside = [given[:, COLUMNS:]] if n_features > COLUMNS else []
    x = layers.LayerNormalization()(ops.concatenate([*pooled, *beside], axis=-1))
    x = layers.Dropout(DROPOUT)(layers.Dense(256, activation="gelu")(x))
    x = layers.Dropout(DROPOUT)(layers.Dense(128, activation="gelu")(x))
    return keras.Model(given, layers.Dense(n_endpoints)(x))


def on_graphs(prepared: Prepared, graphs: np.ndarray, epochs: int, *, beside: bool) -> Prepared:
    """The same rows and targets with the graph's columns for features, with or without the dense ones."""
    problem = prepared.problem
    dense = np.concatenate([graphs, problem.features.dense], axis=1) if beside else graphs
    names = tuple(f"column_{i}" for i in range(dense.shape[1]))
    nothing = sparse.csr_matrix((len(dense), 0), dtype=np.float32)
    network = NetworkParams.model_validate({"builder": "benchmarks.graph:build"})
    train = problem.train_params.model_copy(update={"epochs": epochs})
    features = Features(nothing, dense, names)
    return prepared._replace(problem=replace(problem, features=features, network=network, train_params=train))


def ways(task: Task, params: Params, asked: argparse.Namespace, cores: int) -> dict[str, list[float]]:
    """The score on every fold: dense, graph, graph with descriptors, and their means with the dense one."""
    smiles = list(task.molecules["smiles"])
    features = featurize(smiles, params.featurize.blocks, cores=cores)
    graphs = np.stack([encode(text) for text in smiles])
    found: dict[str, list[float]] = {}
    for train, valid in task.folds:
        subsets = np.full(len(task.molecules), "", dtype="<U5")
        subsets[train], subsets[valid] = "train", "valid"
        prepared = prepare(task.molecules, features, subsets, Family("", params))
        observed = np.array(task.molecules[ENDPOINT], dtype=np.float64)[valid]
        made = {"dense": prepared} | {
            name: on_graphs(prepared, graphs, asked.epochs, beside=beside)
            for name, beside in (("graph", False), ("graph and descriptors", True))
        }
        predicted = {
            name: predictions([one], asked.replicates, cores).mean(axis=0) for name, one in made.items()
        }
        for name in ("graph", "graph and descriptors"):
            predicted[f"dense with {name}"] = (predicted["dense"] + predicted[name]) / 2
        for name, values in predicted.items():
            found.setdefault(name, []).append(score(task.metric, observed, values))
        print(task.name, {name: round(values[-1], 4) for name, values in found.items()}, flush=True)
    return found


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", default=["caco2_wang", "vdss_lombardo"])
    parser.add_argument("--data", type=Path, default=DATA / "tdc")
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=80)
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    columns: dict[str, dict[str, list[float]]] = {}
    for name in asked.tasks:
        path = asked.data / f"{name}.csv"
        task = read(path, asked.folds, cores)
        params = task_params(path, read_table(path), cores, {"families": []})
        columns[f"{name}, {task.metric}"] = ways(task, params, asked, cores)
    names = next(iter(columns.values()))
    lines = [[name, *(f"{np.mean(column[name]):.4f}" for column in columns.values())] for name in names]
    text = (
        "## A network on graphs\n\n`python -m benchmarks.graph`: means over "
        f"{asked.folds} scaffold folds inside the rows to train on, {asked.replicates} replicates a way, the "
        f"graph network for {asked.epochs} epochs.\n\n{table(['way', *columns], lines)}"
    )
    print(text)
    write_section("graph", text)


if __name__ == "__main__":
    main()
