"""Given, equal and fitted weights of families, by scaffold cross-validation inside the rows to train on.

    nice python -m benchmarks.family_weights --keep DIR [--data DIR] [--families A D] [--tables ames]
    nice python -m benchmarks.family_weights --keep DIR --families A D g          (those of the preset `best`)

The tables, families and scores are those of benchmarks/families.py. Inside the train rows of each fold the
weights are fitted as `weights: out_of_fold` fits them, and the fold's own molecules are then predicted with
given, equal and fitted weights by the same networks. What is trained is kept in DIR, fold by fold, so that a
run that was stopped goes on.
"""

import argparse
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.accuracy import DATA
from benchmarks.families import FAMILIES, GRAPHS, TABLES, Source, Table, block, read, score, written
from benchmarks.results import table, write_section
from manywalks import files
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.split import SplitParams
from manywalks.replicates.family_weights.drawing import draw_folds
from manywalks.replicates.family_weights.fresh import unseen_predictions
from manywalks.replicates.family_weights.weights import fit_all
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.statistics.mixing import in_endpoint_units
from manywalks.split.split import groups_of
from manywalks.train.prepare import prepare_families

# weights of the presets; those of other families are 1
PRESET = {"A": 2.0, "g": 0.5}
# the families whose average is shown too where there are more
DENSE = ("A", "D")


class Fold(NamedTuple):
    """One fold of a table.

    Attributes:
        held: rows that it leaves out (k,).
        predictions: of each family's ensemble there (f, k, t), in endpoint units.
        weights: (f, t) by name: given and equal, fitted and drawn back to each of them, and not drawn back.
    """

    held: np.ndarray
    predictions: np.ndarray
    weights: dict[str, np.ndarray]


