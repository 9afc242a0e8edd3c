"""What `manywalks init` makes of a table."""

import numpy as np
import pandas as pd
import pytest

from manywalks.data.curate import curate_table
from manywalks.data.guess.guess import guess_endpoint, guess_params

SMILES = ["CCO", "CCN", "CC(=O)O", "c1ccccc1O", "CC(C)=O", "C1CCCCC1"]


def guessed(**columns):
    """The parameters for a table of SMILES and these columns, and the table curated by them."""
    frame = pd.DataFrame({"Smiles": SMILES, **columns}, dtype=str)
    guess = guess_params(frame, "t.csv", "t.csv")
    return guess, curate_table(frame, guess.params)


def export(style):
    """A ChEMBL activity export, with the names of its web page or of its API."""
    table = {
        "Molecule ChEMBL ID": [f"CHEMBL{i}" for i in range(6)],
        "Molecule Max Phase": ["1", "2", "3", "4", "0.5", "-1"],
        "#RO5 Violations": ["0", "1", "2", "3", "4", "5"],
        "Ligand Efficiency BEI": ["1.1", "2.2", "3.3", "4.4", "5.5", "6.6"],
        "Standard Type": ["IC50"] * 5 + ["Ki"],
        "Standard Relation": ["'='", "'>'", "'='", "'='", "'='", "'='"],
        "Standard Value": ["100", "10", "1", "5", "6", "7"],
        "Standard Units": ["nM", "uM", "uM", "nM", "nM", "nM"],
        "Data Validity Comment": ["", "", "", "Outside typical range", "", ""],
        "Potential Duplicate": ["0", "0", "0", "0", "1", "0"],
        "Document Year": ["2001", "2002", "2003", "2004", "2005", "2006"],
    }
    return table if style == "page" else {name.lower().replace(" ", "_"): c for name, c in table.items()}


@pytest.mark.parametrize("style", ["page", "api"])
def test_a_chembl_export_has_one_endpoint_with_units_relations_and_its_doubts_left_out(style):
    guess, curated = guessed(**export(style))
    assert list(guess.params.data.endpoints) == ["pIC50"]
    assert guess.params.data.endpoints["pIC50"].unit == "pIC50"
    assert curated.molecules["pIC50"].tolist() == pytest.approx([7, 5, 6])
    assert curated.molecules["pIC50:relation"].tolist() == ["=", "<", "="]
    assert curated.rejected["reason"].tolist() == ["filtered"] * 3
    assert any("year" in line and "method: time" in line for line in guess.assumed)


def test_a_chembl_export_counts_the_values_of_the_records_that_are_used():
    guess, _ = guessed(**export("page"))
    assert "endpoint 'pIC50': regression, unit 'pIC50', 3 values" in guess.assumed


def test_a_chembl_export_whose_commonest_kind_has_doubts_throughout_leaves_records():
    """Those of another kind have none; asked for both, data.where would leave no record."""
    guess, curated = guessed(
        **export("page") | {"Data Validity Comment": ["Outside typical range"] * 5 + [""]}
    )
    assert set(guess.params.data.where) == {"Standard Type", "Potential Duplicate"}
    assert len(curated.molecules) == 4


def test_a_chembl_export_of_another_kind_keeps_its_unit():
    table = export("page") | {"Standard Type": ["Inhibition"] * 6, "Standard Units": ["%"] * 6}
    guess, curated = guessed(**table)
    assert guess.params.data.endpoints["Inhibition"].unit == "%"
    assert curated.molecules["Inhibition"].tolist() == [100, 10, 1, 7]


def test_a_chembl_export_that_names_no_type_is_called_by_its_values():
    table = export("page") | {"Standard Type": [""] * 6, "Standard Units": ["nM"] * 6}
    guess, _ = guessed(**table)
    assert {n: e.unit for n, e in guess.params.data.endpoints.items()} == {"Standard Value": "nM"}
    assert "Standard Type" not in guess.params.data.where


