"""What a night adds to the record: the champion judged by measurements that it had not seen."""

import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manywalks import Ensemble, files
from manywalks.record import nights
from manywalks.record.page import write
from manywalks.record.prospective import series_of
from manywalks.refresh import promises, refresh
from manywalks.refresh.champions import Champions
from manywalks.refresh.model_view import predict_with
from manywalks.workspace import Workspace

FORMER = "2020-01-01-abcdef"
NEW = 25


@pytest.fixture(scope="module")
def work(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two nights: a former champion that had not seen 25 molecules, then the model of the workspace."""
    root = tmp_path_factory.mktemp("record") / "work"
    shutil.copytree(trained, root, symlinks=True)
    work = Workspace.open(root)
    champions = Champions(work)
    name = champions.add({})
    (champions.folder / name).rename(champions.folder / FORMER)
    entry = champions.folder / FORMER / "entry.json"
    files.write_json(
        entry,
        {**files.read_json(entry), "name": FORMER, "made": "2020-01-01T02:00:00+00:00", "store": "another"},
    )
    seen = champions.seen(FORMER)
    test = np.flatnonzero(seen["subset"] == "test")[:NEW]
    seen.drop(index=seen.index[test]).to_parquet(champions.folder / FORMER / "seen.parquet")
    champions.promote(FORMER, "the first model")
    refresh.refresh(work)
    return work


def test_the_champion_is_judged_by_what_it_had_not_seen(work: Workspace) -> None:
    found = nights.read(work)
    assert [night["rebuilt"] for night in found.nights] == [True, False]
    assert len(found.judged) == NEW and set(found.judged["model"]) == {FORMER}
    seen = Champions(work).seen(FORMER)
    assert not set(found.judged["smiles"]) & set(seen["smiles"])


def test_its_promises_are_those_of_predict(work: Workspace) -> None:
    judged = nights.read(work).judged
    said = Ensemble.load(Champions(work).model(FORMER)).predict(judged["smiles"].tolist())
    for column, name in (("predicted", "logS"), ("low", "logS:low"), ("high", "logS:high")):
        np.testing.assert_allclose(judged[column], said[name].astype(float), rtol=1e-4, atol=1e-5)
    assert judged["in_domain"].tolist() == said["in_domain"].tolist()
    within = (judged["observed"] >= judged["low"]) & (judged["observed"] <= judged["high"])
    assert judged["within"].astype(bool).tolist() == within.tolist()


def test_the_row_of_a_night_has_its_score_bound_and_churn(work: Workspace) -> None:
    last = write(work).runs[-1]
    metrics = files.read_json(work.reports / "metrics.json")["logS"]
    statement = files.read_json(work.reports / "statement.json")["logS"]
    assert last["score"] == metrics["ensemble"]["rmse"] and last["metric"] == "rmse"
    assert last["bound"] == statement["difference_bound"]
    assert last["churn"] is not None and last["judged_by"] == FORMER and last["judged"] == NEW


def test_a_second_night_judges_nothing_twice(work: Workspace, tmp_path: Path) -> None:
    shutil.copytree(work.root, tmp_path / "copy", symlinks=True)
    copy = Workspace.open(tmp_path / "copy")
    Champions(copy).promote(FORMER, "by hand")
    refresh.refresh(copy)
    found = nights.read(copy)
    assert len(found.nights) == 3 and len(found.judged) == NEW
    assert "record.html" in (copy.reports / "refresh.md").read_text(encoding="utf-8")


def test_a_lost_record_is_rebuilt_from_the_kept_models(work: Workspace, tmp_path: Path) -> None:
    shutil.copytree(work.root, tmp_path / "copy", symlinks=True)
    copy = Workspace.open(tmp_path / "copy")
    before = nights.read(copy)
    shutil.rmtree(nights.folder_of(copy))
    assert promises.rebuild(copy, Champions(copy)) == 2
    assert promises.rebuild(copy, Champions(copy)) == 0
    after = nights.read(copy)
    columns = ["smiles", "model", "observed", "predicted", "low", "high", "within", "in_domain", "series"]
    pd.testing.assert_frame_equal(after.judged.loc[:, columns], before.judged.loc[:, columns])
    names = [(night["challenger"], night["judged_by"]) for night in before.nights]
    assert [(night["challenger"], night["judged_by"]) for night in after.nights] == names


def test_a_record_survives_the_way_back_to_the_former_champion(work: Workspace, tmp_path: Path) -> None:
    shutil.copytree(work.root, tmp_path / "copy", symlinks=True)
    copy = Workspace.open(tmp_path / "copy")
    champions = Champions(copy)
    champions.promote(next(name for name in champions.names() if name != FORMER), "by hand")
    assert champions.roll_back() == FORMER
    refresh.refresh(copy)
    found = nights.read(copy)
    assert len(found.judged) == NEW
    assert found.nights[-1]["judged_by"] == FORMER


def test_new_molecules_without_features_are_judged_by_nobody(work: Workspace, tmp_path: Path) -> None:
    shutil.copytree(work.root, tmp_path / "copy", symlinks=True)
    copy = Workspace.open(tmp_path / "copy")
    champions = Champions(copy)
    new = ~pd.read_parquet(copy.curated)["smiles"].isin(list(champions.seen(FORMER)["smiles"]))
    lost = np.flatnonzero(new)[:3]
    split = pd.read_parquet(copy.split).sort_values("row")
    split.loc[split["row"].isin(lost.tolist()), "subset"] = ""  # as the split has them
    split.to_parquet(copy.split, index=False)
    found, judged = refresh.compare(copy, champions, FORMER, str(champions.current()))
    texts = pd.read_parquet(copy.curated)["smiles"].iloc[lost].tolist()
    assert len(judged) == NEW - 3 and not set(texts) & set(judged["smiles"])
    assert found["drift"]["structures"]["molecules"] == NEW - 3


@pytest.mark.parametrize(("reference", "subset"), [("valid", "valid"), ("out of bag", "train")])
def test_intervals_were_fitted_on_as_many_series_as_their_molecules_have(
    work: Workspace, reference: str, subset: str
) -> None:
    champions = Champions(work)
    seen = champions.seen(FORMER)
    view = predict_with(champions.model(FORMER), seen["smiles"].tolist()[:2], 1)
    about = deepcopy(view.about)
    about["calibration"]["logS"]["reference"] = reference
    found = promises.judge(
        view._replace(about=about), seen.iloc[:2], seen.iloc[2:], model=FORMER, endpoints=["logS"]
    )
    known = seen.iloc[2:]
    own = known[(known["subset"] == subset) & known["logS"].notna()]
    assert set(found["calibration"]) == {len(set(series_of(own["smiles"].tolist())))}


def test_an_endpoint_of_another_unit_is_another_endpoint() -> None:
    former = {"y": {"kind": "regression", "unit": "nM"}, "z": {"kind": "regression", "unit": ""}}
    later = {"y": {"kind": "regression", "unit": "uM"}, "z": {"kind": "regression", "unit": ""}}
    assert promises.in_common(former, later) == ["z"]
    assert promises.in_common(former, {}) == []
