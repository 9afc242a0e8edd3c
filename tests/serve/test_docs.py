"""The examples of docs/serve.md run, beside a service of the model that they name."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, command
from tests.docs.test_docs_run import blocks_of, lines_of
from tests.support.service import Served

PAGE = REPOSITORY / "docs/serve.md"
URL = "http://127.0.0.1:8080"
BLOCKS = list(blocks_of(PAGE))
CURL = [
    line for block in BLOCKS if block.language == "sh" for line in lines_of(block) if line.startswith("curl")
]
PYTHON = [block.text for block in BLOCKS if block.language == "python"]


@pytest.mark.parametrize("line", CURL)
def test_a_shell_line_gets_an_answer(line: str, service: Served, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("id,smiles\na,CCO\nb,c1ccccc1O\n")
    asked = line.replace(URL, service.url).replace("curl", "curl --fail-with-body --silent --show-error", 1)
    done = subprocess.run(["bash", "-ec", asked], cwd=tmp_path, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "logS" in done.stdout


@pytest.mark.parametrize("text", PYTHON, ids=range(len(PYTHON)))
def test_a_python_block_runs(text: str, service: Served, trained: Path, tmp_path: Path) -> None:
    for name in ("models", "data"):
        (tmp_path / name).symlink_to(trained / name)
    if "model.onnx" in text:
        assert command("export", str(trained), "--onnx", str(tmp_path / "model.onnx")).returncode == 0
    code = text.replace(URL, service.url)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
