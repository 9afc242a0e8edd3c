"""What every replicate shares is fitted once."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manywalks.featurize.featurize import featurize as compute_features
from manywalks.params.load import parse_params
from manywalks.params.sections.families import Family, families_of
from manywalks.tasks import curate, featurize, split
from manywalks.train.prepare import KEPT, Prepared, fit, read_prepared, transforms_file
from manywalks.train.scaling import FeatureScaler
from manywalks.workspace import Workspace


@pytest.fixture
def workspace(small: Path) -> Workspace:
    found = Workspace.open(small)
    for step in (curate, featurize, split):
        step.run(found)
    return found


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each fit of a scaler."""
    counted: list[int] = []
    fit = FeatureScaler.fit

    def noted(features, params):
        counted.append(len(features))
        return fit(features, params)

    monkeypatch.setattr(FeatureScaler, "fit", noted)
    return counted


def only(workspace: Workspace) -> Family:
    """The workspace's one family."""
    return families_of(workspace.params)[0]


def same(one: Prepared, other: Prepared) -> bool:
    return (
        one.transform == other.transform
        and one.scaler.names == other.scaler.names
        and np.array_equal(one.problem.features.matrix(), other.problem.features.matrix())
        and np.array_equal(one.problem.targets.values, other.problem.targets.values)
    )


def test_transforms_are_fitted_once(workspace: Workspace, fits: list[int]) -> None:
    first, again = (read_prepared(workspace, only(workspace), "key") for _ in range(2))
    assert len(fits) == 1
    assert same(first, again)
    assert same(first, read_prepared(workspace, only(workspace)))


def test_damaged_transforms_are_fitted_again(workspace: Workspace, fits: list[int]) -> None:
    first = read_prepared(workspace, only(workspace), "key")
    path = transforms_file(workspace, "key")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert same(first, read_prepared(workspace, only(workspace), "key"))
    assert len(fits) == 2


def test_transforms_of_former_inputs_are_removed(workspace: Workspace) -> None:
    folder = transforms_file(workspace, "key").parent
    folder.mkdir(parents=True)
    for number in range(KEPT + 3):
        (folder / f"former{number:02d}.npz").write_bytes(b"")
        os.utime(folder / f"former{number:02d}.npz", (number, number))
    read_prepared(workspace, only(workspace), "key")
    left = sorted(path.stem for path in folder.glob("*.npz"))
    assert left == sorted(["key", *(f"former{number:02d}" for number in range(3, KEPT + 3))])


def test_graphs_without_room_for_any_molecule_are_told_from_a_split_without_molecules() -> None:
    smiles = ["CCCCCCCCC", "CCCCCCCCCC"]
    raw = {
        "data": {"path": "t.csv", "endpoints": {"y": {}}},
        "featurize": {"blocks": [{"kind": "ionization"}, {"kind": "graph", "max_atoms": 8}]},
        "families": [
            {"name": "graph", "blocks": ["graph"], "network": {"builder": "relational"}},
            {"name": "dense", "blocks": ["ionization"]},
        ],
    }
    params = parse_params(raw)
    curated = pd.DataFrame({"smiles": smiles, "y": [1.0, 2.0]})
    features = compute_features(smiles, params.featurize.blocks, cores=1)
    with pytest.raises(ValueError, match=r"all 2 molecules of the train subset .* raise max_atoms"):
        fit(curated, features, np.array(["train", "train"]), params)
    with pytest.raises(ValueError, match=r"lower split\.test"):
        fit(curated, features, np.array(["test", "test"]), params)
