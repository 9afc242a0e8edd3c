"""Good and cheap at once: the front of trials, the one that is judged, and what is written."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manywalks import files
from manywalks.params.load import load_params
from manywalks.tune.design import Design
from manywalks.tune.front import Point, choose, is_cheaper, pareto
from manywalks.tune.report.reports import finished
from manywalks.tune.running import run_here
from manywalks.tune.search import Search
from manywalks.tune.trial import PRESENT
from manywalks.tune.verdict import Contest
from tests.tune.conftest import Begin

Train = Callable[[Any], None]
WIDTHS = {"network": {"widths": [[16, 8], [4], [64, 32]]}}


def judged(search: Search, train: Train) -> dict[str, Any]:
    """Verdict and reports."""
    contest = Contest.of(search)
    for share in [] if contest is None else contest.shares(1):
        train(share)
    return finished(search, contest, "2026-01-02")


def test_the_front_holds_whatever_no_other_beats_in_both() -> None:
    rng = np.random.default_rng(0)
    points = {n: Point(float(g), float(c)) for n, (g, c) in enumerate(rng.integers(0, 9, (60, 2)))}
    found = pareto(points)
    for number, point in points.items():
        beaten = any(
            other != point and other.gain >= point.gain and other.cost <= point.cost
            for other in points.values()
        )
        assert beaten == (point not in [points[n] for n in found])
        assert not (beaten and number in found)
    assert len({points[n] for n in found}) == len(found)
    assert [points[n].cost for n in found] == sorted(points[n].cost for n in found)


def test_the_cheapest_that_is_not_surely_worse_is_chosen() -> None:
    assert choose([3, 5, 9], lambda n, best: best == 9 and n == 3) == 5
    assert choose([3, 5, 9], lambda *_: True) == 9
    assert choose([], lambda *_: False) is None


def test_a_cost_within_the_clocks_luck_is_not_cheaper() -> None:
    assert not is_cheaper(0.95, 1.0)
    assert is_cheaper(0.9, 1.0)


def test_an_unknown_cost_is_refused() -> None:
    with pytest.raises(ValueError, match="--cost time: is unknown; give seconds or parameters"):
        Design(cost="time")


def test_a_search_for_good_and_cheap_settings_keeps_to_its_front(begin: Begin, train: Train) -> None:
    search = begin(WIDTHS, trials=4, cost="parameters")
    run_here(search, train)
    sizes = {n: sum(trial.params.network.widths) for n, trial in search.trials.items()}
    by_size = sorted(sizes, key=lambda n: sizes[n])
    assert [search.costs[n] for n in by_size] == sorted(search.costs[n] for n in by_size)
    front = search.front()
    best = search.best()
    assert best is None or best[0] in front
    found = judged(search, train)
    assert found["cost"]["front"] == [0 if n == PRESENT else n for n in front]
    assert found["cost"]["present"] == search.costs[PRESENT]
    page = (search.material.workspace.reports / "tune.html").read_text(encoding="utf-8")
    assert "Gain and cost" in page and "parameters of the network" in page
    again = begin(WIDTHS, trials=4, cost="parameters")
    again.begin()
    assert {n: trial.state for n, trial in again.trials.items()} == {
        n: trial.state for n, trial in search.trials.items()
    }
    assert again.costs == search.costs


def test_settings_that_are_as_good_and_cheaper_are_written(begin: Begin, train: Train) -> None:
    """A network of one unit a layer is as good where 100 % of the score would not matter."""
    search = begin({"network": {"widths": [[2], [3]]}}, trials=2, cost="parameters", threshold=50.0)
    run_here(search, train)
    found = judged(search, train)
    verdict = found["verdict"]
    assert verdict["costs"]["tuned"] < 0.9 * verdict["costs"]["present"]
    assert verdict["word"] == "cheaper"
    tuned = load_params(search.material.workspace.root / "params.tuned.yaml")
    assert sum(tuned.network.widths) in (2, 3)
    assert files.read_json(search.material.workspace.reports / "tune.json")["written"] == "params.tuned.yaml"


def test_a_search_that_goes_on_must_look_for_the_same(begin: Begin) -> None:
    begin(WIDTHS, cost="seconds")
    with pytest.raises(ValueError, match="the last search was made with --cost seconds; ask for the same"):
        begin(WIDTHS)
