"""Reproduction: what is not the model's data, network or replicates is found out."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from manywalks.replicates.combine import MEAN
from manywalks.reproduce import reproduce
from manywalks.reproduce.agreement import Terms, agreement
from manywalks.reproduce.page import page
from manywalks.train.engines import train_pack
from manywalks.train.problem import Pack, Problem
from tests.conftest import command
from tests.support.problems import small_problem
from tests.support.steps import run_steps

NETWORK = {"widths": (16, 8), "dropout": 0.1}
TRAIN = {"epochs": 30, "batch_size": 16, "learning_rate": 3e-3}
REPLICATES = 8


def replicates(problem: Problem, entropy: int, count: int = REPLICATES) -> np.ndarray:
    """(m, n) predictions of one endpoint by fresh replicates."""
    found = sorted(train_pack(Pack(problem, range(count), entropy, threads=2)))
    return np.stack([replicate.predictions[:, 0] for replicate in found]).astype(np.float64)


def judged(model: np.ndarray, fresh: np.ndarray) -> dict:
    """The agreement of both, without scores."""
    n = model.shape[1]
    asked = Terms("regression", "", 0.95, 1, 0.5, MEAN, adaptive=False)
    return agreement(model, fresh, np.full(n, np.nan), np.full(n, ""), asked)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return small_problem(NETWORK, TRAIN)


@pytest.fixture(scope="module")
def model(problem: Problem) -> np.ndarray:
    return replicates(problem, 1)


@pytest.fixture(scope="module")
def other_data(problem: Problem) -> Problem:
    """The same molecules with each other's values."""
    order = np.random.default_rng(2).permutation(len(problem.features))
    return dataclasses.replace(problem, targets=problem.targets.take(order))


def test_fresh_replicates_of_the_same_agree(problem: Problem, model: np.ndarray) -> None:
    found = judged(model, replicates(problem, 2))
    assert found["agrees"], found


def test_replicates_on_other_data_do_not_agree(model: np.ndarray, other_data: Problem) -> None:
    found = judged(model, replicates(other_data, 3))
    assert not found["agrees"]
    assert found["difference"] > found["judged_by"]


def test_replicates_of_another_network_do_not_agree(problem: Problem, model: np.ndarray) -> None:
    small = dataclasses.replace(problem, network=problem.network.model_copy(update={"widths": (2,)}))
    found = judged(model, replicates(small, 4))
    assert not found["agrees"]


def test_one_replicate_of_another_data_set_in_the_model_is_found(
    problem: Problem, model: np.ndarray, other_data: Problem
) -> None:
    swapped = model.copy()
    swapped[3] = replicates(other_data, 5)[3]
    # 8 fresh ones tell too little of how far an honest replicate may lie
    found = judged(swapped, replicates(problem, 6, 12))
    assert found["suspicious_replicates"] == [3]


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """A trained workspace that may be spoiled."""
    shutil.copytree(trained, tmp_path / "work", ignore=shutil.ignore_patterns("runs"))
    return tmp_path / "work"


def test_other_data_is_refused(copied: Path) -> None:
    with (copied / "table.csv").open("a", encoding="utf-8") as table:
        table.write("9999,more,CCCCO,-1.0,train\n")
    done = command("reproduce", str(copied / "models/ensemble"), "--replicates", "4")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "is not the data of" in done.stderr
    assert "md5" in done.stderr


def test_a_manifest_with_another_network_is_refused(copied: Path) -> None:
    path = copied / "models/ensemble/manifest.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["params"]["network"]["widths"] = [32]
    path.write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(ValueError, match=r"another network than model\.keras holds \(network\.widths \[32\]"):
        reproduce.prepare(copied / "models/ensemble")


def test_a_replicate_of_another_data_set_does_not_come_into_the_model(copied: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(copied, other)
    table = (other / "table.csv").read_text(encoding="utf-8").splitlines()
    (other / "table.csv").write_text("\n".join([*table[:-1], ""]), encoding="utf-8")
    run_steps(other, "curate", "featurize", "split", "train")
    foreign = sorted((other / "models/replicates").rglob("00001-*.npz"))[0]
    own = sorted((copied / "models/replicates").rglob("00001-*.npz"))[0]
    store = own.parent
    own.unlink()
    shutil.copy(foreign, store / foreign.name)
    run_steps(copied, "train")
    assert [path.name for path in store.glob("00001-*.npz")] == [
        own.name
    ]  # trained again: the same replicate


@pytest.mark.long
def test_a_model_is_reproduced_and_its_sources_are_told(copied: Path) -> None:
    # the retraining is really random: of the bound that the manifest asks for, 1 in 20 would be beyond
    path = copied / "models/ensemble/manifest.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(about | {"confidence": 1 - 1e-5}), encoding="utf-8")
    done = command("reproduce", str(copied / "models/ensemble"), "--replicates", "6")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a retrained ensemble of 6 agrees with the model of 4" in " ".join(done.stdout.split())
    done = command("reproduce", str(copied / "models/ensemble"), "--sources", "--replicates", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    text = (copied / "reports/reproduction.html").read_text(encoding="utf-8")
    for words in (
        "✓ agrees",
        "What makes replicates differ",
        "two runs with the same seed agree to the last bit",
        # of so small a table
        "how far an ensemble trained on another sample would be is not stated",
        "are too few; at least 300 in 20 groups are needed",
    ):
        assert words in text


def test_the_page_stands_alone_and_says_both() -> None:
    one = {"spread": 0.2, "low": 0.1, "high": 0.3, "share": 0.5, "share_low": 0.3, "share_high": 0.8}
    rows = {"initial weights": one, "numerics": one, "geometry": one, "all": {**one, "share": 1.0}}
    seed = {"here": 0.0, "elsewhere": 0.28, "low": 0.2, "high": 0.4, "largest": 0.9}
    sources = {
        "replicates": 8, "units": {"logS": "log M"}, "endpoints": {"logS": rows}, "same_seed": {"logS": seed},
        "geometry": {"molecules": 90, "without": [0, 2, 1]},
    }  # fmt: skip
    rng = np.random.default_rng(1)
    n, centre = 40, rng.normal(size=40)
    first, second = (centre + rng.normal(0, 0.2, (8, n)) for _ in range(2))
    entry = agreement(
        first,
        second,
        centre,
        np.full(n, "="),
        Terms("regression", "log M", 0.95, 1, 0.5, MEAN, adaptive=True),
    )
    found = {
        "endpoints": {"logS": entry}, "diverged": 0, "trained_with": {"numpy": "2.3"},
        "retrained_with": {"numpy": "2.4"},
    }  # fmt: skip
    points = [
        {"endpoint": "logS", "model": a, "retrained": b}
        for a, b in zip(first.mean(axis=0), second.mean(axis=0), strict=True)
    ]
    text = page(found, points, sources)
    assert 'href="http' not in text and "src=" not in text
    for words in (
        "differ by 0.28 log M",
        "had no coordinates",
        "30 to 80 %",
        "2.4",
        "geometry",
    ):
        assert words in " ".join(text.split())
    assert text.count("<svg") == 3
    assert page(None, [], sources).count("<svg") == 1
    assert page(found, [], None).count("<svg") == 1
