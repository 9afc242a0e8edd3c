"""The summary beside predictions: the bound over the predicted list itself."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.model import Ensemble
from manywalks.evaluate.statement.list_statement import few_words
from manywalks.featurize.featurize import featurize
from manywalks.predict import predict, stream
from manywalks.predict.predict import predict_table
from manywalks.replicates.statistics.bound import difference_bound


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """The trained model, which decides at -3."""
    shutil.copytree(trained / "models/ensemble", tmp_path / "model")
    about = files.read_json(tmp_path / "model" / manifest.FILE)
    about["params"]["evaluate"]["decide"] = {"logS": ">= -3"}
    files.write_json(tmp_path / "model" / manifest.FILE, about)
    return tmp_path / "model"


@pytest.fixture
def table(demo_table: pd.DataFrame, tmp_path: Path) -> Path:
    smiles = demo_table["smiles"].tolist()[:90]
    pd.DataFrame({"smiles": [*smiles, *smiles[:20], "no molecule"]}).to_csv(tmp_path / "in.csv", index=False)
    return tmp_path / "in.csv"


def summary(output: Path) -> dict:
    return files.read_json(output.with_suffix(".summary.json"))["endpoints"]["logS"]


def test_it_is_the_bound_of_all_replicates_at_the_distinct_molecules(
    model: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "_chunk_rows", lambda ensemble: 40)
    predict_table(model, table, tmp_path / "out.parquet")
    found, ensemble = summary(tmp_path / "out.parquet"), Ensemble.load(model)
    rows = pd.read_parquet(tmp_path / "out.parquet")
    distinct = rows.loc[rows["rejected"] == ""].drop_duplicates(["standardized"])
    features = ensemble.scaler.transform(featurize(distinct["standardized"].tolist(), ensemble.blocks))
    expected = difference_bound(ensemble.predictor.predict(features)[:, :, 0])
    assert found["molecules"] == len(distinct)
    assert found["difference_bound"] == pytest.approx(expected.bound, rel=1e-5)
    assert found["spread_rms"] == pytest.approx(expected.spread_rms, rel=1e-5)
    assert found["decisions"]["differ_expected"] == pytest.approx(distinct["logS:flip_retrained"].sum())
    assert found["decisions"]["selected"] == (distinct["logS"] >= -3).sum()
    np.testing.assert_array_equal(distinct["logS:decision"], distinct["logS"] >= -3)


def test_a_run_that_was_stopped_ends_with_the_same_summary(
    model: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "_chunk_rows", lambda ensemble: 40)
    predict_table(model, table, tmp_path / "whole.csv")

    def fail(self, begun, known):
        if begun.chunk.number == 1:
            raise RuntimeError("stopped")
        return make(self, begun, known)

    make = stream.Stream._table
    monkeypatch.setattr(stream.Stream, "_table", fail)
    with pytest.raises(RuntimeError, match="stopped"):
        predict_table(model, table, tmp_path / "cut.csv")
    monkeypatch.setattr(stream.Stream, "_table", make)
    predict_table(model, table, tmp_path / "cut.csv")
    assert summary(tmp_path / "cut.csv") == summary(tmp_path / "whole.csv")


def test_a_list_without_any_prediction_has_a_summary_without_a_bound(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("smiles\nno molecule\n", encoding="utf-8")
    said: list[str] = []
    predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv", smiles="smiles", say=said.append)
    assert summary(tmp_path / "out.csv") == {"unit": "log10 mol/L", "replicates": 4, "molecules": 0}
    assert said == ["SMILES from 'smiles', row numbers as ids"]


def predicted(path: Path) -> dict[str, np.ndarray]:
    """Columns of the output, each predicted molecule once."""
    rows = pd.read_parquet(path)
    first = (~rows["standardized"].duplicated() & (rows["rejected"] == "")).to_numpy()
    return {str(name): rows[name].to_numpy()[first] for name in rows.columns}


def test_the_best_molecules_are_marked_in_every_form_and_chunk_size(
    model: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    predict_table(model, table, tmp_path / "whole.parquet", top=10, say=said.append)
    monkeypatch.setattr(predict, "_chunk_rows", lambda ensemble: 40)
    predict_table(model, table, tmp_path / "chunks.csv", top=10)
    rows, again = pd.read_parquet(tmp_path / "whole.parquet"), pd.read_csv(tmp_path / "chunks.csv")
    assert rows.columns[-3:].tolist() == ["logS:top", "logS:top_retrained", "rejected"]
    np.testing.assert_array_equal(again["logS:top"].to_numpy(float), rows["logS:top"].to_numpy(float))
    assert np.isnan(rows["logS:top"].to_numpy(float)[-1])  # of the row that is no molecule
    found = predicted(tmp_path / "whole.parquet")
    best = found["logS:top"] == 1
    assert set(found["logS"][best]) == set(np.sort(found["logS"])[-10:])
    told = summary(tmp_path / "whole.parquet")["top"]
    assert (told["asked"], told["molecules"], told["want"]) == (10, 10, "high")
    assert told["replaced_expected"] == pytest.approx(10 - found["logS:top_retrained"][best].sum())
    assert found["logS:top_retrained"].sum() == pytest.approx(10)
    assert "Of the 10 highest, a retrained ensemble would replace about " in said[-1]


@pytest.mark.parametrize(
    ("expected", "most", "said"),
    [(1.1e-12, 0, "none"), (0.003, 1, "fewer than 0.1, at most 1"), (6.21, 1200, "about 6.2, at most 1,200")],
)
def test_numbers_that_are_nearly_none_have_no_exponent(expected: float, most: int, said: str) -> None:
    assert few_words(expected, most) == said


def test_low_values_are_the_best_ones_where_they_are_wanted(model: Path, table: Path, tmp_path: Path) -> None:
    about = files.read_json(model / manifest.FILE)
    about["params"]["data"]["endpoints"]["logS"]["want"] = "low"
    files.write_json(model / manifest.FILE, about)
    said: list[str] = []
    predict_table(model, table, tmp_path / "out.parquet", top=3, say=said.append)
    found = predicted(tmp_path / "out.parquet")
    assert set(found["logS"][found["logS:top"] == 1]) == set(np.sort(found["logS"])[:3])
    assert "Of the 3 lowest" in said[-1]


def test_a_list_without_any_prediction_has_no_best_molecule(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("smiles\nno molecule\n", encoding="utf-8")
    predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv", smiles="smiles", top=5)
    assert np.isnan(pd.read_csv(tmp_path / "out.csv")["logS:top"].to_numpy(dtype=float)).all()
