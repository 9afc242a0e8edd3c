"""The benchmark: nothing of the test rows is lost, merged or learned from, and a second run goes on."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy import scaffold_folds
from manywalks.benchmark import run as benchmark_run
from manywalks.benchmark.forms import Asked, moleculeace, observed, params_of, table, tdc
from manywalks.benchmark.rows import read_rows, with_features
from manywalks.benchmark.run import Suite, run_folder, suite_params
from manywalks.benchmark.shown import published_table, score_table, sentences
from manywalks.params.presets import PRESETS

SMALL = {
    "featurize": {"blocks": [{"kind": "morgan_count", "n_bits": 64}, {"kind": "physchem"}]},
    "network": {"widths": [8]},
    "train": {"epochs": 3},
}
TDC = Suite("tdc", 3, 1, SMALL)


def silent(line: str) -> None:
    """Tell nobody."""


def chains(values: list[float], split: list[str], smiles: list[str] | None = None) -> pd.DataFrame:
    smiles = smiles or ["C" * (length + 1) + "O" for length in range(len(values))]
    return pd.DataFrame({"Drug": smiles, "Y": [str(value) for value in values], "split": split})


def two_tasks(folder):
    """Two tasks of 20 rows to train on and 10 test rows, one of them one of TDC's."""
    rng = np.random.default_rng(0)
    split = ["train_val"] * 20 + ["test"] * 10
    chains(list(rng.normal(size=30)), split).to_csv(folder / "a.csv", index=False)
    chains(list(rng.integers(0, 2, 30)), split).to_csv(folder / "ames.csv", index=False)
    return folder