def test_a_chembl_export_without_some_types_is_of_the_one_it_names_most():
    guess, curated = guessed(**export("page") | {"Standard Type": ["", "IC50", "", "", "", ""]})
    assert list(guess.params.data.endpoints) == ["pIC50"]
    assert curated.molecules["record"].tolist() == [2]


@pytest.mark.parametrize("cell", ["None", "", "0.0", "False"])
def test_a_chembl_export_keeps_records_that_nothing_is_said_against(cell):
    doubts = {"Data Validity Comment": ["None"] * 5 + ["Outside"], "Potential Duplicate": [cell] * 5 + ["1"]}
    guess, curated = guessed(**export("page") | doubts)
    assert guess.params.data.where["Potential Duplicate"] == (cell,)
    assert curated.molecules["record"].tolist() == [1, 2, 3, 4, 5]


def test_a_chembl_export_of_nothing_but_duplicates_is_not_emptied():
    guess, _ = guessed(**export("page") | {"Potential Duplicate": ["1"] * 6})
    assert "Potential Duplicate" not in guess.params.data.where


def test_a_table_with_decimal_commas():
    guess, curated = guessed(logS=["1,5", ">2,25", "3,0", "4", "5,5", "-6,1"], n=["1"] * 6)
    assert guess.params.data.decimal == ","
    assert curated.molecules["logS"].tolist() == [1.5, 2.25, 3, 4, 5.5, -6.1]


def test_commas_between_thousands_are_no_decimal_commas():
    guess, _ = guessed(y=["1.5", "2", "3", "4", "5", "6"], n=["1,000", "2,000", "3,000"] * 2)
    assert guess.params.data.decimal == "."


def test_a_column_called_like_one_of_ours_becomes_an_endpoint_of_another_name():
    values = ["1", "2", "3", "4", "5", "6"]
    guess, curated = guessed(**{"similarity": values, "a:b": values})
    assert list(guess.params.data.endpoints) == ["similarity value", "a b"]
    assert curated.molecules["similarity value"].tolist() == [1, 2, 3, 4, 5, 6]


RELATIONS = ["<", "=", "", ">", "=", "="]
VALUES = ["1.5", "2.5", "3.5", "4.5", "5.5", "6.5"]


def test_a_column_of_relations_belongs_to_the_one_endpoint():
    guess, curated = guessed(relation=RELATIONS, pIC50=VALUES)
    assert guess.params.data.endpoints["pIC50"].relation_column == "relation"
    assert curated.molecules["pIC50:relation"].tolist() == ["<", "=", "=", ">", "=", "="]
    assert any("relations of 'pIC50': column 'relation'" in line for line in guess.assumed)


def test_relations_beside_several_endpoints_are_asked_about_or_taken_by_name():
    guess, _ = guessed(relation=RELATIONS, pIC50=VALUES, pKi=VALUES)
    assert all(e.relation_column is None for e in guess.params.data.endpoints.values())
    assert any("'relation' holds" in line and "not known" in line for line in guess.assumed)
    named, _ = guessed(pKi_relation=RELATIONS, pIC50=VALUES, pKi=VALUES)
    assert named.params.data.endpoints["pKi"].relation_column == "pKi_relation"
    assert named.params.data.endpoints["pIC50"].relation_column is None


def test_a_column_of_units_converts_record_by_record():
    units = ["nM", "uM", "uM", "nM", "nM", "nM"]
    guess, curated = guessed(IC50=["100", "10", "1", "5", "6", "7"], unit=units)
    assert guess.params.data.endpoints["IC50"].unit == "pIC50"
    assert curated.molecules["IC50"].tolist()[:3] == pytest.approx([7, 5, 6])
    guess, curated = guessed(solubility=VALUES, units=["mg/L"] * 5 + ["ug/L"])
    assert guess.params.data.endpoints["solubility"].unit == "mg/L"
    assert curated.molecules["solubility"].tolist()[5] == pytest.approx(0.0065)


