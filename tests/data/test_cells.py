"""Cells as values: numbers, bounds, units, classes, weights."""

import numpy as np
import pandas as pd
import pytest

from manywalks.data.cells import convert_cells, read_cells
from manywalks.data.numbers import Mark
from manywalks.params.sections.endpoint import EndpointParams


def cells_of(table, mass=np.nan, decimal: Mark = ".", **endpoint):
    """Read and convert the column y."""
    frame = pd.DataFrame({name: pd.Series(column, dtype=str) for name, column in table.items()})
    params = EndpointParams.model_validate(endpoint)
    cells = read_cells(frame, "y", params, decimal=decimal)
    convert_cells(cells, frame, "y", params, molar_mass=np.full(len(frame), mass))
    return cells


def test_numbers_and_bounds():
    cells = cells_of({"y": ["1.5", " 2e3 ", "", "NA", ">10", "<= 0.5", "≥3", "~4", "-1"]})
    np.testing.assert_array_equal(cells.value, [1.5, 2000, np.nan, np.nan, 10, 0.5, 3, 4, -1])
    assert list(cells.relation) == ["=", "=", "=", "=", ">", "<", ">", "=", "="]
    assert cells.problems == {}


def test_what_is_no_number_is_a_problem_that_shows_the_cell():
    cells = cells_of({"y": ["1.0", "low", "inf", "1,5", "><3"]})
    assert np.isnan(cells.value[1:]).all()
    assert {row: code for row, (code, _) in cells.problems.items()} == dict.fromkeys(
        [1, 2, 3, 4], "not_a_number"
    )
    assert "'low'" in cells.problems[1][1]


def test_decimal_comma():
    np.testing.assert_array_equal(cells_of({"y": ["1,5", "1.234,5"]}, decimal=",").value, [1.5, 1234.5])


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_cell_of_two_lines_is_no_number(decimal):
    cells = cells_of({"y": ["1", "2\n3", "4\n"]}, decimal=decimal)
    np.testing.assert_array_equal(cells.value, [1, np.nan, 4])
    assert cells.problems == {1: ("not_a_number", "y: '2\\n3' is not a finite number")}


def test_p_transform_flips_the_bounds():
    cells = cells_of(
        {"y": ["100", "1", "0", "5"], "r": ["'='", "'>'", "=", "<"], "u": ["nM", "uM", "nM", "ug.mL-1"]},
        mass=500.0,
        unit_column="u",
        relation_column="r",
        transform="p",
    )
    np.testing.assert_allclose(cells.value, [7, 6, np.nan, 5])
    assert [cells.relation[i] for i in (0, 1, 3)] == ["=", "<", ">"]
    assert cells.problems[2][0] == "logarithm"


def test_log10_keeps_the_bounds_and_takes_the_offset():
    cells = cells_of({"y": ["0", ">9"]}, source_unit="uM", transform="log10", offset=1.0)
    np.testing.assert_allclose(cells.value, [0, 1])
    assert list(cells.relation) == ["=", ">"]


def test_log10_of_a_unit_that_no_table_knows():
    np.testing.assert_allclose(cells_of({"y": ["100"]}, unit="log10 uL/min/mg", transform="log10").value, [2])


def test_conversion_without_a_transform():
    np.testing.assert_allclose(cells_of({"y": ["1000"]}, source_unit="nM", unit="uM").value, [1])
    np.testing.assert_allclose(cells_of({"y": ["1"]}, source_unit="uM", unit="log10 mol/L").value, [-6])
    np.testing.assert_allclose(cells_of({"y": ["7"]}, unit="anything at all").value, [7])


def test_unknown_unit_is_a_problem_of_its_record():
    cells = cells_of({"y": ["1", "1"], "u": ["nM", "furlong"]}, unit_column="u", unit="uM")
    assert not np.isnan(cells.value[0])
    assert cells.problems[1][0] == "unit"
    assert "'furlong'" in cells.problems[1][1]


