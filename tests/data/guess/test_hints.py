"""What a look at the values suggests: logarithms, limits, a split by time."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml

from manywalks.cli.init import data_path, waiting
from manywalks.data.guess.guess import Guess, guess_params
from manywalks.params.load import Params, parse_params
from manywalks.params.presets import with_preset
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.params.sections.evaluate import EvaluateParams

SMILES = ["C" * n + "O" for n in range(1, 61)]


def guess(**columns: object) -> Guess:
    frame = pd.DataFrame({"smiles": SMILES, **columns}, dtype="str")
    return guess_params(frame, "t.csv", "t.csv")


def texts(values: np.ndarray) -> list[str]:
    return [f"{value:.5g}" for value in values]


WIDE = texts(10 ** np.linspace(0, 5, 60))


def test_an_ic50_over_three_decades_becomes_pic50() -> None:
    found = guess(**{"IC50 (nM)": WIDE})
    (name, one), *_ = found.params.data.endpoints.items()
    assert (name, one.column, one.transform, one.source_unit, one.unit) == (
        "pIC50", "IC50 (nM)", "p", "nM", "pIC50",
    )  # fmt: skip
    assert any("span 5 powers of ten" in line for line in found.assumed)


@pytest.mark.parametrize(
    ("column", "unit"),
    [("clearance (mL/min/kg)", "log10 mL/min/kg"), ("solubility (uM)", "log10 uM"), ("y", "log10")],
)
def test_another_quantity_becomes_its_log10(column: str, unit: str) -> None:
    one = guess(**{column: WIDE}).params.data.endpoints[column]
    assert (one.transform, one.unit) == ("log10", unit)


def test_a_narrow_one_and_one_with_zeros_are_left_as_they_are() -> None:
    for values in (10 ** np.linspace(0, 2, 60), np.append(10 ** np.linspace(0, 5, 59), 0.0)):
        (one,) = guess(**{"IC50 (nM)": texts(values)}).params.data.endpoints.values()
        assert one.transform == "none"


def test_values_that_stop_at_a_limit_are_told() -> None:
    values = np.minimum(10 ** np.linspace(0, 5, 60), 1e4)
    assert any(
        "values are 10000, the largest" in line and ">10000" in line
        for line in guess(**{"IC50 (nM)": texts(values)}).assumed
    )
    assert not any("limit" in line for line in guess(**{"IC50 (nM)": WIDE}).assumed)


@pytest.mark.parametrize(("column", "unit"), [("VDss (L/kg)", "log10 L/kg"), ("y", "log10")])
def test_a_few_large_values_are_told_with_the_keys_that_take_the_logarithm(column: str, unit: str) -> None:
    values = 10 ** (0.8 * np.random.default_rng(0).standard_normal(60)).clip(-1.4, 1.4)
    found = guess(**{column: texts(values)})
    (said,) = [line for line in found.assumed if line.startswith("skewed: ")]
    written = re.search(r"set (\{.*?\}) for", said)
    assert written is not None
    one = EndpointParams.model_validate(yaml.safe_load(written[1]))
    assert (one.transform, one.unit) == ("log10", unit)


@pytest.mark.parametrize(
    "values", [np.linspace(1, 150, 60), -np.geomspace(1, 100, 60), np.geomspace(1, 4, 60)]
)
def test_values_that_no_few_dominate_are_not_called_skewed(values: np.ndarray) -> None:
    assert not any("skewed" in line for line in guess(y=texts(values)).assumed)


def test_limits_in_the_cells_are_told() -> None:
    cells = [*WIDE[:50], *[">10000"] * 10]
    assert any(
        line == "limits of 'pIC50': 10 of 60 values, such as >10000; they count as limits, not as measured"
        for line in guess(**{"IC50 (nM)": cells}).assumed
    )
    assert not any("limits of" in line for line in guess(**{"IC50 (nM)": WIDE}).assumed)


@pytest.mark.parametrize(("column", "doubted"), [("IC50 (uM)", True), ("IC50 (nM)", False)])
def test_potencies_that_no_assay_measures_tell_a_wrong_unit(column: str, doubted: bool) -> None:
    cells = texts(10 ** np.linspace(2, 6, 60))  # 100 nM to 1 mM, or 100 uM to 1 M
    found = guess(**{column: cells}).assumed
    said = (
        "unit of 'pIC50'? With source_unit: uM, a quarter of the values are 1 or less, which is 100 mM or "
        "more; give the unit that the values have"
    )
    assert (said in found) == doubted == any(line.startswith("unit of") for line in found)


def test_cells_that_cannot_be_read_are_told_with_an_example() -> None:
    said = "unread: 2 cells of 'IC50 (nM)' are not read as numbers, such as 'n.t.?' in row 4, and left out"
    assert said in guess(**{"IC50 (nM)": [*WIDE[:3], "n.t.?", "", *WIDE[5:59], "12 nM"]}).assumed
    classes = [*["yes", "no"] * 29, "maybe", ""]
    said = "unread: 1 cell of 'y' is not read as classes, such as 'maybe' in row 59, and left out"
    assert said in guess(y=classes).assumed
    assert not any("unread" in line for line in guess(y=[*WIDE[:58], "", "n/a"]).assumed)


def test_rough_values_are_told() -> None:
    (said,) = [x for x in guess(y=[*WIDE[:58], "~ 5", "≈7"]).assumed if x.startswith("rough values")]
    assert "2 cells of 'y', such as '~ 5' in row 59; they count as measured" in said
    assert not any("rough" in line for line in guess(y=WIDE).assumed)


def test_a_column_of_dates_suggests_a_split_by_time() -> None:
    days = [str(day.date()) for day in pd.date_range("2019-01-05", periods=60, freq="17D")]
    assert any(
        "method: time, column: 'Assay date'" in line for line in guess(y=WIDE, **{"Assay date": days}).assumed
    )
    assert not any(
        "dates:" in line for line in guess(y=WIDE, weight=[str(1500 + i) for i in range(60)]).assumed
    )


def test_counts_are_said() -> None:
    assert any("58 values" in line for line in guess(y=[*WIDE[:58], "", "n/a"]).assumed)


def test_the_table_is_named_from_the_workspace(tmp_path) -> None:
    table = tmp_path / "tables" / "t.csv"
    assert data_path(table, tmp_path / "work") == "../tables/t.csv"
    assert data_path(table, tmp_path / "tables") == "t.csv"


@pytest.mark.parametrize(
    ("kind", "records", "measured"),
    [("regression", 1282, 45), ("regression", 4200, 80), ("classification", 7278, 90)],
)
def test_the_wait_is_near_what_was_measured(kind: str, records: int, measured: float) -> None:
    """benchmarks/RESULTS.md, two cores, one family."""
    params = parse_params({"data": {"path": "t.csv", "endpoints": {"y": {"kind": kind}}}})
    assert abs(minutes_said(params, records) - measured / 60) <= 0.75


def test_the_wait_is_near_what_was_measured_with_the_default_families() -> None:
    """The demo, two cores: 45 s."""
    params = with_preset(parse_params({"data": {"path": "t.csv", "endpoints": {"y": {}}}}))
    assert minutes_said(params, 1282) == 1
    assert minutes_said(params, 100_000) > 30


def test_the_wait_is_near_what_was_measured_with_a_network_on_graphs() -> None:
    """The demo with --preset best, two cores: 95 s."""
    dense = parse_params({"data": {"path": "t.csv", "endpoints": {"y": {}}}})
    assert minutes_said(with_preset(dense, "best", max_atoms=36), 1282) == 2


def minutes_said(params: Params, records: int) -> float:
    """What init says of two cores."""
    words = waiting(params, records, 2)
    return 1.0 if "a minute" in words else float(words.split()[1])


def test_the_wait_says_for_how_many_replicates() -> None:
    params = with_preset(parse_params({"data": {"path": "t.csv", "endpoints": {"y": {}}}}))
    said = "about a minute for 8 replicates on 2 cores; longer if the tolerance asks for more"
    draws = " (from 12 on, others on halves of the data take up to as long again)"
    assert waiting(params, 1282, 2) == said + draws
    off = params.model_copy(update={"evaluate": EvaluateParams(data_draws="off")})
    assert waiting(off, 1282, 2) == said


def test_a_network_of_a_builder_is_not_estimated() -> None:
    raw = {"data": {"path": "t.csv", "endpoints": {"y": {}}}, "network": {"builder": "models:build"}}
    assert waiting(parse_params(raw), 1282, 2).startswith("not estimated")


def test_a_given_split_is_told_with_its_numbers() -> None:
    found = guess(y=texts(np.linspace(1, 2, 60)), part=["Train"] * 40 + ["test"] * 15 + ["Valid"] * 5)
    assert "split: as column 'part' says (40 Train, 15 test, 5 Valid)" in found.assumed
