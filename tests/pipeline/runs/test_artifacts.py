"""What Prefect shows: one page of Markdown in which names are never markup; keys and names of runs."""

import base64
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from manywalks.pipeline.runs.artifacts import key_of, page_text
from manywalks.pipeline.runs.run_names import name_of, replicates_name
from manywalks.workspace import Workspace
from tests.support import report_case

NASTY = "<img src=x onerror=alert(1)> | `a` *b* [c](d) _e_"


@pytest.fixture(scope="module")
def text() -> str:
    return page_text(report_case.found(names=(NASTY, "active"), unit="<i>|`", title=NASTY))


def test_accuracy_comes_first_and_everything_is_in_it(text: str) -> None:
    heads = re.findall(r"^## (.*)$", text, re.M)
    assert heads == ["Accuracy", "Reproducibility", "Pictures"]
    assert "a retrained ensemble of 12 will agree" in text
    assert "file:" not in text


@pytest.mark.parametrize("address", ["https://files.example.org/a b/reports", "http://host:8000/reports/"])
def test_the_report_is_linked_where_an_address_is_configured_and_nowhere_else(
    text: str, address: str
) -> None:
    assert "report.html" not in text
    linked = page_text(report_case.found(), address)
    assert f"[Report](<{address.rstrip('/')}/report.html>)" in linked


def test_names_are_never_markup(text: str) -> None:
    words = re.sub(r"\(data:[^)]*\)", "", text)
    assert "<" not in words
    assert not re.search(r"(?<!\\)[`_]", words)
    assert "](d)" not in words.replace("\\]", "")
    rows = [line for line in words.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_pictures_are_whole_svg_files_that_fetch_nothing(text: str) -> None:
    found = re.findall(r"\(data:image/svg\+xml;base64,([^)]*)\)", text)
    assert len(found) == 4
    for picture in found:
        svg = base64.b64decode(picture).decode()
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "--blue:#0072b2" in svg
        assert "url(" not in svg
    assert len(text) < 500_000


@pytest.mark.parametrize(
    ("folder", "key"),
    [("Sol_2 (new)", "sol-2-new-model"), ("δοκιμή", "workspace-model"), ("assay", "assay-model")],
)
def test_keys_carry_the_name_of_the_workspace_in_the_letters_that_prefect_admits(
    folder: str, key: str
) -> None:
    assert key_of(Workspace(Path("/data") / folder), "model") == key
    assert re.fullmatch(r"[a-z0-9-]+", key)


def test_a_run_is_named_after_its_workspace_and_the_version_of_its_data(tmp_path: Path) -> None:
    root = tmp_path / "solubility"
    root.mkdir()
    assert name_of({"workspace": str(root)}) == "solubility"
    (root / "table.csv").write_text("smiles,y\nC,1\n", encoding="utf-8")
    (root / "params.yaml").write_text(
        "data: {path: table.csv, endpoints: {y: {kind: regression, unit: g}}}\n", encoding="utf-8"
    )
    assert re.fullmatch(r"solubility, data [0-9a-f]{8}", name_of({"workspace": str(root)}))
    assert name_of({"workspace": Workspace(root)}) == name_of({"job": {"workspace": str(root)}})
    model = {"model": str(root / "models/ensemble")}
    assert name_of(model) == "solubility"
    assert name_of({"job": {**model, "table": "new/list.csv"}}) == "solubility, list.csv"


def test_replicates_are_counted_from_one() -> None:
    assert replicates_name([0, 1, 2]) == "train replicates 1 to 3"
    assert replicates_name([7]) == "train replicate 8"
    assert replicates_name([0, 2, 4]) == "train 3 replicates between 1 and 5"
