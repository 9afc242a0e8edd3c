"""From the pipeline's tables to what every replicate shares: scaled features, targets, rows."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from filelock import FileLock

from manywalks import files
from manywalks.features import Features
from manywalks.graph_layout import larger
from manywalks.params.load import Params
from manywalks.params.sections.families import Family, families_of
from manywalks.params.sections.model import NetworkParams
from manywalks.train.problem import Problem
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import TargetTransform
from manywalks.workspace import Workspace

# transforms that are kept at most, besides the ones that are written: one for each family
KEPT = 15


class Transforms(NamedTuple):
    """What was fitted on the train subset alone."""

    scaler: FeatureScaler
    targets: TargetTransform


class Prepared(NamedTuple):
    """The problem of one family, and the transforms that it was made with."""

    problem: Problem
    scaler: FeatureScaler
    transform: TargetTransform

    def values(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs at `problem.predict` (k, t) -> endpoint units, logits of classes.

        NaN, which the average of families leaves out, where this family does not take the molecule.
        """
        found = self.transform.inverse(outputs, logits=True)
        left = larger(self.problem.features)[self.problem.predict]
        return np.where(left[:, None], np.nan, found) if left.any() else found


def columns_of(features: Features, params: Params) -> Features:
    """The columns of all features that a family with these parameters sees."""
    return features.of_blocks({block.prefix for block in params.featurize.blocks})


def fit(curated: pd.DataFrame, features: Features, subsets: np.ndarray, params: Params) -> Transforms:
    """Fit scaling and target transforms of one family on the train rows, from its own columns."""
    drawn = subsets == "train"
    train = np.flatnonzero(drawn & ~larger(features))
    if drawn.any() and len(train) == 0:
        raise ValueError(
            f"featurize.blocks: graph: all {drawn.sum():,} molecules of the train subset have more atoms or "
            "bonds than its slots; raise max_atoms"
        )
    if len(train) == 0:
        raise ValueError(
            "data/split.parquet: no molecule in the train subset; lower split.test and split.valid"
        )
    scaler = FeatureScaler.fit(features.take(train), params.transform)
    return Transforms(scaler, TargetTransform.fit(curated.iloc[train], params))


def prepare(
    curated: pd.DataFrame,
    features: Features,
    subsets: np.ndarray,
    family: Family,
    fitted: Transforms | None = None,
) -> Prepared:
    """Apply one family's scaling and target transforms to all rows.

    Args:
        curated: the curated table, n rows.
        features: raw features of the same rows, all columns.
        subsets: str (n,), "train", "valid", "test", or "" where left out.
        family: whose columns and parameters are used.
        fitted: transforms that were fitted before; fitted now where None.
    """
    params, features = family.params, columns_of(features, family.params)
    scaler, transform = fitted or fit(curated, features, subsets, params)
    served = ~larger(features)
    train, valid = (np.flatnonzero((subsets == subset) & served) for subset in ("train", "valid"))
    problem = Problem(
        features=scaler.transform(features),
        targets=transform.targets(curated),
        train=train,
        valid=valid,
        predict=out_of_sample(subsets),
        network=with_slots(params),
        train_params=params.train,
        family=family.name,
    )
    return Prepared(problem, scaler, transform)


def with_slots(params: Params) -> NetworkParams:
    """The network; one on graphs knows how many columns of its features are the graph's."""
    if not params.network.on_graph:
        return params.network
    (slots,) = (block.max_atoms for block in params.featurize.blocks if block.kind == "graph")
    return params.network.model_copy(update={"max_atoms": slots})


def out_of_sample(subsets: np.ndarray) -> np.ndarray:
    """Rows of the valid and test subsets, ascending: what replicates predict."""
    return np.flatnonzero((subsets == "valid") | (subsets == "test"))


class Groups(NamedTuple):
    """Which molecules stay together, int (n,), and the rows of the train subset."""

    groups: np.ndarray
    train: np.ndarray


def read_groups(workspace: Workspace) -> Groups:
    """The groups that the split held together; the same rows whatever a family takes."""
    split = pd.read_parquet(workspace.split).sort_values("row")
    if "group" not in split:
        raise ValueError(f"{workspace.split}: is of a former version; run `manywalks train`")
    return Groups(split["group"].to_numpy(), np.flatnonzero(split["subset"] == "train"))


class Tables(NamedTuple):
    """The curated table, and the subset of each of its molecules, str (n,)."""

    curated: pd.DataFrame
    subsets: np.ndarray


def read_tables(workspace: Workspace) -> Tables:
    """Curated table and split; a ValueError where they do not belong together."""
    curated = pd.read_parquet(workspace.curated)
    split = pd.read_parquet(workspace.split).sort_values("row")
    if not np.array_equal(split["row"], np.arange(len(curated))):
        raise ValueError(
            f"{workspace.split}: {len(split)} rows for {len(curated)} molecules; run the split again"
        )
    return Tables(curated, split["subset"].to_numpy(dtype=str))


def prepare_families(
    curated: pd.DataFrame, features: Features, subsets: np.ndarray, params: Params
) -> list[Prepared]:
    """`prepare` for every family of the parameters, in their order."""
    return [prepare(curated, features, subsets, family) for family in families_of(params)]


def read_features(workspace: Workspace) -> Features:
    """All raw features; a ValueError where they do not belong to the curated table."""
    features, curated = Features.load(workspace.features), pd.read_parquet(workspace.curated, columns=["id"])
    if len(features) != len(curated):
        raise ValueError(
            f"{workspace.features}: {len(features)} rows for {len(curated)} molecules; featurize again"
        )
    return features


def read_prepared(
    workspace: Workspace, family: Family, key: str | None = None, *, features: Features | None = None
) -> Prepared:
    """The problem of one family of a workspace.

    Args:
        workspace: whose tables and features are read.
        family: which.
        key: name of its inputs, under which its transforms are kept: fitted once, by whoever comes first.
        features: raw ones, where they have been read already.
    """
    curated, subsets = read_tables(workspace)
    features = read_features(workspace) if features is None else features
    if key is None:
        return prepare(curated, features, subsets, family)
    # not beside the replicates: what a stage has made is no other stage's to change
    path = transforms_file(workspace, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    # packs start together: one fits, the others wait for it
    with FileLock(path.parent / ".lock"):
        fitted = _read_transforms(path)
        if fitted is None:
            fitted = fit(curated, columns_of(features, family.params), subsets, family.params)
            _forget_former(path.parent)
            content = {"targets": np.array(json.dumps(fitted.targets.to_json()))}
            files.write_npz(path, {**fitted.scaler.to_arrays(), **content})
    return prepare(curated, features, subsets, family, fitted)


def _forget_former(folder: Path) -> None:
    """Leave the transforms that were kept last, as many as families are likely to need."""
    kept = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime)
    for former in kept[:-KEPT]:
        former.unlink()


def transforms_file(workspace: Workspace, key: str) -> Path:
    """Where the transforms of the inputs called `key` are kept."""
    return workspace.state / "transforms" / f"{key}.npz"


def _read_transforms(path: Path) -> Transforms | None:
    """Kept transforms; None where there are none, or damaged ones."""
    try:
        arrays = files.read_npz(path)
        targets = TargetTransform.from_json(json.loads(str(arrays["targets"])))
        return Transforms(FeatureScaler.from_arrays(arrays), targets)
    except (ValueError, KeyError):
        return None
