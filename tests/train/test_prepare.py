"""What every replicate shares is fitted once."""

import os
from pathlib import Path

import numpy as np
import pytest

from manywalks.params.sections.families import Family, families_of
from manywalks.tasks import curate, featurize, split
from manywalks.train.prepare import KEPT, Prepared, read_prepared, transforms_file
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