@pytest.fixture
def tasks(tmp_path):
    """Two tasks, not scored yet."""
    return two_tasks(tmp_path)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A folder of two tasks after they were scored, what was found, and what was told."""
    folder, told = two_tasks(tmp_path_factory.mktemp("scored")), []
    return folder, run_folder(folder, TDC, folder / "kept", tell=told.append), told


def test_every_task_of_a_folder_is_scored_and_shown(scored):
    _, found, told = scored
    assert list(found.results) == ["a", "ames"] and not found.failed and len(told) == 2
    error, auroc = (one["endpoints"]["Y"] for one in found.results.values())
    assert error["metric"] == "mae" and set(error["ensemble"]) == {"mae", "spearman", "rmse", "r2"}
    assert auroc["metric"] == "auroc" and set(auroc["ensemble"]) == {"auroc", "auprc"}
    for one in (error, auroc):
        scored = one["ensemble"][one["metric"]]
        assert len(one["single"]) == 3 and scored["low"] <= scored["value"] <= scored["high"]
    for header, rows in (score_table(found.results), published_table(found.results)):
        assert rows and all(len(row) == len(header) for row in rows)
    assert any("than the best on the leaderboard on" in line for line in sentences(found.results))


def test_the_column_of_structures_is_found_where_none_is_named():
    frame = pd.DataFrame(
        {"note": ["a", "b"], "Structure": ["CCO", "CCN"], "y": ["1", "2.5"], "split": ["train", "test"]}
    )
    assert table(frame, "t.csv", Asked()).smiles == "Structure"


def test_the_kept_predictions_have_the_kept_score(scored):
    folder, found, _ = scored
    predictions = pd.read_csv(folder / "kept/tdc/a.csv")
    assert list(predictions.columns) == ["smiles", "Y:observed", "Y", "Y:spread"] and len(predictions) == 10
    error = float(np.abs(predictions["Y"] - predictions["Y:observed"]).mean())
    assert found.results["a"]["endpoints"]["Y"]["ensemble"]["mae"]["value"] == pytest.approx(error)


def test_a_second_run_trains_only_what_is_new_or_changed(tasks, monkeypatch):
    first = run_folder(tasks, TDC, tasks / "kept", tell=silent).results
    trained = []
    real = benchmark_run.run_task
    monkeypatch.setattr(benchmark_run, "run_task", lambda name, *a: trained.append(name) or real(name, *a))
    told = []
    assert run_folder(tasks, TDC, tasks / "kept", tell=told.append).results == first
    assert not trained and all(line.endswith("(kept)") for line in told)
    frame = pd.read_csv(tasks / "a.csv")
    frame.iloc[1:].to_csv(tasks / "a.csv", index=False)
    run_folder(tasks, TDC, tasks / "kept", tell=silent)
    assert trained == ["a"]
    run_folder(tasks, TDC._replace(replicates=4), tasks / "kept", tell=silent)
    assert trained == ["a", "a", "ames"]


def test_a_table_that_cannot_be_scored_stops_no_other(tasks):
    pd.DataFrame({"smiles": ["C"], "Y": [1.0]}).to_csv(tasks / "0.csv", index=False)
    (tasks / "ames.csv").unlink()
    told = []
    found = run_folder(tasks, TDC, tasks / "kept", tell=told.append)
    assert list(found.results) == ["a"] and "no column Drug, split" in found.failed["0"]
    assert told[0].startswith("0: not scored: ")


def test_a_structure_that_rdkit_cannot_parse_costs_its_own_row_and_is_counted(tmp_path):
    split = ["train_val"] * 6 + ["test"] * 4
    smiles = ["CCO", "CCN", "CCC", "no molecule", "CCCl", "CCBr", "C1CC", "CCF", "CC", "CCI"]
    chains([*np.arange(10.0)], split, smiles).to_csv(tmp_path / "a.csv", index=False)
    (result,) = run_folder(tmp_path, TDC, tmp_path / "kept", tell=silent).results.values()
    assert result["train"] == 5 and result["rejected"] == 1  # curation rejects it and says why
    assert result["test"] == 3 and [row[:2] for row in result["unread"]] == [["test", "C1CC"]]
    assert list(pd.read_csv(tmp_path / "kept/tdc/a.csv")["smiles"]) == ["CCF", "CC", "CCI"]
    assert any("C1CC" in line for line in sentences({"a": result}))


def test_test_rows_stay_as_published_and_teach_nothing():
    # the test rows hold a repeat, a molecule of the train subset, and a salt that curation would reject
    smiles = ["CCO", "CCN", "OCC", "CCC", "CCC", "[Na+].[Cl-]", "CCO"]
    frame = chains([1.5, 2, 3, 4, 5, 6, 7], ["train_val"] * 3 + ["test"] * 4, smiles)
    form = tdc(frame, "x.csv", Asked())
    params = params_of(form, "x.csv", 1, SMALL)
    rows, features = with_features(read_rows(frame, form, params, 1), params, 1)
    np.testing.assert_array_equal(rows.observed[:, 0], [4, 5, 6, 7])
    test = rows.molecules[rows.subsets == "test"]
    assert list(test["smiles"]) == ["CCC", "CCC", "[Na+].[Cl-]", "CCO"] and len(features) == 6
    np.testing.assert_array_equal(np.array(test["Y"]), np.full(4, np.nan))
    np.testing.assert_array_equal(np.array(test["Y:weight"]), np.zeros(4))
    # both spellings of ethanol are one molecule to train on
    assert sorted(rows.molecules["smiles"][rows.subsets == "train"]) == ["CCN", "CCO"]


def test_early_stopping_gets_a_valid_subset():
    frame = chains(list(np.arange(30.0)), ["train_val"] * 24 + ["test"] * 6, [
        "c1ccccc1" + "C" * (i % 5) + "C1CC1" * (i // 15) + "O" * (i % 2) + "N" * (i // 7) for i in range(30)
    ])  # fmt: skip
    form = tdc(frame, "x.csv", Asked())
    params = params_of(form, "x.csv", 1, {"train": {"early_stopping": 5}})
    subsets = read_rows(frame, form, params, 1).subsets
    assert set(subsets) == {"train", "valid", "test"} and (subsets == "test").sum() == 6


def test_a_folder_or_split_of_another_form_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"holds no \.csv"):
        run_folder(tmp_path / "empty", TDC, tmp_path / "kept")
    frame = chains([1.5, 2.0], ["test", "test"])
    form = tdc(frame, "x.csv", Asked())
    with pytest.raises(ValueError, match="names no test row, or no other"):
        read_rows(frame, form, params_of(form, "x.csv", 1), 1)


def test_activity_cliffs_have_a_score_of_their_own(tmp_path):
    smiles = ["C" * (n + 1) + "N" for n in range(14)]
    split = ["train"] * 8 + ["test"] * 6
    cliff = ["0"] * 8 + ["1", "0", "1", "0", "0", "0"]
    frame = pd.DataFrame({"smiles": smiles, "y": np.arange(14) / 7, "cliff_mol": cliff, "split": split})
    frame.to_csv(tmp_path / "CHEMBL1.csv", index=False)
    assert moleculeace(frame, "x.csv", Asked()).cliff == "cliff_mol"
    kept = tmp_path / "kept"
    (result,) = run_folder(tmp_path, TDC._replace(form="moleculeace"), kept, tell=silent).results.values()
    found = pd.read_csv(kept / "moleculeace/CHEMBL1.csv")
    scores = result["endpoints"]["y"]["ensemble"]
    for name, rows in (("rmse", slice(None)), ("rmse_cliff", [0, 2])):
        errors = (found["y"] - found["y:observed"]).to_numpy()[rows]
        assert scores[name]["value"] == pytest.approx(np.sqrt((errors**2).mean()))


def test_many_endpoints_have_the_mean_of_their_relative_errors(tmp_path):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "name": [f"mol-{n}" for n in range(30)],
            "SMILES": ["C" * (n + 1) + "N" for n in range(30)],
            "logD": rng.normal(size=30).round(3),
            "clearance": rng.lognormal(size=30).round(3),
            "active": rng.integers(0, 2, 30),
            "set": ["Train"] * 20 + ["Test"] * 10,
        }
    )
    frame.loc[25:, "logD"] = np.nan
    frame.to_csv(tmp_path / "many.csv", index=False)
    asked = Asked("SMILES", "set", log10=("clearance",))
    suite = Suite("table", 3, 1, SMALL, asked)
    (result,) = run_folder(tmp_path / "many.csv", suite, tmp_path / "kept", tell=silent).results.values()
    kinds = {name: one["kind"] for name, one in result["endpoints"].items()}
    assert kinds == {"logD": "regression", "clearance": "regression", "active": "classification"}
    assert result["endpoints"]["logD"]["measured"] == 5
    errors = [result["endpoints"][name]["ensemble"]["rae"]["value"] for name in ("logD", "clearance")]
    assert result["ma_rae"]["value"] == pytest.approx(np.mean(errors))
    found = pd.read_csv(tmp_path / "kept/table/many.csv")
    np.testing.assert_allclose(found["clearance:observed"], np.log10(frame["clearance"][20:] + 1))
    assert json.loads((tmp_path / "kept/table/many.json").read_text())["ma_rae"]


def test_a_table_names_the_columns_that_it_lacks():
    frame = pd.DataFrame({"smiles": ["C"], "split": ["test"], "x": ["1"]})
    with pytest.raises(ValueError, match=r"t\.csv: no column group; name the columns"):
        table(frame, "t.csv", Asked(split="group"))
    with pytest.raises(ValueError, match=r"t\.csv: no column logD; correct --endpoints"):
        table(frame, "t.csv", Asked(endpoints=("logD",)))
    with pytest.raises(ValueError, match=r"t\.csv: no column holds numbers"):
        table(frame, "t.csv", Asked())
    with pytest.raises(ValueError, match="section data is given by the suite"):
        params_of(tdc(chains([1.5], ["test"]), "t.csv", Asked()), "t.csv", 1, {"data": {}})


def test_a_preset_says_which_networks_and_gives_graphs_their_slots():
    frame = chains([1.5, 2.0], ["train_val", "test"], ["C" * 30, "CC"])
    form = tdc(frame, "t.csv", Asked())
    names = {}
    for preset in PRESETS:
        params = suite_params(Suite("tdc", 2, 1, preset=preset), form, frame, "t.csv")
        names[preset] = [family.name for family in params.families]
    assert names == {"fast": [], "default": ["circular", "paths"], "best": ["circular", "paths", "graph"]}
    assert params.featurize.blocks[-1].max_atoms == 32  # of 30 atoms, a multiple of four


def test_a_preset_and_blocks_of_ones_own_contradict_each_other():
    frame = chains([1.5, 2.0], ["train_val", "test"])
    suite = Suite("tdc", 2, 1, {"featurize": {"blocks": [{"kind": "erg"}]}}, preset="best")
    with pytest.raises(ValueError, match=r"--preset best and section featurize of --params both say"):
        suite_params(suite, tdc(frame, "t.csv", Asked()), frame, "t.csv")


def test_log10_of_what_has_none_is_unmeasured():
    frame = pd.DataFrame({"smiles": ["C", "CC", "CCC"], "split": "test", "x": ["9", "-1", "0"]})
    form = table(frame, "t.csv", Asked(log10=("x",)))
    np.testing.assert_array_equal(observed(frame, form)[:, 0], [1, np.nan, 0])


def test_scaffold_folds_leave_every_small_scaffold_out_once():
    rings = ["c1ccccc1", "C1CCCC1", "C1CCNCC1", "c1ccncc1", "C1CCCCCC1", "c1ccoc1", "c1ccsc1", "C1CC1"]
    smiles = [ring + "C" * length for ring in rings for length in range(2)] + ["C" * n for n in range(1, 10)]
    folds = scaffold_folds(pd.DataFrame({"smiles": smiles}), 4)
    left_out = np.concatenate([valid for _, valid in folds])
    # the nine chains share the empty scaffold, too large for a fold: they always train
    assert sorted(left_out) == list(range(16))
    for train, valid in folds:
        assert len(valid) == 4 and set(train) | set(valid) == set(range(25)) and not set(train) & set(valid)
        assert all((row ^ 1) in valid for row in valid)
