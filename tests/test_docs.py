"""What the docs say is what the code does."""

import importlib.util
import re
from pathlib import Path

import pytest

from .conftest import REPOSITORY, command

PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "data/README.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]


def test_the_page_of_params_is_the_models(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("params_doc", REPOSITORY / ".ci/params_doc.py")
    assert spec is not None and spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    assert (REPOSITORY / "docs/params.md").read_text(encoding="utf-8") == page.text(), "run `make fix`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_commands_in_code_blocks_exist(page: Path) -> None:
    blocks = re.findall(r"```\w*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    known = command("--help").stdout
    for line in "\n".join(blocks).splitlines():
        if match := re.match(r"\s*(?:\$ )?manywalks (\w+)", line):
            assert re.search(rf"^\s+{match[1]}\s", known, re.MULTILINE), line


def test_every_module_of_tasks_stands_in_the_readmes_map() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    missing = []
    for path in sorted((REPOSITORY / "tasks").glob("[a-z]*.py")):
        prefixes = (f"{path.stem.split('_')[0]}_*", path.stem)
        if not any(f"`{name}`" in text for name in prefixes):
            missing.append(path.stem)
    assert missing == []
