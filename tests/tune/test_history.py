"""The journal: what a kill leaves can be gone on with."""

from pathlib import Path

import pytest

from manywalks.params.load import Params
from manywalks.tune.history import VALUES, History, next_folder, searches, suggest
from manywalks.tune.space.reading import space_of
from tests.tune.conftest import SPACE


def begun(folder: Path, present: Params, trials: int) -> History:
    """A history of some trials, the last one still running."""
    history, space = History(folder, 3), space_of(SPACE, present, "s")
    for _ in range(trials):
        trial = history.ask()
        history.note(trial.number, VALUES, space.draw(lambda key, trial=trial: suggest(trial, key)))
        if trial.number < trials - 1:
            history.report(trial.number, 0, 0.1)
            history.end(trial.number, 0.1)
    return history


def test_trials_come_back_with_their_values(tmp_path: Path, present: Params) -> None:
    values = [one.user_attrs[VALUES] for one in begun(tmp_path, present, 3).trials()]
    again = History(tmp_path, 3)
    assert [one.user_attrs[VALUES] for one in again.trials()] == values
    assert again.running() == [2]


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_line_that_a_kill_cut_short_costs_no_more_than_itself(
    tmp_path: Path, present: Params, cut: int
) -> None:
    path = begun(tmp_path, present, 4).path
    path.write_bytes(path.read_bytes()[:-cut])
    again = History(tmp_path, 3)
    assert len(again.trials()) >= 3
    again.end(again.ask().number, 0.5)
    assert len(History(tmp_path, 3).trials()) == len(again.trials())


def test_a_lock_that_a_kill_left_does_not_stop_the_next_run(tmp_path: Path, present: Params) -> None:
    path = begun(tmp_path, present, 2).path
    path.with_name(f"{path.name}.lock").symlink_to(path)
    History(tmp_path, 3).end(1, 0.3)


def test_the_present_settings_are_known_and_no_trial(tmp_path: Path, present: Params) -> None:
    history, space = History(tmp_path, 3), space_of(SPACE, present, "s")
    for _ in range(2):
        history.add_present(space.keys, {"network.dropout": 0.1, "train.learning_rate": 1e-3})
    assert history.trials() == []
    assert history.ask().number == 1


def test_a_trial_has_the_values_that_it_is_given(tmp_path: Path, present: Params) -> None:
    history, space = History(tmp_path, 3), space_of(SPACE, present, "s")
    given = {"network.dropout": 0.25, "train.learning_rate": 0.002}
    trial = history.ask(given)
    assert space.draw(lambda key: suggest(trial, key)) == given


def test_a_trial_that_was_only_planned_when_killed_is_the_next_one(tmp_path: Path, present: Params) -> None:
    history, space = History(tmp_path, 3), space_of(SPACE, present, "s")
    own = space.present_values(present)
    assert own is not None
    history.add_present(space.keys, own)
    history._study.enqueue_trial({})
    again = History(tmp_path, 3)
    assert again.trials() == []
    number = again.ask().number
    again.end(number, 0.5)
    assert [one.number for one in again.trials()] == [number] == [1]


def test_searches_are_numbered(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        (tmp_path / f"search-{number}").mkdir()
    assert searches(tmp_path)[-1].name == "search-10"
    assert next_folder(tmp_path).name == "search-11"