def test_unknown_relation_and_one_against_the_cell():
    cells = cells_of({"y": ["1", ">2", ">3", "4"], "r": ["?", "<", "", ">="]}, relation_column="r")
    assert [cells.problems[row][0] for row in (0, 1)] == ["relation", "relation"]
    assert list(cells.relation[2:]) == [">", ">"]


def test_bounds_rejected_on_demand():
    cells = cells_of({"y": ["1", ">2"]}, censored="reject")
    assert cells.problems[1][0] == "censored"
    assert np.isnan(cells.value[1])


def test_classes_in_words():
    words = ["1", "0", "1.0", "Active", "inactive", "TRUE", "no", "", "maybe"]
    cells = cells_of({"y": words}, kind="classification")
    np.testing.assert_array_equal(cells.value, [1, 0, 1, 1, 0, 1, 0, np.nan, np.nan])
    assert cells.problems[8][0] == "not_a_class"
    assert list(cells.problems) == [8]


def test_classes_by_the_positive_cell():
    cells = cells_of({"y": ["toxic", "Toxic", "safe", ""]}, kind="classification", positive="toxic")
    np.testing.assert_array_equal(cells.value, [1, 1, 0, np.nan])


def test_weights():
    cells = cells_of({"y": ["1", "2", "3", "4"], "w": ["0.5", "", "-1", "x"]}, weight_column="w")
    np.testing.assert_array_equal(cells.weight[:2], [0.5, 1])
    assert [cells.problems[row][0] for row in (2, 3)] == ["weight", "weight"]


def test_standard_errors_become_weights():
    cells = cells_of({"y": ["1", "2", "3", "4"], "e": ["0.1", "0.2", "", "0.1"]}, error_column="e")
    np.testing.assert_allclose(cells.weight, [1, 0.25, 1, 1])


def test_standard_errors_follow_the_transform():
    """10 +- 1 nM and 1000 +- 100 nM are equally sure on the logarithmic scale."""
    cells = cells_of(
        {"y": ["10", "1000", "1000"], "e": ["1", "100", "200"]},
        error_column="e", source_unit="nM", transform="p",
    )  # fmt: skip
    np.testing.assert_allclose(cells.weight, [1, 1, 0.25], rtol=1e-4)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"weight_column": "w", "error_column": "e"}, "keep one of them"),
        ({"kind": "classification", "transform": "p"}, "classification takes no"),
        ({"offset": 1.0}, "without transform: log10"),
        ({"log_unit": "nM"}, "log_unit: 'nM' has no effect without transform: log10"),
        ({"positive": "toxic"}, "add kind: classification"),
        ({"kind": "classification", "negative": ["safe"]}, "add positive with the cell that means Yes"),
        ({"unit_column": "u"}, "unit: is missing.*such as uM"),
        ({"source_unit": "nM"}, "unit: is missing"),
        ({"unit_column": "u", "transform": "log10"}, "unit: is missing.*such as log10 uM"),
        (
            {"transform": "p", "source_unit": "nM", "unit": "nM"},
            "unit: 'nM', but transform: p gives -log10 M",
        ),
        ({"transform": "p", "source_unit": "nM", "unit": "log10 M"}, "unit: 'log10 M', but"),
        (
            {"transform": "p", "source_unit": "nM", "unit": "nmol"},
            "unit: 'nmol', but transform: p gives -log10 M",
        ),
        (
            {"transform": "log10", "source_unit": "uM", "log_unit": "nM", "unit": "log10 uM"},
            "unit: 'log10 uM', but transform: log10 gives log10 nM",
        ),
        ({"transform": "log10", "unit": "uM"}, "unit: 'uM', but transform: log10 gives the log10"),
        ({"transform": "p"}, "transform: p needs .* source_unit"),
        (
            {"transform": "p", "source_unit": "nMol"},
            "source_unit: 'nMol' cannot be converted.*choose one of M,",
        ),
        ({"source_unit": "furlong", "unit": "uM"}, "source_unit: 'furlong' cannot be converted to 'uM'"),
    ],
)
def test_params_that_say_nothing_together(endpoint, said):
    with pytest.raises(ValueError, match=said):
        EndpointParams.model_validate(endpoint)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"transform": "log10", "unit": "log10 uM"}, [-3, 1, 2]),
        ({"transform": "log10", "log_unit": "nM"}, [0, 4, 5]),
        ({"transform": "p"}, [9, 5, 4]),
        ({"unit": "uM"}, [1e-3, 10, 100]),
    ],
)
def test_records_in_different_units_agree_once_converted(said, expected):
    table = {"y": ["1", "10", "100"], "u": ["nM", "uM", "uM"]}
    np.testing.assert_allclose(cells_of(table, unit_column="u", **said).value, expected, rtol=1e-12)


