"""What `manywalks train` ends with: accuracy first; many endpoints get a row each."""

import copy
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from manywalks import files
from manywalks.cli.show.summary import summary
from manywalks.report.page import ReportInputs
from manywalks.workspace import Workspace
from tests.support import report_case


@pytest.fixture(scope="module")
def found() -> ReportInputs:
    return report_case.found()


def printed(
    folder: Path,
    metrics: dict[str, Any],
    statements: dict[str, Any],
    split: dict[str, int] | None = None,
    **counts: Any,
) -> list[str]:
    """The summary of a workspace with these results, a split and counts of records, at 80 columns."""
    (folder / "params.yaml").write_text("data: {path: t.csv, endpoints: {y: {}}}\n", encoding="utf-8")
    workspace = Workspace.open(folder)
    files.write_json(workspace.reports / "metrics.json", metrics)
    files.write_json(workspace.reports / "statement.json", statements)
    card = {
        "records": 300,
        "molecules": 290,
        "merged": 4,
        "rejected": 6,
        "reasons": {"filtered": {"count": 6}},
        **counts,
    }
    files.write_json(workspace.reports / "data.json", card)
    files.write_json(workspace.reports / "split.json", split or {"train": 203, "valid": 29, "test": 58})
    written = io.StringIO()
    Console(width=80, file=written).print(summary(workspace))
    return written.getvalue().splitlines()


def many(found: ReportInputs, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """n useful endpoints that meet their tolerance."""
    metrics, statement = copy.deepcopy((found.metrics["logS"], found.statements["logS"]))
    metrics["verdict"]["word"], metrics["n_limits"], statement["met"] = "useful", 0, True
    names = [f"y{i}" for i in range(n)]
    return {name: copy.deepcopy(metrics) for name in names}, {name: dict(statement) for name in names}


def test_accuracy_comes_before_scores_and_agreement(found: ReportInputs, tmp_path: Path) -> None:
    text = "\n".join(printed(tmp_path, found.metrics, found.statements))
    assert text.startswith("logS: useful. RMSE on 117 test molecules: ")
    assert 0 < text.index("single replicates") < text.index("a retrained ensemble of 12 will agree")


def test_scores_over_some_of_the_molecules_are_told_below_the_table(
    found: ReportInputs, tmp_path: Path
) -> None:
    metrics = copy.deepcopy(found.metrics)
    metrics["logS"]["n_limits"] = 17
    text = " ".join(" ".join(printed(tmp_path, metrics, found.statements)).split())
    assert "17 of 117 test molecules are known only as a limit" in text
    assert text.index("worst to best") < text.index("only as a limit") < text.index("will agree")


def test_many_endpoints_get_a_row_each_and_nothing_more(found: ReportInputs, tmp_path: Path) -> None:
    lines = printed(tmp_path, *many(found, 6))
    assert [line.split()[:2] for line in lines[2:8]] == [[f"y{i}", "useful"] for i in range(6)]
    assert lines[9].startswith("data ")


def test_many_endpoints_show_what_another_sample_would_do_where_it_is_stated(
    found: ReportInputs, tmp_path: Path
) -> None:
    metrics, statements = many(found, 4)
    stated = {"stated": True, "difference_expected": 0.3217, "sentence": ""}
    for name, own in statements.items():
        own["data_draws"] = stated if name == "y2" else {"stated": False, "sentence": ""}
    lines = printed(tmp_path, metrics, statements)
    assert [line.split()[-1] for line in lines[:6]] == ["another", "sample", "–", "–", "0.32", "–"]
    statements["y2"]["data_draws"] = {"stated": False, "sentence": ""}
    assert "another" not in printed(tmp_path, metrics, statements)[0]


def test_what_needs_attention_gets_a_paragraph(found: ReportInputs, tmp_path: Path) -> None:
    metrics, statements = many(found, 4)
    metrics["y1"]["verdict"]["word"] = "weak"
    metrics["y2"]["n_test"] = 12
    statements["y3"] |= {"met": False, "sentence": "y3: the tolerance is not met."}
    text = " ".join(" ".join(printed(tmp_path, metrics, statements)[6:]).split())
    assert "y1: weak. RMSE on" in text
    assert "Only 12 test molecules: do not trust" in text
    assert ["y2", "useful", "(few)"] in [line.split()[:3] for line in printed(tmp_path, metrics, statements)]
    assert "y3: the tolerance is not met." in text
    assert "y0: " not in text


def test_several_tolerances_that_are_not_met_take_one_sentence(found: ReportInputs, tmp_path: Path) -> None:
    metrics, statements = many(found, 5)
    for name, needed in (("y1", 40), ("y4", 95)):
        statements[name] |= {"met": False, "replicates_for_tolerance": needed, "sentence": "not shown"}
    text = " ".join(" ".join(printed(tmp_path, metrics, statements)).split())
    assert "The tolerance of 2 endpoints is not met (*). Replicates that it would take: y1 40, y4 95." in text
    assert "not shown" not in text


@pytest.mark.parametrize(("unit", "warned"), [(150, True), (140, False)])
def test_a_reason_that_took_most_records_comes_first_with_an_example(
    tmp_path: Path, found: ReportInputs, unit: int, warned: bool
) -> None:
    example = {"row": 7, "id": "", "smiles": "C", "detail": "unit 'nmM' cannot be converted to 'nM'"}
    reasons = {"filtered": {"count": 10}, "unit": {"count": unit, "sentence": "", "examples": [example]}}
    lines = printed(tmp_path, found.metrics, found.statements, reasons=reasons, rejected=10 + unit)
    said = "Check the table: 150 of 290 records were rejected, such as row 7: unit 'nmM' cannot"
    assert " ".join(" ".join(lines[:2]).split()).startswith(said) == warned


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ((203, 0, 1265), "Check the split: more molecules test than train (203 train, 0 valid, 1,265 test)."),
        ((40, 5, 12), "Check the split: hardly any molecules train (40 train, 5 valid, 12 test)."),
        ((203, 20, 203), None),
    ],
)
def test_a_split_of_an_odd_shape_is_told_first(
    tmp_path: Path, found: ReportInputs, split: tuple[int, int, int], said: str | None
) -> None:
    sizes: dict[str, int] = dict(zip(("train", "valid", "test"), split, strict=True))
    text = " ".join(" ".join(printed(tmp_path, found.metrics, found.statements, split=sizes)).split())
    assert "Check the split" not in text if said is None else text.startswith(said)


