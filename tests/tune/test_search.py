"""Searches from start to verdict, with real replicates of a small network."""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manywalks import files
from manywalks.compare.folds import FoldStore
from manywalks.params.load import load_params
from manywalks.tune.design import FEW, Rung, rungs_of, seconds_of, time_text
from manywalks.tune.report.importance import importance
from manywalks.tune.report.reports import finished
from manywalks.tune.report.words import sentences
from manywalks.tune.result import kept
from manywalks.tune.running import conclude, evaluate_or_fail, run_here
from manywalks.tune.search import Search
from manywalks.tune.space.reading import space_of
from manywalks.tune.trial import PRESENT, SLACK, enough
from manywalks.tune.verdict import Contest
from tests.tune.conftest import SPACE, Begin

Train = Callable[[Any], None]


def judged(search: Search, train: Train) -> dict[str, Any]:
    """Verdict and reports."""
    contest = Contest.of(search)
    for share in [] if contest is None else contest.shares(1):
        train(share)
    return finished(search, contest, "2026-01-02")


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("1h30m", 5400), ("1.5h", 5400), ("45s", 45)])
def test_times_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["45s", "3m", "30m", "1h30m", "2h", "1h1s"])
def test_times_are_written_as_they_are_read(text: str) -> None:
    assert time_text(seconds_of(text)) == text


