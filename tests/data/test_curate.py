"""Records -> molecules: nothing is lost, whatever comes."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from manywalks.data.curate import curate_table
from manywalks.data.dates import read_times
from manywalks.data.records import REASONS, texts
from manywalks.params.load import parse_params
from manywalks.tables.frame import read_table
from manywalks.tasks import curate as curate_step
from manywalks.workspace import Workspace
from tests.support.molecules import DRUGS, written_twice

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("MANYWALKS_DATA", ROOT / "../shared/data")).resolve()


def params_of(endpoints=None, split=None, curate=None, **data):
    raw = {
        "data": {"path": "table.csv", "endpoints": endpoints or {"y": {}}, **data},
        "curate": curate or {},
        "split": split or {},
        "orchestrate": {"cores": 2},
    }
    return parse_params(raw)


def run(table, **settings_of):
    """Curate a table of columns, and check what always holds."""
    frame = pd.DataFrame({name: pd.Series(column, dtype=str) for name, column in table.items()})
    before = frame.copy()
    curated = curate_table(frame, params_of(**settings_of))
    pd.testing.assert_frame_equal(frame, before)
    whole(curated, len(frame))
    return curated


def whole(curated, n):
    """kept + merged + rejected = read, one reason each, and the card says the same."""
    molecules, rejected, card = curated
    assert molecules["records"].sum() + len(rejected) == n == card["records"]
    assert rejected["row"].is_unique
    assert rejected["row"].is_monotonic_increasing
    assert set(rejected["reason"]) <= set(REASONS)
    assert molecules["smiles"].is_unique
    assert len(molecules) + card["merged"] + card["rejected"] == n
    assert sum(reason["count"] for reason in card["reasons"].values()) == card["rejected"]
    assert [step["step"] for step in card["steps"]] == [
        "read", "filtered", "standardized", "measured", "used", "merged",
    ]  # fmt: skip
    used, left = (step["records"] for step in card["steps"][-2:])
    assert (n - used, used - left, left) == (len(rejected), card["merged"], len(molecules))
    json.dumps(card, allow_nan=False)


def test_columns_of_the_outcome():
    molecules, rejected, _ = run({"smiles": ["CCO", "OCC", "C1CC"], "y": ["1", "2", "3"]})
    assert list(molecules) == ["id", "smiles", "record", "records", "flags", "y", "y:relation", "y:weight",
                               "y:repeats", "y:repeat_sd"]  # fmt: skip
    row = molecules.iloc[0]
    assert (row["id"], row["smiles"], row["record"], row["records"], row["y"]) == ("1", "CCO", 1, 2, 1.5)
    assert (row["y:relation"], row["y:weight"], row["y:repeats"]) == ("=", 1, 2)
    assert row["y:repeat_sd"] == pytest.approx(np.std([1, 2], ddof=1))
    assert rejected.to_numpy().tolist()[0][:4] == [3, "3", "C1CC", "unparsable"]
    assert molecules.dtypes[["record", "records", "y:repeats"]].tolist() == [np.dtype("int64")] * 3


def test_each_record_has_one_reason():
    table = {
        "smiles": ["CCO", "", "C1CC", "CCN", "CCC", "CCCl", "CCBr"],
        "y": ["1", "1", "bad", "bad", "", "2", "3"],
        "keep": ["yes", "yes", "yes", "yes", "yes", "no", "yes"],
    }
    _, rejected, card = run(table, where={"keep": ["yes"]})
    assert dict(zip(rejected["row"], rejected["reason"], strict=True)) == {
        2: "empty", 3: "unparsable", 4: "not_a_number", 5: "unmeasured", 6: "filtered",
    }  # fmt: skip
    assert card["endpoints"]["y"]["ignored_cells"] == {"not_a_number": 2}


def test_a_bad_cell_beside_a_good_one_keeps_the_record():
    molecules, _, card = run(
        {"smiles": ["CCO", "CCN"], "a": ["1", "2"], "b": ["x", "3"]}, endpoints={"a": {}, "b": {}}
    )
    assert len(molecules) == 2
    assert np.isnan(molecules["b"][0])
    assert (molecules["b:relation"][0], molecules["b:weight"][0], molecules["b:repeats"][0]) == ("", 0, 0)
    assert card["endpoints"]["b"]["ignored_cells"] == {"not_a_number": 1}
    assert card["endpoints"]["b"]["ignored_examples"] == [
        {"row": 1, "detail": "b: 'x' is not a finite number"}
    ]


def test_where_takes_numbers_and_empty_cells():
    table = {"smiles": ["CCO", "CCN", "CCC"], "y": ["1"] * 3, "dup": ["0", "0.0", "1"], "note": ["", "", "x"]}
    assert len(run(table, where={"dup": [0], "note": [""]}).molecules) == 2
    assert len(run(table, where={"dup": 0, "note": ""}).molecules) == 2


def test_where_takes_true_however_it_is_written():
    table = {"smiles": ["CCO", "CCN", "CCC"], "y": ["1"] * 3, "ok": ["true", "TRUE", "False"]}
    assert run(table, where={"ok": [True]}).molecules["smiles"].tolist() == ["CCO", "CCN"]


def test_where_tells_long_numbers_apart():
    table = {"smiles": ["CCO", "CCN"], "y": ["1", "2"], "batch": ["1234567", "1234568"]}
    assert run(table, where={"batch": [1234567]}).molecules["smiles"].tolist() == ["CCO"]


def test_the_card_says_which_words_were_taken_as_0():
    endpoints = {"y": {"kind": "classification", "positive": "toxic"}}
    table = {"smiles": ["CCO", "CCN", "CCC", "CCF"], "y": ["toxic", "safe", "unknown", "mild"]}
    card = run(table, endpoints=endpoints).card["endpoints"]["y"]
    assert card["taken_as_0"] == {"safe": 1, "mild": 1}
    assert card["ignored_cells"] == {"not_a_class": 1}


def test_what_is_counted_of_an_endpoint_leaves_out_the_filtered_records():
    endpoints = {"y": {"kind": "classification", "positive": "toxic"}}
    table = {
        "smiles": ["CCO", "CCN", "CCC", "CCF", "CCCl"],
        "y": ["toxic", "safe", "unknown", "mild", "unknown"],
        "ok": ["1", "1", "1", "0", "0"],
    }
    card = run(table, endpoints=endpoints, where={"ok": 1}).card["endpoints"]["y"]
    assert card["taken_as_0"] == {"safe": 1}
    assert card["ignored_cells"] == {"not_a_class": 1}
    assert [example["row"] for example in card["ignored_examples"]] == [3]


def test_the_error_of_a_filtered_record_weighs_no_other():
    table = {"smiles": ["CCO", "CCN", "CCC"], "y": ["1"] * 3, "e": ["1", "1", "9"], "ok": ["1", "1", "0"]}
    table = {name: [*cells, *[cells[-1]] * 2] for name, cells in table.items()}
    molecules = run(table, endpoints={"y": {"error_column": "e"}}, where={"ok": 1}).molecules
    assert molecules["y:weight"].tolist() == [1, 1]


def test_spread_flags_or_rejects():
    table = {"smiles": ["CCO", "OCC", "CCN"], "y": ["1", "9", "3"]}
    endpoints = {"y": {"spread_limit": 2.0}}
    assert run(table, endpoints=endpoints).molecules["flags"].tolist() == ["y repeats apart", ""]
    molecules, rejected, _ = run(table, endpoints=endpoints, curate={"spread": "reject"})
    assert molecules["smiles"].tolist() == ["CCN"]
    assert rejected["reason"].tolist() == ["spread", "spread"]
    assert "8 apart, over 2" in rejected["detail"][0]


def test_a_tie_of_classes_is_a_conflict():
    endpoints = {"y": {"kind": "classification"}}
    _, rejected, _ = run(
        {"smiles": ["CCO", "OCC", "CCN", "CCC"], "y": ["1", "0", "1", "0"]}, endpoints=endpoints
    )
    assert rejected["reason"].tolist() == ["conflict", "conflict"]


def test_a_molecule_in_two_given_subsets_stays_in_test():
    table = {
        "smiles": ["CCO", "OCC", "CC(=O)CC(C)=O", "CC(O)=CC(C)=O", "CCN", "CCC"],
        "y": ["1", "2", "3", "4", "5", "6"],
        "subset": ["train", "Test", "test", "train_val", "training", "VALID"],
    }
    molecules, rejected, card = run(table, split={"method": "column", "column": "subset"})
    assert dict(zip(molecules["smiles"], molecules["split:subset"], strict=True)) == {
        "CCO": "test", "CC(=O)CC(C)=O": "test", "CCN": "train", "CCC": "valid",
    }  # fmt: skip
    assert molecules["y"].tolist() == [2, 3, 5, 6]
    assert dict(zip(rejected["row"], rejected["reason"], strict=True)) == {
        1: "other_subset",
        4: "other_subset",
    }
    assert card["split"]["in_two_subsets"] == 2


def test_unknown_parts_are_named():
    table = {"smiles": ["CCO", "CCN"], "y": ["1", "2"], "subset": ["train", "holdout"]}
    with pytest.raises(ValueError, match=r"'subset'.*'holdout'.*record 2.*known are train"):
        run(table, split={"method": "column", "column": "subset"})


def test_time_and_group_columns():
    table = {"smiles": ["CCO", "OCC", "CCN"], "y": ["1", "2", "3"], "when": ["2019", "2017-07-02", ""]}
    molecules, _, card = run(table, split={"method": "time", "column": "when"})
    assert molecules["split:time"].tolist() == pytest.approx([2017.5, np.nan], abs=0.01, nan_ok=True)
    assert card["split"]["undated"] == 1
    molecules, _, _ = run(table, split={"method": "group", "column": "when"})
    assert molecules["split:group"].tolist() == ["2017-07-02", ""]  # one group of both: the first name


def years_of(*cells):
    return read_times(np.array(cells, dtype=object), "table.csv", "when").tolist()


def test_a_column_of_dates_is_read_in_one_order():
    assert years_of("13/04/2020", "03/04/2020") == years_of("2020-04-13", "2020-04-03")
    assert years_of("04/13/2020", "03/04/2020") == years_of("2020-04-13", "2020-03-04")
    assert years_of("3.4.2020 10:00", "13.4.2020") == years_of("2020-04-03", "2020-04-13")
    assert years_of("04/04/2020") == years_of("4 April 2020") == years_of("20200404")


def test_dates_with_time_zones_are_taken_to_utc():
    mixed = years_of("2020-04-03T10:00:00+02:00", "2020-04-03T23:30:00-05:00", "2020-04-03")
    assert mixed == years_of("2020-04-03", "2020-04-04", "2020-04-03")


def test_missing_words_are_no_dates():
    assert np.isnan(years_of("NA", "-", "", " nan ")).all()


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["2020", "03/04/2020"], r"'03/04/2020' in record 2 can be read two ways; write dates as 2020-04-03"),
        (
            ["13/04/2020", "04/13/2020"],
            "'13/04/2020' in record 1 has the day first, '04/13/2020' in record 2",
        ),
        (["10:30"], "'10:30' in record 1 is neither a year nor a date"),
        (["43891"], "'43891' in record 1 is neither"),
        (["31/02/2020"], "'31/02/2020' in record 1 is neither"),
        (["99/99/2020"], "'99/99/2020' in record 1 is neither"),
        (["2020-04-03", "03/04/20"], "'03/04/20' in record 2 is neither"),
    ],
)
def test_a_date_that_can_be_doubted_is_refused(cells, said):
    with pytest.raises(ValueError, match=said) as refusal:
        years_of(*cells)
    assert str(refusal.value).startswith("table.csv: column 'when' (split.column): ")
    assert "\n" not in str(refusal.value)


def test_mass_units_use_the_parents_molar_mass():
    table = {"smiles": ["CCO.Cl", "CCO"], "y": ["46.068", "46.068"], "u": ["mg/mL", "mg/mL"]}
    endpoints = {"y": {"unit": "log10 mol/L", "unit_column": "u"}}
    molecules = run(table, endpoints=endpoints).molecules
    assert molecules["y"].tolist() == pytest.approx([0], abs=1e-4)


@pytest.mark.parametrize(
    ("table", "settings_of", "said"),
    [
        ({"smiles": [], "y": []}, {}, "holds no records"),
        (
            {"SMILES": ["CCO"], "yy": ["1"]},
            {},
            r"no column 'smiles' \(data.smiles\); did you mean 'SMILES'.*'y'",
        ),
        (
            {"smiles": ["CCO"], "logS": ["1"]},
            {"endpoints": {"solubility": {}}},
            r"\(data.endpoints.solubility\); it has 'smiles', 'logS'; if 'solubility' is a new name of "
            r"yours, add data.endpoints.solubility.column with the table's",
        ),
        ({"smiles": ["CCO"], "y": ["a"]}, {}, r"column 'y' of endpoint y holds no numbers \(y: 'a' is not"),
        ({"smiles": ["CCO"], "y": [""]}, {}, "all its cells are empty"),
        (
            {"smiles": ["C1CC"], "y": ["1"]},
            {},
            "no molecule is left of 1 records; 1 of 1 are rejected as unparsable",
        ),
        (
            {"smiles": ["CCO"], "y": ["maybe"]},
            {"endpoints": {"y": {"kind": "classification"}}},
            "holds no classes.*set `positive`",
        ),
        (
            {"smiles": ["CCO", "CCN"], "y": ["toxic", "safe"]},
            {"endpoints": {"y": {"kind": "classification", "positive": "hepatotoxic"}}},
            r"\.positive: 'hepatotoxic' is in no cell of column 'y', which holds 'toxic' \(1\)",
        ),
        (
            {"smiles": ["CCO", "CCN"], "y": ["1", "2"], "k": ["b", "c"]},
            {"where": {"k": "a"}},
            r"data\.where leaves no record: column 'k' shall hold 'a', but in the 2 .* 'b' \(1\), 'c' \(1\)",
        ),
    ],
)
def test_a_table_that_will_not_do_is_refused_in_one_line(table, settings_of, said):
    with pytest.raises(ValueError, match=said) as refusal:
        run(table, **settings_of)
    assert "\n" not in str(refusal.value)


def test_declared_checks_list_all_violations():
    table = {
        "smiles": ["CCO", "CCN"],
        "y": ["1", "200"],
        "id": ["a", "a"],
        "when": ["x", "2020-01-01"],
        "n": ["1.5", ""],
    }
    checks = {
        "y": {"type": "number", "max": 100},
        "id": {"unique": True, "pattern": "[a-z]+"},
        "when": {"type": "date"},
        "n": {"type": "integer", "empty": False},
        "gone": {},
        "maybe": {"required": False},
    }
    with pytest.raises(ValueError, match=r"table\.csv") as refusal:
        run(table, checks=checks)
    said = str(refusal.value)
    for subset in (
        "'200' in record 2 is over 100",
        "'a' in record 2 is there more than once",
        "'x' in record 1",
        "'1.5' in record 1 is not an integer",
        "'' in record 2 is empty",
        "no column 'gone'",
    ):
        assert subset in said
    assert "maybe" not in said
    assert "\n" not in said


def test_declared_checks_name_every_record_and_every_column():
    n = 40
    table = {"smiles": ["CCO"] * n} | {f"c{i}": ["x"] * n for i in range(20)} | {"y": ["1"] * n}
    table["y"][2:5] = ["bad"] * 3
    table["y"][30] = "worse"
    checks = {f"c{i}": {"type": "number"} for i in range(20)} | {"y": {"type": "number"}}
    with pytest.raises(ValueError, match=r"table\.csv") as refusal:
        run(table, checks=checks)
    said = str(refusal.value)
    assert "'bad' in record 3 is not a number (and 3 more, in records 4-5, 31)" in said
    assert all(f"column 'c{i}': 'x' in record 1 is not a number (and 39 more, in records 2-40)" in said
               for i in range(20))  # fmt: skip


def test_declared_checks_count_the_records_beyond_so_many_ranges():
    table = {"smiles": ["CCO"] * 500, "y": ["bad", "1"] * 250}
    with pytest.raises(ValueError, match=r"and 249 more, in records 3, 5, .*, 401 and 49 others\)$"):
        run(table, checks={"y": {"type": "number"}})


def test_declared_checks_read_cells_as_curation_does():
    table = {"smiles": ["CCO", "CCN", "CCC"], "y": ["1,5", ">5", "NA"], "c": ["1", "1.0", "1"]}
    table |= {"when": ["13/04/2020", "03/04/2020", "n/a"]}
    checks = {"y": {"type": "number", "max": 6}, "c": {"allowed": [1]}, "when": {"type": "date"}}
    run(table, checks=checks, decimal=",")
    with pytest.raises(ValueError, match="'NA' in record 3 is empty"):
        run(table, checks={"y": {"type": "number", "empty": False}}, decimal=",")


def test_declared_checks_that_hold_pass():
    checks = {"y": {"type": "number", "min": 0, "max": 9, "empty": False}, "smiles": {"unique": True}}
    assert len(run({"smiles": ["CCO", "CCN"], "y": ["1", "9"]}, checks=checks).molecules) == 2


def test_the_guide_lists_every_reason():
    guide = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    assert all(f"| `{code}` | {sentence} |" in guide for code, sentence in REASONS.items())


cell = st.sampled_from(["1", "2.5", ">3", "<0.1", "", "x", "nan", "1e9"])
records = st.lists(st.tuples(st.sampled_from([*DRUGS, "", "C1CC"]), cell, cell), min_size=1, max_size=12)


@given(records, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_order_of_rows_does_not_change_the_outcome(rows, random):
    rows = [("CCO", "1", "1"), *rows]
    shuffled = random.sample(rows, len(rows))

    def outcome(table):
        molecules, rejected, _ = run(
            {"smiles": [r[0] for r in table], "a": [r[1] for r in table], "b": [r[2] for r in table]},
            endpoints={"a": {}, "b": {}},
        )
        kept = molecules.drop(columns=["id", "record"]).sort_values("smiles").reset_index(drop=True)
        return kept, sorted(zip(rejected["smiles"], rejected["reason"], strict=True))

    (one, first), (other, second) = outcome(rows), outcome(shuffled)
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert first == second


@given(st.lists(st.tuples(written_twice(), st.floats(0, 9)), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_the_way_smiles_are_written_does_not_change_the_outcome(rows):
    outcomes = []
    for way in (0, 1):
        table = {"smiles": ["CCO", *[pair[way] for pair, _ in rows]], "y": ["1", *[str(y) for _, y in rows]]}
        molecules, rejected, _ = run(table)
        outcomes.append((molecules, rejected["reason"].tolist()))
    pd.testing.assert_frame_equal(outcomes[0][0], outcomes[1][0], check_exact=True)
    assert outcomes[0][1] == outcomes[1][1]


@given(records)
@settings(deadline=None, max_examples=40)
def test_curation_is_idempotent(rows):
    rows = [("CCO", "1", "1"), *rows]
    molecules = run({"smiles": [r[0] for r in rows], "y": [r[1] for r in rows]}).molecules
    cells = molecules["y:relation"].replace("=", "") + molecules["y"].map(repr)
    again = run({"smiles": molecules["smiles"].tolist(), "y": cells.tolist()})
    assert again.rejected.empty
    for column in ("smiles", "y", "y:relation"):
        assert again.molecules[column].tolist() == molecules[column].tolist()


def data(path):
    """A table of the public data, where it is."""
    if not (DATA / path).is_file():
        pytest.skip(f"{DATA / path} is not there; set MANYWALKS_DATA to the folder of public tables")
    return read_table(DATA / path)


@pytest.mark.parametrize("path", ["nasty/witch-salts.sdf", "nasty/odd_drawings.sdf"])
def test_nasty_drawings_lose_no_row(path):
    frame = data(path).assign(y="1")
    whole(curate_table(frame, params_of()), len(frame))


def test_a_slice_of_nasty_strings_loses_no_row():
    frame = data("nasty/nasty_smiles.csv").iloc[::40].assign(y="1")
    whole(curate_table(frame, params_of()), len(frame))


def test_a_raw_chembl_export():
    frame = data("assay/chembl_raw_maoa_human_ic50.csv").iloc[::4]
    endpoint = {"column": "Standard Value", "unit": "pIC50", "unit_column": "Standard Units",
                "relation_column": "Standard Relation", "transform": "p"}  # fmt: skip
    params = params_of(
        {"pIC50": endpoint},
        smiles="Smiles",
        id="Molecule ChEMBL ID",
        where={"Data Validity Comment": [""]},
        split={"method": "time", "column": "Document Year"},
    )
    curated = curate_table(frame, params)
    whole(curated, len(frame))
    assert curated.card["endpoints"]["pIC50"]["censored"]["below"] > 100
    assert 3 < np.median(curated.molecules["pIC50"].to_numpy(float)) < 8
    times = curated.molecules["split:time"].to_numpy(float)
    assert set(times[~np.isnan(times)] % 1) == {0}


def test_many_endpoints_with_gaps():
    frame = data("assay/tox21.csv").iloc[::16]
    params = params_of({name: {"kind": "classification"} for name in frame.columns[:12]}, id="mol_id")
    curated = curate_table(frame, params)
    whole(curated, len(frame))
    assert np.isnan(curated.molecules["NR-AR"].to_numpy(float)).any()


def test_one_long_text_does_not_make_room_for_as_long_ones() -> None:
    column = texts(["C"] * 20_000 + ["C" * 50_000])
    assert column.memory_usage(deep=True) < 1_000_000
    assert column.iloc[-1] == "C" * 50_000


def test_the_title_of_an_sdf_record_is_its_id(tmp_path):
    """The step itself reads the title, whether params.yaml names a column of ids or not."""
    blocks = []
    for name, smiles in (("A-1", "CCO"), ("", "CCN"), ("A-3", "CCCC")):
        mol = Chem.MolFromSmiles(smiles)
        mol.SetProp("_Name", name)
        blocks.append(f"{Chem.MolToMolBlock(mol)}>  <y>\n1.{len(blocks)}\n\n$$$$\n")
    (tmp_path / "t.sdf").write_text("".join(blocks), encoding="utf-8")
    text = "data: {path: t.sdf, endpoints: {y: {}}}\n"
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    curate_step.run(Workspace.open(tmp_path))
    assert pd.read_parquet(tmp_path / "data/curated.parquet")["id"].tolist() == ["A-1", "2", "A-3"]