def given(names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Weights to start from, by their name: those of the presets, and the same for all."""
    preset = {name: PRESET.get(name, 1.0) for name in names}
    told = " : ".join(f"{weight:g}" for weight in preset.values())
    return {f"given {told}": preset, "equal": dict.fromkeys(names, 1.0)}


def params_of(own: Table, weights: Mapping[str, float]) -> Params:
    """The parameters with these families and weights."""
    names = list(weights)
    kinds = dict.fromkeys(kind for name in names for kind in FAMILIES[name].blocks)
    raw = own.params.model_dump(mode="json")
    raw["featurize"] = {"blocks": [block(kind, own.slots) for kind in kinds]}
    raw["families"] = [
        {**written(name, FAMILIES[name], classes=own.classes), "weight": weight}
        for name, weight in weights.items()
    ]
    raw["weights"] = "out_of_fold"
    return parse_params(raw, source="benchmarks/family_weights.py")


def run_fold(
    own: Table, features: Features, groups: np.ndarray, number: int, asked: argparse.Namespace
) -> Fold:
    """Fit the weights inside the fold's train rows, train on all of these, and predict what it leaves out."""
    train, held = own.folds[number]
    subsets = np.full(len(own.molecules), "", dtype="<U5")
    subsets[train], subsets[held] = "train", "valid"
    kinds = {name: params_of(own, shares) for name, shares in given(asked.families).items()}
    params = next(iter(kinds.values()))
    folds = draw_folds(own.molecules, subsets, groups, params)
    unseen = unseen_predictions(own.molecules, features, folds, params, entropy=secrets.randbits(128))
    weights: dict[str, np.ndarray] = {}
    for name, one in kinds.items():
        fitted = fit_all(unseen, own.molecules, folds, groups, one)
        shares = np.array([family.weight for family in one.families])
        weights[name] = np.tile((shares / shares.sum())[:, None], len(fitted))
        weights[f"fitted, drawn to {name}"] = np.array([fit.weights for fit in fitted]).T
        weights["fitted, not drawn back"] = np.array([fit.unshrunk for fit in fitted]).T
    prepared = prepare_families(own.molecules, features, subsets, params)
    done = fresh_replicates(prepared, range(asked.replicates), secrets.randbits(128))
    kept = [one.parts for one in done if not one.diverged]
    means = [
        in_endpoint_units(
            np.stack([family.values(parts[place].predictions) for parts in kept]), family.transform.classes
        ).mean(axis=0)
        for place, family in enumerate(prepared)
    ]
    return Fold(held, np.stack(means), weights)


def kept_fold(path: Path, make: Any) -> Fold:
    """The fold that a former run has left, or a new one, which is kept."""
    if not path.is_file():
        made = make()
        arrays = {f"weights {name}": one for name, one in made.weights.items()}
        files.write_npz(path, {"held": made.held, "predictions": made.predictions, **arrays})
    arrays = files.read_npz(path)
    weights = {n.removeprefix("weights "): one for n, one in arrays.items() if n.startswith("weights ")}
    return Fold(arrays["held"], arrays["predictions"], weights)


def folds_of(name: str, source: Source, asked: argparse.Namespace) -> tuple[Table, list[Fold]]:
    """All folds of a table; its features are made only where a fold is missing."""
    own = read(source, asked.data, asked.folds)
    paths = [asked.keep / f"{name}-{'-'.join(asked.families)}-{n}.npz" for n in range(asked.folds)]
    if all(path.is_file() for path in paths):
        return own, [kept_fold(path, None) for path in paths]
    blocks = params_of(own, dict.fromkeys(asked.families, 1.0)).featurize.blocks
    features = featurize(own.molecules["smiles"].tolist(), blocks, cores=1)
    groups = groups_of(own.molecules, SplitParams(method="scaffold"))
    found = []
    for number, path in enumerate(paths):
        found.append(kept_fold(path, lambda n=number: run_fold(own, features, groups, n, asked)))
        print(f"{name}: fold {number + 1} of {asked.folds}", flush=True)
    return own, found


def column(name: str, asked: argparse.Namespace) -> tuple[dict[str, float], list[str]]:
    """The score of each kind of weights on one table, and the fitted weights of each family."""
    own, folds = folds_of(name, TABLES[name], asked)
    observed = own.molecules[list(TABLES[name].endpoints)].to_numpy(dtype=np.float64)
    first = next(iter(given(asked.families)))
    kinds = {kind: [fold.weights[kind] for fold in folds] for kind in folds[0].weights}
    if len(asked.families) > len(DENSE):
        dense = np.isin(asked.families, DENSE)[:, None]
        kinds[f"{first}, {' and '.join(DENSE)} alone"] = [one * dense for one in kinds[first]]
    scores = {}
    for kind, weights in kinds.items():
        predicted = np.full_like(observed, np.nan)
        for fold, one in zip(folds, weights, strict=True):
            predicted[fold.held] = mixed(one, fold.predictions)
        scores[kind] = score(TABLES[name].metric, observed, predicted)
    fitted = [fold.weights[f"fitted, drawn to {first}"] for fold in folds]
    spans = [np.concatenate([one[place] for one in fitted]) for place in range(len(asked.families))]
    return scores, [f"{span.min():.2f} to {span.max():.2f}" for span in spans]


def mixed(weights: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """The average (k, t); where a graph has no room for a molecule, the others share its family's weight.

    Args:
        weights: of the families (f, t).
        predictions: theirs (f, k, t).
    """
    shares = weights[:, None] * np.isfinite(predictions)
    return (shares * np.nan_to_num(predictions)).sum(axis=0) / shares.sum(axis=0)


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--keep", type=Path, required=True, help="folder for what is trained")
    parser.add_argument("--replicates", type=int, default=6)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--families", nargs="+", default=list(DENSE), choices=list(FAMILIES))
    asked = parser.parse_args()
    found = {name: column(name, asked) for name in asked.tables.split(",")}
    kinds = list(next(iter(found.values()))[0])
    lines = [[kind, *(f"{scores[kind]:.4f}" for scores, _ in found.values())] for kind in kinds]
    lines += [
        [f"weight of {name}, fitted", *(said[place] for _, said in found.values())]
        for place, name in enumerate(asked.families)
    ]
    heads = ["weights", *(f"{name} {TABLES[name].metric}" for name in found)]
    graph = set(asked.families) & set(GRAPHS)
    text = (
        f"## Weights of the families{', with a network on graphs' if graph else ''}\n\n"
        f"Out-of-fold scores, {asked.folds} scaffold folds inside the rows to "
        f"train on, {asked.replicates} replicates of the families {', '.join(asked.families)} in each; "
        "fitted inside the train rows of each fold, as `weights: out_of_fold` does. All rows are mixes of "
        "the same networks. Higher is better for spearman and auroc, lower for mae and rae "
        f"(`python -m benchmarks.family_weights --families {' '.join(asked.families)}`).\n\n"
        + table(heads, lines)
    )
    print(text)
    write_section("family-weights-graph" if graph else "family-weights", text)


if __name__ == "__main__":
    main()
