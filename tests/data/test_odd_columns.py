"""Columns as tables have them: numbers, relations, units, ids, classes; what init takes each for."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.odd_files import EXPECTED, IDS, PLAIN, SMILES, Seen, init_refusal, seen, table, written

NAN = float("nan")
Y = PLAIN["y"]
POTENCY = [f"{0.5 + 3.7 * i:.1f}" for i in range(10)]


def tried(folder: Path, **columns: list[str]) -> Seen:
    """A table of ids, SMILES and these columns; __ in a name is a blank."""
    named = {name.replace("__", " "): cells for name, cells in columns.items()}
    return seen(written(folder, "t.csv", table({"id": IDS, "smiles": SMILES, **named}, ";")))


def values(found: Seen) -> list[float]:
    """By id, NaN where the record is rejected."""
    by_id = {name: value for (name, _), value in found.values.items()}
    return [by_id.get(name, NAN) for name in IDS]


NUMBERS = {
    "decimal commas": (["0,1", "1,25", "-2,5"], [0.1, 1.25, -2.5]),
    "three digits behind a comma": (["0,162", "-0,301", "1,204"], [0.162, -0.301, 1.204]),
    "three digits behind a point": (["0.162", "-0.301", "1.204"], [0.162, -0.301, 1.204]),
    "commas between thousands": (["1,234.5", "1,000,000", "12.5"], [1234.5, 1e6, 12.5]),
    "points between thousands": (["1.234,5", "1.000.000", "12,5"], [1234.5, 1e6, 12.5]),
    "apostrophes": (["1'234.5", "2’345.25", "12.5"], [1234.5, 2345.25, 12.5]),
    "narrow blanks": (["1\u202f234,5", "2\u00a0345,25", "12,5"], [1234.5, 2345.25, 12.5]),
    "exponents": (["1e-3", "2.5E+03", "4e5"], [1e-3, 2500, 4e5]),
    "any hyphen for minus": (["−1.5", "–2.5", "‐3.5"], [-1.5, -2.5, -3.5]),
    "points at the ends": ([".5", "-.5", "5."], [0.5, -0.5, 5]),
    "zeros in front": (["007", "08.5", "+3"], [7, 8.5, 3]),
    "both marks": (["1.5", "2,5", "3.5"], [1.5, NAN, 3.5]),
    "hexadecimal": (["0x10", "5", "6"], [NAN, 5, 6]),
    "underscores": (["1_000", "5", "6"], [NAN, 5, 6]),
    "endless": (["inf", "5", "6"], [NAN, 5, 6]),
    "beyond measure": (["1e308", "5", "6"], [NAN, 5, 6]),
    "a blank within": (["1 2", "5", "6"], [NAN, 5, 6]),
    "two points": (["1.2.3", "5", "6"], [NAN, 5, 6]),
    "a unit behind": (["5 nM", "5", "6"], [NAN, 5, 6]),
    "an error behind": (["5 ± 1", "5", "6"], [NAN, 5, 6]),
    "a range": (["1-2", "5", "6"], [NAN, 5, 6]),
    "a star behind": (["5*", "5", "6"], [NAN, 5, 6]),
    "in brackets": (["(5)", "5", "6"], [NAN, 5, 6]),
    "a date that was a number": (["01. Mai", "5", "6"], [NAN, 5, 6]),
    "a fraction": (["1/2", "5", "6"], [NAN, 5, 6]),
    "Arabic digits": (["٣", "5", "6"], [NAN, 5, 6]),
}
PLAIN_NUMBERS = ["10", "20", "30", "40", "50", "60", "70"]


@pytest.mark.parametrize(("cells", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_itself_or_none(tmp_path: Path, cells: list[str], expected: list[float]) -> None:
    found = tried(tmp_path, y=[*cells, *PLAIN_NUMBERS])
    taken = np.array(values(found))
    taken = 10**taken if found.guess.params.data.endpoints["y"].transform == "log10" else taken
    np.testing.assert_allclose(taken, [*expected, *map(float, PLAIN_NUMBERS)])
    assert set(found.rejected.values()) <= {"not_a_number"}


def test_each_column_has_its_own_mark(tmp_path: Path) -> None:
    commas = [value.replace(".", ",") for value in POTENCY]
    assert values(tried(tmp_path, y=Y, z=commas)) == list(EXPECTED.values())
    assert values(tried(tmp_path, z=commas, y=Y)) == [float(value) for value in POTENCY]


@pytest.mark.parametrize(
    "word", ["", "NA", "n/a", "NaN", "null", "None", "-", "--", "—", "?", "n.d.", "ND", "nt", "not tested"]
)  # fmt: skip
def test_half_a_column_may_be_missing_in_any_word(tmp_path: Path, word: str) -> None:
    found = tried(tmp_path, y=[*Y[:5], *[word] * 5])
    assert values(found)[:5] == [float(value) for value in Y[:5]]
    assert found.rejected == dict.fromkeys(range(6, 11), "unmeasured")


RELATIONS = {
    "signs": (["<", "=", ">"], ["<", "=", ">"]),
    "quoted": (["'<'", "'='", "'>'"], ["<", "=", ">"]),
    "wide": (["<=", "==", ">="], ["<", "=", ">"]),
    "doubled": (["<<", "~", ">>"], ["<", "=", ">"]),
    "one sign": (["≤", "≈", "≥"], ["<", "=", ">"]),
    "letters": (["lt", "eq", "gt"], ["<", "=", ">"]),
    "capitals": (["LT", "EQ", "GT"], ["<", "=", ">"]),
    "with equal": (["le", "eq", "ge"], ["<", "=", ">"]),
    "words": (["less than", "equal to", "greater than"], ["<", "=", ">"]),
    "blanks": (["<", "", ">"], ["<", "=", ">"]),
    "missing": (["<", "NaN", ">"], ["<", "=", ">"]),
    "bounds alone": ([">", "", ""], [">", "=", "="]),
}


@pytest.mark.parametrize(("cells", "expected"), RELATIONS.values(), ids=RELATIONS)
def test_relations_however_they_are_written(tmp_path: Path, cells: list[str], expected: list[str]) -> None:
    found = tried(tmp_path, IC50=POTENCY, qualifier=[*cells, *["="] * 7])
    assert [found.relations[name] for name in IDS] == [*expected, *["="] * 7]
    assert "relations of 'IC50': column 'qualifier'" in found.said


UNITS = {
    "one": (["nM"] * 10, "unit", "nM", "units of 'value'"),
    "two": (["nM", "uM"] * 5, "unit", "nM", "units of 'value'"),
    "micro": (["µM", "μM"] * 5, "unit", "µM", "units of 'value'"),
    "masses": (["mg/L", "ug/mL"] * 5, "Units", "mg/L", "units of 'value'"),
    "unknown, one": (["RFU"] * 10, "Unit", "RFU", "unit of 'value': 'RFU', as column 'Unit' says"),
    "unknown, several": (["NM", "UM"] * 5, "unit", "", "holds NM, UM, which are not known"),
    "of the business": (["Oncology", "CNS"] * 5, "business__unit", "", "left alone: 'business unit'"),
}


@pytest.mark.parametrize(("cells", "name", "unit", "said"), UNITS.values(), ids=UNITS)
def test_units_are_taken_or_asked_about(
    tmp_path: Path, cells: list[str], name: str, unit: str, said: str
) -> None:
    found = tried(tmp_path, value=POTENCY, **{name: cells})
    assert found.guess.params.data.endpoints["value"].unit == unit
    assert said in found.said


def test_units_are_converted_and_unknown_ones_rejected(tmp_path: Path) -> None:
    found = tried(tmp_path, value=POTENCY, unit=["nM", "uM", "RFU", *["nM"] * 7])
    expected = [float(value) for value in POTENCY]
    expected[1] *= 1000
    expected[2] = NAN
    np.testing.assert_allclose(values(found), expected)
    assert found.rejected == {3: "unit"}
    assert "records in RFU will be rejected" in found.said


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("IC50 [uM]", "uM"), ("IC50 (nM)", "nM"), ("IC50_nM", "nM"), ("IC50 nM", "nM"), ("IC50, nM", "nM"),
        ("Solubility / mg/L", "mg/L"), ("Ki_in_uM", "uM"), ("logS mol/L", "log mol/L"), ("Kd_M", ""),
        ("logD (7.4)", ""), ("[red]y[/red]", ""), ("y per day", ""), ("inhibition %", ""), ("IC50", ""),
    ],
)  # fmt: skip
def test_a_unit_is_read_off_a_name(tmp_path: Path, name: str, unit: str) -> None:
    found = tried(tmp_path, **{name: POTENCY})
    assert found.guess.params.data.endpoints[name].unit == unit


OTHERS = {
    "CompoundID": [str(1000 + 3 * i) for i in range(10)],
    "MW": POTENCY,
    "MolWt": POTENCY,
    "idx": [str(3 * i) for i in range(10)],
    "running number": [str(i) for i in range(10)],
    "counted from one": [str(i + 1) for i in range(10)],
    "regno": [str(12345678901234567 + 2 * i) for i in range(10)],
    "Unnamed: 0": POTENCY,
    "n": ["3", "4", "5", "6", "7"] * 2,
    "SEM": POTENCY,
    "y_std": POTENCY,
    "standard error": POTENCY,
    "Year": [str(2000 + i) for i in range(10)],
    "canonical_smiles": SMILES[::-1],
    "InChI": ["InChI=1S/CH4/h1H4"] * 10,
    "note": ["a", "b"] * 5,
    "nothing": [""] * 10,
    "one class": ["1"] * 10,
    "one word": ["active"] * 10,
}


@pytest.mark.parametrize(("name", "cells"), OTHERS.items(), ids=OTHERS)
def test_what_describes_a_record_is_no_endpoint(tmp_path: Path, name: str, cells: list[str]) -> None:
    found = tried(tmp_path, **{name: cells}, y=Y)
    assert list(found.guess.params.data.endpoints) == ["y"]
    assert found.values == EXPECTED
    assert repr(name) in found.said


def test_what_looks_measured_and_is_left_out_is_said(tmp_path: Path) -> None:
    found = tried(tmp_path, y=Y, z=[f"{value} nM" for value in POTENCY], SEM=POTENCY)
    assert (
        "not taken: column 'z' holds numbers in 0 of 10 cells ('0.5 nM' is not a finite number)" in found.said
    )
    assert "standard errors? column 'SEM' (error_column: 'SEM'" in found.said


CLASSES = {
    "numbers": ["1", "0"], "decimals": ["1.0", "0.0"], "yes and no": ["Yes", "No"], "Y and N": ["Y", "N"],
    "true and false": ["TRUE", "FALSE"], "T and F": ["T", "F"], "active": ["Active", "Inactive"],
    "positive": ["positive", "negative"], "pos": ["pos", "neg"], "plus and minus": ["+", "-"],
    "1 and -1": ["1", "-1"], "non-": ["toxic", "non-toxic"], "non": ["mutagenic", "nonmutagenic"],
    "in": ["soluble", "insoluble"], "not": ["binder", "not binder"], "un": ["stable", "unstable"],
}  # fmt: skip


@pytest.mark.parametrize("words", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("turned", [False, True])
def test_classes_are_known_by_their_words(tmp_path: Path, words: list[str], turned: bool) -> None:
    cells = words[::-1] * 5 if turned else words * 5
    found = tried(tmp_path, act=cells)
    assert found.guess.params.data.endpoints["act"].kind == "classification"
    assert values(found) == ([0, 1] * 5 if turned else [1, 0] * 5)


@pytest.mark.parametrize("left_out", ["inconclusive", "n.d.", "unknown", "?"])
def test_a_few_other_words_are_no_class(tmp_path: Path, left_out: str) -> None:
    found = tried(tmp_path, act=[*["yes", "no"] * 4, left_out, left_out])
    assert list(found.rejected) == [9, 10]


def test_a_class_of_one_word_is_refused_with_its_column(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"column 'act' of endpoint act has class 1 alone in the 5 molecules"
    ):
        content = table({"id": IDS, "smiles": [*SMILES[:5], *["XX"] * 5], "act": [*"11111", *"00000"]})
        seen(written(tmp_path, "t.csv", content))


@pytest.mark.parametrize(
    "name", ["[red]y[/red]", "<script>y", "=cmd|' /C calc'!A0", "y & z", "{{ y }}", ":x:"]
)
def test_markup_in_names_is_text(tmp_path: Path, name: str) -> None:
    content = table({"id": IDS, "smiles": SMILES, name: PLAIN["y"]}, "\t")
    found = seen(written(tmp_path, "t.csv", content))
    (endpoint,) = found.guess.params.data.endpoints.items()
    assert (endpoint[1].source(endpoint[0]), endpoint[1].unit) == (name, "")
    assert found.values == EXPECTED


def test_init_says_why_a_column_is_no_measurement(tmp_path: Path) -> None:
    for cells, said in (
        (
            [f"{i} nM" for i in range(10)],
            "'y' holds numbers in 0 of 10 cells ('0 nM' is not a finite number): write the number alone, and "
            "its unit in a column of its own",
        ),
        ([f"{1 + i % 9},{i}{i}{i}" for i in range(10)], "can be read two ways"),
        (["active"] * 10, "'y' holds 'active' alone"),
        (["A", "I"] * 5, "'y' holds 'A' (5), 'I' (5): classes are written 1 and 0, or yes and no"),
        ([""] * 10, "'y' is empty"),
        (["1", "2"] * 5, "'y' holds '1' (5), '2' (5)"),
        ([str(10**12 + 7 * i) for i in range(10)], "'y' looks like numbers of records"),
    ):
        content = table({"id": IDS, "smiles": SMILES, "y": cells}, ";")
        assert said in init_refusal(written(tmp_path, "t.csv", content))