def test_a_chembl_unit_is_that_of_the_records_that_are_used():
    table = export("page") | {
        "Standard Type": ["CL"] * 4 + ["Inhibition"] * 2,
        "Standard Units": ["mL.min-1.kg-1", "mL.min-1.kg-1", "mL.min-1.kg-1", "%", "%", "%"],
    }
    guess, _ = guessed(**table)
    assert {n: e.unit for n, e in guess.params.data.endpoints.items()} == {"CL": "mL.min-1.kg-1"}


def test_a_chembl_table_without_kinds_converts_its_units():
    table = {name: cells for name, cells in export("page").items() if name != "Standard Type"}
    guess, curated = guessed(**table)
    assert guess.params.data.endpoints["Standard Value"].unit == "-log10 M"
    assert curated.molecules["Standard Value"].tolist() == pytest.approx([7, 5, 6, -np.log10(7e-9)])


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"Acid/Base": ["acid", "base"] * 3}, None),
        ({"Acid/Base": ["acid", "base"] * 3, "Compound": [f"K-{i}" for i in range(6)]}, "Compound"),
        ({"CID": ["7", "8", "9", "10", "11", "12"]}, "CID"),
        ({"batch_id": ["1", "1", "1", "2", "2", "2"]}, None),
        ({"name": ["2244", "2245", "2246", "2247", "2248", "2249"]}, "name"),
        ({"plasma half id": VALUES}, None),
    ],
)
def test_ids_name_one_molecule_each_and_init_says_which(columns, found):
    guess, _ = guessed(logS=["1.1", "2.2", "3.3", "4.4", "5.5", "6.6"], **columns)
    assert guess.params.data.id == found
    assert any(line.startswith("ids: ") and (found or "no column") in line for line in guess.assumed)


def test_columns_with_their_own_decimal_marks_are_named():
    guess, curated = guessed(
        a=["1,5", "2,5", "3,5", "4,5", "5,5", "6,5"], b=VALUES, c=["0,1", "0,2", "0,3"] * 2
    )
    assert any("decimal comma, but with a decimal point in 'b'" in line for line in guess.assumed)
    assert curated.molecules["b"].tolist() == [float(value) for value in VALUES]


def test_classes_of_1_and_minus_1_are_named():
    guess, curated = guessed(active=["1", "-1", "-1", "1", "1", "-1"])
    assert guess.params.data.endpoints["active"].negative == ("-1",)
    assert curated.molecules["active"].tolist() == [1, 0, 0, 1, 1, 0]


@pytest.mark.parametrize("missing", ["n/a", "NULL", "-", "None", "#N/A", "nan", "<NA>"])
def test_every_word_for_missing_is_known(missing):
    frame = pd.DataFrame({"smiles": [missing, *SMILES], "y": [*VALUES, missing]}, dtype=str)
    assert list(guess_params(frame, "t", "t").params.data.endpoints) == ["y"]


def test_repeats_of_few_molecules_are_a_table_like_others():
    frame = pd.DataFrame(
        {"smiles": ["CCO"] * 8 + ["CC(=O)C"] * 8, "y": [str(i / 4) for i in range(16)]}, dtype=str
    )
    assert guess_params(frame, "t", "t").params.data.smiles == "smiles"


def test_yes_no_with_a_few_others_are_classes() -> None:
    cells = pd.Series(["Yes", "No"] * 40 + ["inconclusive"] * 4)
    found = guess_endpoint(cells, "inhibitor")
    assert found is not None and found.kind == "classification"
    assert guess_endpoint(pd.Series(["Yes", "inconclusive"] * 40), "inhibitor") is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("logD (7.4)", ""),
        ("logP (exp.)", ""),
        ("logS (mol/L)", "log mol/L"),
        ("logS (log10 mol/L)", "log10 mol/L"),
        ("IC50 (nM)", "nM"),
        ("recovery (%)", "%"),
        ("half-life (h)", "h"),
    ],
)
def test_brackets_hold_a_unit_or_they_do_not(name: str, unit: str) -> None:
    found = guess_endpoint(pd.Series([str(value / 7) for value in range(40)]), name)
    assert found is not None and found.unit == unit
