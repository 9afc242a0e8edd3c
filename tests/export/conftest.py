"""A trained workspace for the tests of exports."""

from pathlib import Path

import pandas as pd
import pytest

from tests.support.steps import trained_by_steps


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Path:
    """A small workspace: read it, do not write to it."""
    return trained_by_steps(tmp_path_factory.mktemp("trained"), demo_table)