@pytest.mark.parametrize("text", ["soon", "", "-5m", "0m", "5d", "90"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--time"):
        seconds_of(text)


def test_rungs_grow() -> None:
    assert rungs_of(5, 10) == (Rung(2, 2), Rung(5, 2), Rung(10, 2))
    assert rungs_of(3, 3) == (Rung(2, 2), Rung(3, 2))


def test_a_search_finds_what_is_better_and_says_so(begin: Begin, train: Train) -> None:
    """The present network trains for 4 epochs; longer is far better."""
    sections = {"train": {"epochs": [4, 40], "learning_rate": [1e-3, 1e-2]}}
    search = begin(sections, trials=6)
    run_here(search, train)
    assert {trial.state for trial in search.trials.values()} <= {"done", "beaten"}
    found = judged(search, train)
    assert found["verdict"]["word"] == "better"
    assert found["verdict"]["low"] > 0
    workspace = search.material.workspace
    tuned = load_params(workspace.root / "params.tuned.yaml")
    assert tuned.train.epochs == 40
    kept = files.read_json(workspace.reports / "tune.json")
    assert kept == json.loads(json.dumps(found))
    page = (workspace.reports / "tune.html").read_text(encoding="utf-8")
    assert sentences(found)[0] in page and "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_settings_that_are_all_the_same_are_not_called_better(begin: Begin, train: Train) -> None:
    search = begin({"network": {"dropout": {"low": 0.1, "high": 0.10001}}}, trials=3)
    run_here(search, train)
    found = judged(search, train)
    assert found["verdict"] is None or found["verdict"]["word"] != "better"
    assert not (search.material.workspace.root / "params.tuned.yaml").exists()


def test_the_present_settings_gain_nothing_over_themselves(begin: Begin, train: Train) -> None:
    search = begin({"train": {"epochs": [4]}, "network": {"widths": [[16, 8]]}}, trials=1)
    run_here(search, train)
    (gain,) = search.gains().values()
    assert gain.mean == 0
    assert search.best() is None
    assert "Nothing better found" in sentences(judged(search, train))[0]


def test_a_search_that_was_stopped_goes_on_and_trains_nothing_twice(begin: Begin, train: Train) -> None:
    first = begin(trials=2)
    run_here(first, train)
    assert kept(first) == 0
    again, trained = begin(trials=3), list[Any]()
    assert again.present_shares() == []

    def counted(share: Any) -> None:
        trained.append(share)
        train(share)

    run_here(again, counted)
    assert kept(again) == first.replicates()
    assert again.replicates() - kept(again) == sum(len(share.numbers) * FEW for share in trained)
    assert sorted(again.trials) == [*sorted(first.trials), max(first.trials) + 1]
    stores = {share.fold_store for share in trained}
    assert stores == {again.material.store(again.trials[max(again.trials)].params).folder}
    for number in first.trials:
        assert again.trials[number].values == first.trials[number].values


def test_trials_of_the_same_settings_are_not_taken_for_an_earlier_run(begin: Begin, train: Train) -> None:
    search = begin({"train": {"epochs": [6]}}, trials=2)
    run_here(search, train)
    assert len(search.trials) == 2
    assert kept(search) == 0


def test_a_trial_that_a_kill_interrupted_is_taken_up_where_it_was(begin: Begin, train: Train) -> None:
    first = begin()
    for share in first.present_shares():
        train(share)
    first.begin()
    number = first.ask()
    assert number is not None
    train(first.share(number, 0))
    again = begin()
    again.begin()
    assert again.ask() == number
    assert again.trials[number].values == first.trials[number].values
    assert again.share(number, 0) is None  # its first rung is kept
    evaluate_or_fail(again, number, train)
    assert again.trials[number].state in ("done", "beaten")


def test_a_promising_trial_grows_from_what_it_has(begin: Begin, train: Train) -> None:
    search = begin()
    for share in search.present_shares():
        train(share)
    search.begin()
    number = search.ask()
    assert number is not None
    train(search.share(number, 0))
    search.take(number, 0)
    share = search.share(number, 1)
    assert share is not None
    assert share.numbers == [2, 3, 4]
    assert FoldStore(share.fold_store).folder.parent.name == "compare"


def test_settings_that_cannot_be_trained_are_a_failed_trial_with_a_reason(begin: Begin, train: Train) -> None:
    search = begin(trials=2)

    def broken(share: Any) -> None:
        if share.fold_store == search.material.store(search.trials[min(search.trials)].params).folder:
            raise ValueError("compare: 9 of 9 replicates diverged")
        train(share)

    for share in search.present_shares():
        train(share)
    search.begin()
    while (number := search.ask()) is not None:
        evaluate_or_fail(search, number, broken)
    failed = search.trials[min(search.trials)]
    assert (failed.state, failed.reason) == ("failed", "compare: 9 of 9 replicates diverged")
    assert begin(trials=2).history.trials()[0].user_attrs["failed"] == failed.reason


def test_a_search_whose_trials_all_fail_ends_with_the_reason(begin: Begin, train: Train) -> None:
    search = begin(trials=20)
    for share in search.present_shares():
        train(share)
    search.begin()

    def broken(_: Any) -> None:
        raise ValueError("no disk")

    with pytest.raises(ValueError, match="the first 5 trials failed, the last one so: no disk"):
        while (number := search.ask()) is not None:
            evaluate_or_fail(search, number, broken)


def trained_present(search: Search, train: Train) -> list[Any]:
    """Train the present settings; gives what was trained in one go each time."""
    rounds = []
    while shares := search.present_shares():
        rounds.append(shares)
        for share in shares:
            train(share)
    return rounds


def test_without_a_time_limit_the_present_settings_are_trained_in_one_go(begin: Begin, train: Train) -> None:
    search = begin()
    ((share,),) = trained_present(search, train)
    assert share.numbers == list(range(len(search.splits)))


def test_a_time_limit_learns_from_the_second_replicate_what_a_search_takes(
    begin: Begin, train: Train
) -> None:
    search = begin(seconds=1000.0)
    first, second, *rest = trained_present(search, train)
    assert [(one.numbers, one.count) for one in (*first, *second)] == [([0], 1), ([0], 2)]
    assert [share.numbers for shares in rest for share in shares] == [[n] for n in range(1, 10)]
    assert search.present_kept() == search.clock.looked
    assert all(have == FEW for have, _ in search.present_kept())


def test_a_limit_that_cannot_hold_a_search_ends_it_after_the_first_replicates(
    begin: Begin, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = begin(seconds=1000.0)
    shares, slow, kept = list[Any](), 30.0, search.present_kept
    monkeypatch.setattr(search, "present_kept", lambda: [(have, have * slow) for have, _ in kept()])

    def counted(share: Any) -> None:
        shares.append(share)
        train(share)

    needed = slow * (2 * len(search.splits) - 2 + search.rungs[0].splits * FEW)
    needed += SLACK * search.material.verdict_seconds(slow, slow, 1)
    with pytest.raises(ValueError, match=r"--time 16m40s: is too short; one trial .* need about") as said:
        run_here(search, counted)
    assert len(shares) == 2
    assert f"about {needed / 60:.1f} minutes here. Give --time {enough(needed)} or more" in str(said.value)


def test_a_longer_limit_reuses_what_was_trained_before_it_was_refused(begin: Begin, train: Train) -> None:
    search = begin(seconds=1e-6)
    with pytest.raises(ValueError, match="is too short"):
        run_here(search, train)
    again, shares = begin(trials=1, seconds=1000.0), list[Any]()

    def counted(share: Any) -> None:
        shares.append(share)
        train(share)

    trained_present(again, counted)
    assert [share.numbers for share in shares] == [[n] for n in range(1, 10)]


def test_a_limit_that_is_spent_before_the_first_trial_says_what_is_missing(
    begin: Begin, train: Train
) -> None:
    search = begin(trials=50, seconds=1000.0)
    trained_present(search, train)
    search.begin()
    search.clock.began -= 1000
    assert search.ask() is None
    with pytest.raises(ValueError, match=r"is too short; one trial and its verdict need about \d"):
        conclude(search)
    assert search.trials == {}


def test_no_trial_begins_that_would_leave_no_time_for_the_verdict(begin: Begin, train: Train) -> None:
    search = begin(trials=50, seconds=1000.0)
    trained_present(search, train)
    search.begin()
    search.clock.seconds[PRESENT] = 2.0
    verdict, first = search.verdict_seconds(), 2.0 * search.rungs[0].splits * FEW
    fresh = len(search.material.splits.fresh)
    assert verdict > 2.0 * 2 * fresh * 2  # both settings, two replicates; fresh folds train on more molecules
    search.clock.began = time.monotonic() - (1000 - SLACK * verdict - first - 5)
    assert search.ask() is not None
    search.clock.began -= 10
    assert search.ask() is None
    assert search.clock.least() == pytest.approx(first + SLACK * verdict)


def test_a_trial_too_slow_for_the_time_is_left_and_others_go_on(
    begin: Begin, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = begin(trials=50, seconds=1000.0)
    trained_present(search, train)
    search.begin()
    slow = search.ask()
    assert slow is not None
    share = search.share(slow, 0)
    assert share is not None
    train(share)
    search.clock.seconds[PRESENT] = 0.01
    with monkeypatch.context() as patched:
        patched.setattr(type(search.material), "cost", lambda *_: 1e6)
        assert not search.take(slow, 0)
    assert search.trials[slow].state == "left"
    assert search.ask() not in (None, slow)
    again = begin(trials=50, seconds=1000.0)
    again.begin()
    assert again.trials[slow].state == "left"
    assert not again.is_over()
    assert again.ask() == slow  # by now it is as quick as the others
    search.clock.seconds[slow] = 0.01
    conclude(search)  # in the end it may be the best
    assert search.trials[slow].state == "running"


def ahead(begin: Begin, train: Train) -> tuple[Search, int]:
    """A search with a time limit, ended; its best trial trains ten times as long as the present settings."""
    search = begin({"train": {"epochs": [4, 40]}}, trials=4, seconds=1000.0)
    run_here(search, train)
    best = search.best()
    assert best is not None
    return search, best[0]


def test_a_trial_whose_verdict_would_end_after_the_limit_is_left_aside(begin: Begin, train: Train) -> None:
    search, number = ahead(begin, train)
    needed = search.clock.verdict_on(number)
    search.clock.began = time.monotonic() - 1000 + 0.5 * needed
    conclude(search)  # a tenth of the limit is no reason
    assert (search.best() or (0,))[0] == number
    search.clock.began -= 200
    with pytest.raises(ValueError, match=f"to judge trial {number}, which is ahead; the verdict needs about"):
        conclude(search)
    assert search.best() is None


def test_a_verdict_that_is_kept_from_before_takes_no_time(begin: Begin, train: Train) -> None:
    search, number = ahead(begin, train)
    judged(search, train)
    search.clock.left[PRESENT] = search.material.left(search.material.present)
    search.clock.began -= 2000
    conclude(search)
    assert search.clock.verdict_on(number) == 0
    assert search.unjudged == []


@pytest.mark.parametrize(
    ("needed", "said"),
    [(1.0, "10s"), (173.0, "3m20s"), (190.0, "3m30s"), (540.0, "9m60s"), (3060.0, "57m"), (13300.0, "4h10m")],
)
def test_a_longer_time_is_told_to_ten_seconds_or_to_a_minute(needed: float, said: str) -> None:
    assert enough(needed) == time_text(seconds_of(said))


def test_the_verdict_of_a_slow_winner_takes_longer(begin: Begin) -> None:
    material = begin().material
    one, two = material.verdict_seconds(1.0, 1.0, 1), material.verdict_seconds(1.0, 3.0, 1)
    assert two == pytest.approx(2 * one)
    assert material.verdict_seconds(1.0, 3.0, 2) == pytest.approx(1.5 * one)


def test_gains_are_paired_with_the_present_settings(begin: Begin, train: Train) -> None:
    search = begin(trials=1)
    run_here(search, train)
    (number,) = search.trials
    found = search.scores[0].found
    shared = [s for s, c in found if c == number]
    slow = np.mean([found[s, PRESENT].infinite - found[s, number].infinite for s in shared])
    assert search.gain(number).mean == pytest.approx(slow)


def test_the_key_that_decides_is_the_most_important(begin: Begin) -> None:
    rng = np.random.default_rng(0)
    keys = space_of(SPACE, begin().material.present, "s").keys
    trials = []
    for _ in range(40):
        values = {"network.dropout": rng.uniform(0, 0.5), "train.learning_rate": 10 ** rng.uniform(-3, -2)}
        trials.append(
            {"values": values, "gain": -values["network.dropout"] + rng.normal(0, 0.02), "error": 0.02}
        )
    first, second = importance(keys, trials, rng)
    assert first["key"] == "network.dropout"
    assert first["low"] > 0.5
    assert second["low"] < 0.02


def test_few_trials_say_nothing_of_importance(begin: Begin) -> None:
    keys = space_of(SPACE, begin().material.present, "s").keys
    assert importance(keys, [{"values": {}, "gain": 1.0, "error": 1.0}] * 9, np.random.default_rng(0)) == []
