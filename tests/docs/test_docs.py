"""What the docs say is what the code does."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manywalks.cli.main import program
from tests.conftest import REPOSITORY, command

PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "data/README.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]


@pytest.mark.parametrize(
    ("script", "written"),
    [
        ("params_doc", "docs/params.md"),
        ("params_yaml", "params.yaml"),
        ("commands_doc", "docs/commands.md"),
    ],
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


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below a command, by its words."""
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*path, name))
    yield path, command


def test_every_command_has_a_page_of_its_own_words_and_every_option_a_line() -> None:
    """docs/commands.md is made from the program; what a person is to do with a command is on another page."""
    pages = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    listed = pages.pop("commands.md")
    for path, found in commands(program()):
        name = " ".join(("manywalks", *path))
        section = listed.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        if path and not getattr(found, "commands", {}):
            assert any(re.search(rf"`?{name}\b", text) for text in pages.values()), f"{name} is on no page"
        for option in [text for one in found.params if not one.hidden for text in one.opts]:
            assert not option.startswith("-") or f"`{option}`" in section, f"{name} {option}"
        assert all(one.help for one in found.params if not one.hidden), f"{name}: an option without help"
