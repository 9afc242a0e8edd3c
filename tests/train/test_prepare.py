"""What every replicate shares is fitted once."""

from pathlib import Path

import numpy as np
import pytest

from manywalks.tasks import curate, featurize, split
from manywalks.train.prepare import Prepared, read_prepared, transforms_file
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


def same(one: Prepared, other: Prepared) -> bool:
    return (
        one.transform == other.transform
        and one.scaler.names == other.scaler.names
        and np.array_equal(one.problem.features.matrix(), other.problem.features.matrix())
        and np.array_equal(one.problem.targets.values, other.problem.targets.values)
    )


def test_transforms_are_fitted_once(workspace: Workspace, fits: list[int]) -> None:
    first, again = (read_prepared(workspace, "key") for _ in range(2))
    assert len(fits) == 1
    assert same(first, again)
    assert same(first, read_prepared(workspace))


def test_damaged_transforms_are_fitted_again(workspace: Workspace, fits: list[int]) -> None:
    first = read_prepared(workspace, "key")
    path = transforms_file(workspace, "key")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert same(first, read_prepared(workspace, "key"))
    assert len(fits) == 2


def test_transforms_of_former_inputs_are_removed(workspace: Workspace) -> None:
    for key in ("former", "key"):
        read_prepared(workspace, key)
    assert not transforms_file(workspace, "former").exists()
    assert transforms_file(workspace, "key").is_file()