def test_unit_says_what_the_logarithm_is_of_where_log_unit_does_not():
    cells = cells_of({"y": ["1000"]}, source_unit="nM", transform="log10", unit="log10 uM")
    np.testing.assert_allclose(cells.value, [0], atol=1e-12)


def test_log10_of_cells_in_a_unit_that_no_table_knows():
    cells = cells_of({"y": ["100", ">10"]}, source_unit="mL/min/kg", transform="log10")
    np.testing.assert_allclose(cells.value, [2, 1])
    assert (list(cells.relation), cells.problems) == (["=", ">"], {})


def test_decimal_comma_holds_for_weights_and_errors():
    table = {"y": ["1,5", "2", "3"], "w": ["0,5", "", "2"], "e": ["0,1", "0,2", "0,1"]}
    weighed = cells_of(table, decimal=",", weight_column="w")
    np.testing.assert_array_equal(weighed.weight, [0.5, 1, 2])
    of_errors = cells_of(table, decimal=",", error_column="e")
    np.testing.assert_allclose(of_errors.weight, [1, 0.25, 1])
    assert not weighed.problems
    assert not of_errors.problems


def test_a_point_beside_decimal_commas_parts_thousands_or_is_no_number():
    cells = cells_of({"y": ["1.234.567,5", "1.234", "1.5", "1,5.5", "-0,5e3"]}, decimal=",")
    np.testing.assert_array_equal(cells.value, [1234567.5, 1234, np.nan, np.nan, -500])
    assert {row: code for row, (code, _) in cells.problems.items()} == {2: "not_a_number", 3: "not_a_number"}


def test_what_is_not_the_positive_cell_is_counted_as_0_by_its_word():
    words = ["toxic", "safe", "Safe", "low", "unknown", "n.d.", "NA"]
    cells = cells_of({"y": words}, kind="classification", positive="toxic")
    np.testing.assert_array_equal(cells.value, [1, 0, 0, 0, np.nan, np.nan, np.nan])
    assert cells.taken_as_0 == {1: "safe", 2: "safe", 3: "low"}
    assert {row: code for row, (code, _) in cells.problems.items()} == {4: "not_a_class"}


def test_with_negative_given_no_other_cell_is_class_0():
    words = ["+", "-", "none", "low", ""]
    cells = cells_of({"y": words}, kind="classification", positive="+", negative=["-", "none"])
    np.testing.assert_array_equal(cells.value, [1, 0, 0, np.nan, np.nan])
    assert list(cells.problems) == [3]
    assert "negative" in cells.problems[3][1]


def test_a_class_that_is_a_number_may_be_written_as_any():
    cells = cells_of(
        {"y": ["2", "2.0", "3.00", "2_0"]}, kind="classification", positive=2, negative=["3", "20"]
    )
    np.testing.assert_array_equal(cells.value, [1, 1, 0, np.nan])


def test_a_class_may_be_called_by_a_number():
    cells = cells_of({"y": ["2", "3"]}, kind="classification", positive=2, negative=[3])
    np.testing.assert_array_equal(cells.value, [1, 0])
