"""A service of the small trained workspace, for all tests of serving."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from manywalks.ensemble.model import Ensemble
from tests.support.service import Served, served


@pytest.fixture(scope="session")
def service(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("service"), f"demo={trained}") as running:
        yield running


@pytest.fixture(scope="session")
def client(service: Served) -> Iterator[httpx.Client]:
    with service.client() as found:
        yield found


@pytest.fixture(scope="session")
def ensemble(trained: Path) -> Ensemble:
    return Ensemble.load(trained / "models/ensemble")
