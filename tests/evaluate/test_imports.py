"""Statistics are light: they import no network library."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    ["manywalks.evaluate.statement.statement", "manywalks.compare.study", "manywalks.refresh.contest"],
)
def test_statistics_import_no_keras(module: str) -> None:
    code = f"import sys, {module}; print([n for n in ('keras', 'tensorflow') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