@pytest.mark.parametrize(
    ("unit", "q1", "q3", "said"),
    [
        ("pIC50", 1.53, 2.8, "a quarter of the values are 1.5 or less, which is 30 mM or more"),
        ("pKi", 10.0, 13.0, "a quarter of the values are 13 or more, which is 0.1 pM or less"),
        ("pIC50", 4.3, 5.7, None),
        ("log10 mol/L", -4.0, -1.0, None),
    ],
)
def test_potencies_that_no_assay_measures_are_told(
    tmp_path: Path, found: ReportInputs, unit: str, q1: float, q3: float, said: str | None
) -> None:
    shared = {"ignored_cells": {}, "ignored_examples": []}
    endpoints = {
        "y": {"unit": unit, "distribution": {"q1": q1, "q3": q3}, **shared},
        "class": {"unit": "", **shared},
    }
    lines = printed(tmp_path, found.metrics, found.statements, endpoints=endpoints)
    text = " ".join(" ".join(lines).split())
    if said is None:
        assert "Check the unit" not in text
    else:
        keys = "(unit, source_unit or unit_column under data.endpoints.y)"
        assert text.startswith(f"Check the unit of y: {said} {keys}.")


def test_of_many_endpoints_those_with_limits_are_told(tmp_path: Path, found: ReportInputs) -> None:
    metrics, statements = many(found, 3)
    assert not any("known only as a limit" in line for line in printed(tmp_path, metrics, statements))
    metrics["y1"] |= {"n_limits": 107, "n_test": 1213}
    text = " ".join(" ".join(printed(tmp_path, metrics, statements)).split())
    said = "Test molecules known only as a limit (>100): y1 107 of 1,213. RMSE counts an error there only"
    assert f"{said} beyond the limit." in text


def test_cells_that_are_no_value_are_told_with_an_example(tmp_path: Path, found: ReportInputs) -> None:
    example = {"row": 12, "detail": "y: '12,5' is not a finite number"}
    none = {"unit": "", "ignored_cells": {}, "ignored_examples": []}
    endpoints = {"y": none | {"ignored_cells": {"not_a_number": 6}, "ignored_examples": [example]}, "z": none}
    lines = printed(tmp_path, found.metrics, found.statements, endpoints=endpoints)
    assert "        6 cells of y left out, such as row 12: '12,5' is not a finite number" in lines


def test_what_became_of_the_records_is_said(
    tmp_path: Path, found: ReportInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path.parent)
    text = " ".join(" ".join(printed(tmp_path, found.metrics, found.statements)).split())
    assert "290 molecules kept, 4 repeats merged, 6 rejected (6 filtered): " in text
    # where it is from here, not from the workspace; a long path is broken at the edge
    assert f"{tmp_path.name}/data/rejected.csv" in text.replace(" ", "")
