"""Given, equal and fitted weights of families, by scaffold cross-validation inside the rows to train on.

    nice python -m benchmarks.family_weights --keep DIR [--data DIR] [--families A D] [--tables ames]

The tables, families and scores are those of benchmarks/families.py. Inside the train rows of each fold the
weights are fitted as `weights: out_of_fold` fits them, and the fold's own molecules are then predicted with
given, equal and fitted weights by the same networks. What is trained is kept in DIR, fold by fold, so that a
run that was stopped goes on.
"""

import argparse
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.accuracy import DATA
from benchmarks.families import FAMILIES, TABLES, Source, Table, block, read, score
from benchmarks.results import table, write_section
from manywalks import files
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.model import FeaturizeParams
from manywalks.params.sections.split import SplitParams
from manywalks.replicates.family_weights.drawing import draw_folds
from manywalks.replicates.family_weights.fresh import unseen_predictions
from manywalks.replicates.family_weights.weights import fit_all
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.statistics.mixing import in_endpoint_units
from manywalks.split.split import groups_of
from manywalks.train.prepare import prepare_families

# the first family's weight, the others' is 1: that of the defaults, or the same for all
GIVEN = {"given 2 to 1": 2.0, "equal": 1.0}


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


def params_of(own: Table, names: list[str], first: float) -> Params:
    """The parameters with these families, the weight of the first as given."""
    kinds = dict.fromkeys(kind for name in names for kind in FAMILIES[name].blocks)
    raw = own.params.model_dump(mode="json")
    raw["featurize"] = {"blocks": [block(kind, own.slots) for kind in kinds]}
    raw["families"] = [
        {"name": name, "blocks": FAMILIES[name].blocks, "weight": first if number == 0 else 1.0}
        for number, name in enumerate(names)
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
    kinds = {name: params_of(own, asked.families, first) for name, first in GIVEN.items()}
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
    raw = {"blocks": params_of(own, asked.families, 1.0).model_dump(mode="json")["featurize"]["blocks"]}
    smiles = own.molecules["smiles"].tolist()
    features = featurize(smiles, FeaturizeParams.model_validate(raw).blocks, cores=1)
    groups = groups_of(own.molecules, SplitParams(method="scaffold"))
    found = []
    for number, path in enumerate(paths):
        found.append(kept_fold(path, lambda n=number: run_fold(own, features, groups, n, asked)))
        print(f"{name}: fold {number + 1} of {asked.folds}", flush=True)
    return own, found


def column(name: str, asked: argparse.Namespace) -> tuple[dict[str, float], str]:
    """The score of each kind of weights on one table, and the fitted weights of the first family."""
    own, folds = folds_of(name, TABLES[name], asked)
    observed = own.molecules[list(TABLES[name].endpoints)].to_numpy(dtype=np.float64)
    scores = {}
    for kind in folds[0].weights:
        mixed = np.full_like(observed, np.nan)
        for fold in folds:
            mixed[fold.held] = (fold.weights[kind][:, None] * fold.predictions).sum(axis=0)
        scores[kind] = score(TABLES[name].metric, observed, mixed)
    first = np.concatenate([fold.weights[f"fitted, drawn to {next(iter(GIVEN))}"][0] for fold in folds])
    return scores, f"{first.min():.2f} to {first.max():.2f}"


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--keep", type=Path, required=True, help="folder for what is trained")
    parser.add_argument("--replicates", type=int, default=6)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--families", nargs="+", default=["A", "D"], choices=list(FAMILIES))
    asked = parser.parse_args()
    found = {name: column(name, asked) for name in asked.tables.split(",")}
    kinds = list(next(iter(found.values()))[0])
    lines = [[kind, *(f"{scores[kind]:.4f}" for scores, _ in found.values())] for kind in kinds]
    lines.append(["weight of the first family, fitted", *(said for _, said in found.values())])
    heads = ["weights", *(f"{name} {TABLES[name].metric}" for name in found)]
    text = (
        f"## Weights of the families\n\nOut-of-fold scores, {asked.folds} scaffold folds inside the rows to "
        f"train on, {asked.replicates} replicates of the families {', '.join(asked.families)} in each; "
        "fitted inside the train rows of each fold, as `weights: out_of_fold` does. All rows are mixes of "
        "the same networks. Higher is better for spearman and auroc, lower for mae and rae "
        "(`python -m benchmarks.family_weights`).\n\n" + table(heads, lines)
    )
    print(text)
    write_section("family-weights", text)


if __name__ == "__main__":
    main()
