"""What the docs say is what the code does."""

import importlib.util
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, command

PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "data/README.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]


@pytest.mark.parametrize(
    ("script", "written"), [("params_doc", "docs/params.md"), ("params_yaml", "params.yaml")]
)
def test_what_is_made_from_the_models_is_up_to_date(script: str, written: str) -> None:
    spec = importlib.util.spec_from_file_location(script, REPOSITORY / f".ci/{script}.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (REPOSITORY / written).read_text(encoding="utf-8") == made.text(), "run `make fix`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.fixture(scope="module")
def known() -> str:
    """What `manywalks --help` says."""
    return command("--help").stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_commands_in_code_blocks_exist(page: Path, known: str) -> None:
    blocks = re.findall(r"```\w*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in "\n".join(blocks).splitlines():
        if match := re.match(r"\s*(?:\$ )?manywalks (\w+)", line):
            assert re.search(rf"^\s+{match[1]}\s", known, re.MULTILINE), line
