"""Champions: kept whole, promoted in one instant, rolled back; the rule of promotion."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from manywalks.cli.models import models
from manywalks.refresh import refresh
from manywalks.refresh.champions import Champions
from manywalks.refresh.text import text_of
from manywalks.workspace import Workspace

SCORES = {"logS": {"rmse": 1.0}}


@pytest.fixture
def work(trained: Path, tmp_path: Path) -> Workspace:
    """A trained workspace of its own."""
    shutil.copytree(trained, tmp_path / "work", symlinks=True)
    return Workspace.open(tmp_path / "work")


def another(champions: Champions, name: str, made: str) -> str:
    """A second model: a copy of the first under another name."""
    from manywalks import files

    first = champions.names()[0]
    shutil.copytree(champions.folder / first, champions.folder / name)
    files.write_json(
        champions.folder / name / "entry.json", {**champions.entry(first), "name": name, "made": made}
    )
    return name


@pytest.mark.parametrize(
    ("verdicts", "rule", "rises"),
    [
        (["better", "equivalent"], "better", True),
        (["equivalent"], "better", False),
        (["better", "worse"], "better", False),
        (["better", "undecided"], "better", False),
        (["undecided"], "not_worse", False),
        (["equivalent"], "not_worse", True),
        (["better", "worse"], "not_worse", False),
        (["better"], "never", False),
    ],
)
def test_the_rule_decides(verdicts: list[str], rule: str, rises: bool) -> None:
    found = refresh.decide({f"e{i}": {"verdict": one} for i, one in enumerate(verdicts)}, rule)
    assert found[0] is rises
    assert f"refresh.promote is {rule}" in found[1]


def test_the_first_model_becomes_the_champion_with_its_data_version(work: Workspace) -> None:
    found = refresh.refresh(work)
    champions = Champions(work)
    assert found["promoted"] and found["reason"] == "the first model"
    name = champions.current()
    assert name is not None and champions.names() == [name]
    entry = champions.entry(name)
    assert entry["data"]["md5"] and entry["scores"]["logS"]["rmse"] > 0
    assert (champions.link / "model.keras").read_bytes() == (work.ensemble / "model.keras").read_bytes()
    assert set(champions.seen(name)["subset"]) == {"train", "valid", "test"}
    assert refresh.is_judged(work)
    assert "first model" in (work.reports / "refresh.md").read_text(encoding="utf-8")


def test_a_night_that_makes_the_same_model_promotes_nothing(work: Workspace) -> None:
    assert refresh.refresh(work)["promoted"] is True
    champions = Champions(work)
    # a model of another night: the name says when, the store which replicates
    (champions.folder / str(champions.current())).rename(champions.folder / "2020-01-01-abcdef")
    entry = champions.folder / "2020-01-01-abcdef/entry.json"
    entry.write_text(
        entry.read_text("utf-8").replace(str(champions.names()[0]), "2020-01-01-abcdef"), "utf-8"
    )
    champions.promote("2020-01-01-abcdef", "by hand")
    found = refresh.refresh(work)
    assert (found["promoted"], found["champion"], found["challenger"]) == (False, *["2020-01-01-abcdef"] * 2)
    assert "nothing to judge" in found["reason"]
    assert refresh.read(work) == found
    assert champions.names() == ["2020-01-01-abcdef"]


def test_promotion_keeps_the_former_and_goes_back(work: Workspace) -> None:
    champions = Champions(work)
    first = champions.add(SCORES)
    champions.promote(first, "the first")
    second = another(champions, "2027-01-01-abcdef", "2027-01-01T00:00:00+00:00")
    champions.promote(second, "better")
    assert champions.current() == second
    assert champions.roll_back() == first
    assert [step["reason"] for step in champions.history()] == ["the first", "better", "rolled back"]
    assert champions.names() == [first, second]


def test_models_marks_scores_of_other_test_molecules(
    work: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    champions = Champions(work)
    first = champions.add(SCORES)
    champions.promote(first, "the first")
    second = another(champions, "2027-01-01-abcdef", "2027-01-01T00:00:00+00:00")
    models(work.root)
    assert "\u2020" not in capsys.readouterr().out
    path = champions.folder / second / "seen.parquet"
    seen = pd.read_parquet(path)
    seen.loc[seen["subset"] == "test", "subset"] = "train"
    seen.to_parquet(path)
    models(work.root)
    shown = capsys.readouterr().out
    (marked,) = [line for line in shown.splitlines() if second in line]
    assert "rmse 1 \u2020" in marked
    assert "\u2020 tested on other molecules than the champion" in " ".join(shown.split())


def test_a_damaged_model_is_never_promoted(work: Workspace) -> None:
    champions = Champions(work)
    first = champions.add(SCORES)
    champions.promote(first, "the first")
    second = another(champions, "2027-01-01-abcdef", "2027-01-01T00:00:00+00:00")
    with (champions.model(second) / "scaler.npz").open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(ValueError, match=r"scaler\.npz"):
        champions.promote(second, "better")
    assert champions.current() == first


def test_an_unknown_model_lists_those_there_are(work: Workspace) -> None:
    champions = Champions(work)
    first = champions.add(SCORES)
    with pytest.raises(ValueError, match=f"nobody: no such model; known are {first}"):
        champions.promote("nobody", "by hand")
    with pytest.raises(ValueError, match="no former champion"):
        champions.roll_back()


def test_pruning_never_removes_the_champion(work: Workspace) -> None:
    champions = Champions(work)
    first = champions.add(SCORES)
    champions.promote(first, "the first")
    for month in range(1, 5):
        another(champions, f"2027-0{month}-01-abcdef", f"2027-0{month}-01T00:00:00+00:00")
    gone = champions.prune(2)
    assert gone == ["2027-01-01-abcdef", "2027-02-01-abcdef"]
    assert first in champions.names()


def test_a_model_against_itself_is_equivalent_and_drift_is_told(work: Workspace) -> None:
    champions = Champions(work)
    first = champions.add(SCORES)
    champions.promote(first, "the first")
    second = another(champions, "2027-01-01-abcdef", "2027-01-01T00:00:00+00:00")
    # the champion never saw a third of what it was trained on
    seen = champions.seen(first)
    fewer = pd.concat([seen[seen["subset"] != "train"], seen[seen["subset"] == "train"].iloc[::2]])
    fewer.to_parquet(champions.folder / first / "seen.parquet")
    found, came = refresh.compare(work, champions, first, second)
    assert len(came) == len(seen) - len(fewer)  # each is a measurement that the champion had not seen
    one = found["endpoints"]["logS"]
    assert one["molecules"] == seen["subset"].eq("test").to_numpy().sum()
    assert one["verdict"] in ("equivalent", "undecided")
    assert one["difference"] == 0
    assert found["drift"]["structures"]["molecules"] == len(seen) - len(fewer)
    assert found["drift"]["values"]["logS"]["psi"] is not None
    text = text_of(
        {"when": "now", "champion": first, "challenger": second, "promoted": False, "reason": "x", **found}
    )
    assert "| logS |" in text
    assert "before calibration" not in text
    classes = {**found, "endpoints": {"active": {**one, "metric": "log_loss"}}}
    said = {"when": "now", "champion": first, "challenger": second, "promoted": False, "reason": "x"}
    assert "Probabilities are compared before calibration." in text_of(said | classes)
    assert "## Drift" in text and f"{len(seen) - len(fewer)} molecules are new to the champion" in text
