"""The benchmark of public tasks: nothing of the test rows is lost, merged or learned from."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy import scaffold_folds
from manywalks.evaluate import public_benchmark
from manywalks.evaluate.public_benchmark import Published, TaskScore, read_task, run_folder, task_params

SMALL = {
    "featurize": {"blocks": [{"kind": "morgan_count", "n_bits": 64}, {"kind": "physchem"}]},
    "network": {"widths": [8]},
    "train": {"epochs": 3},
}


def chains(values: list[float], split: list[str], smiles: list[str] | None = None) -> pd.DataFrame:
    smiles = smiles or ["C" * (length + 1) + "O" for length in range(len(values))]
    return pd.DataFrame({"Drug": smiles, "Y": [str(value) for value in values], "split": split})


def test_every_task_of_a_folder_is_scored(tmp_path):
    rng = np.random.default_rng(0)
    split = ["train_val"] * 20 + ["test"] * 10
    chains(list(rng.normal(size=30)), split).to_csv(tmp_path / "a.csv", index=False)
    chains(list(rng.integers(0, 2, 30)), split).to_csv(tmp_path / "vdss_lombardo.csv", index=False)
    told = []
    scores = run_folder(tmp_path, replicates=3, cores=1, settings=SMALL, tell=told.append)
    assert [task.published.metric for task in scores] == ["mae", "spearman"]
    assert all((task.train, task.test, len(task.replicates)) == (20, 10, 3) for task in scores)
    assert all(np.isfinite(task.ensemble) for task in scores) and len(told) == 2
    assert len(public_benchmark.rows(scores)[0]) == len(public_benchmark.header())


def test_test_rows_stay_as_published_and_teach_nothing(tmp_path):
    # the test rows hold a repeat, a molecule of the train subset, and a salt that curation would reject
    smiles = ["CCO", "CCN", "OCC", "CCC", "CCC", "[Na+].[Cl-]", "CCO"]
    frame = chains([1.5, 2, 3, 4, 5, 6, 7], ["train_val"] * 3 + ["test"] * 4, smiles)
    params = task_params(tmp_path / "x.csv", frame, 1, SMALL)
    table = read_task(frame, params, 1)
    np.testing.assert_array_equal(table.observed, [4, 5, 6, 7])
    test = table.molecules[table.subsets == "test"]
    assert list(test["smiles"]) == ["CCC", "CCC", "[Na+].[Cl-]", "CCO"]
    np.testing.assert_array_equal(np.array(test["Y"]), np.full(4, np.nan))
    np.testing.assert_array_equal(np.array(test["Y:weight"]), np.zeros(4))
    # both spellings of ethanol are one molecule to train on
    assert sorted(table.molecules["smiles"][table.subsets == "train"]) == ["CCN", "CCO"]


def test_early_stopping_gets_a_valid_part(tmp_path):
    frame = chains(list(np.arange(30.0)), ["train_val"] * 24 + ["test"] * 6, [
        "c1ccccc1" + "C" * (i % 5) + "C1CC1" * (i // 15) + "O" * (i % 2) + "N" * (i // 7) for i in range(30)
    ])  # fmt: skip
    params = task_params(tmp_path / "x.csv", frame, 1, {"train": {"early_stopping": 5}})
    subsets = read_task(frame, params, 1).subsets
    assert set(subsets) == {"train", "valid", "test"} and (subsets == "test").sum() == 6


def test_a_table_of_another_form_is_refused(tmp_path):
    pd.DataFrame({"smiles": ["C"], "Y": [1.0]}).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(ValueError, match=r"x\.csv: no column Drug, split"):
        run_folder(tmp_path, replicates=2, cores=1)
    with pytest.raises(ValueError, match=r"holds no \.csv"):
        run_folder(tmp_path / "empty", replicates=2, cores=1)
    frame = chains([1.5, 2.0], ["test", "test"])
    with pytest.raises(ValueError, match="names no test row, or no other"):
        read_task(frame, task_params(tmp_path / "x.csv", frame, 1), 1)


def test_rows_name_the_worst_replicate_by_the_metrics_direction():
    replicates = np.array([0.3, 0.5])
    error = TaskScore("e", Published("mae", best=0.2), 10, 5, 0.35, replicates, 1.0)
    rank = TaskScore("r", Published("spearman"), 10, 5, 0.45, replicates, 1.0)
    assert [row[5] for row in public_benchmark.rows([error, rank])] == ["0.500 to 0.300", "0.300 to 0.500"]
    assert public_benchmark.rows([error])[0][9] == "0.200"


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
