"""Which settings come next: first drawn, then those that are expected to improve most."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from manywalks.params.load import Params
from manywalks.tune.proposals.draws import anywhere, between, near, place, step_from
from manywalks.tune.proposals.proposals import FIRST, WIDE, Tried, best_expected, encoded, first
from manywalks.tune.space.default_space import default_space
from manywalks.tune.space.reading import space_of
from manywalks.tune.space.space import Space

CONDITIONAL = {
    "network": {"dropout": {"low": 0.0, "high": 0.5}},
    "train": {
        "optimizer": ["adam", "adamw"],
        "weight_decay": {"low": 1e-5, "high": 1e-2, "log": True, "when": {"train.optimizer": "adamw"}},
    },
}
Values = Mapping[str, Any]


def own_values(space: Space, present: Params) -> dict[str, Any]:
    """The present settings as values of the space."""
    own = space.present_values(present)
    assert own is not None
    return own


def changed(values: Values, own: Values) -> int:
    """How many keys differ."""
    return sum(values.get(name) != value for name, value in own.items())


def test_the_first_settings_are_near_the_present_ones_and_some_are_anywhere(present: Params) -> None:
    space, rng = default_space(present), np.random.default_rng(0)
    own = own_values(space, present)
    counts = np.array([[changed(first(space, own, n, rng), own) for n in range(FIRST)] for _ in range(50)])
    wide = np.arange(FIRST) % WIDE == 0
    assert wide.sum() == 2
    assert 1 < counts[:, ~wide].mean() < len(own) / 2 < counts[:, wide].mean()
    assert np.mean(counts > 0) > 0.95


def test_where_the_space_lacks_the_present_settings_all_first_ones_are_anywhere(present: Params) -> None:
    space = space_of({"network": {"dropout": {"low": 0.3, "high": 0.5}}}, present, "s")
    assert space.present_values(present) is None
    rng = np.random.default_rng(0)
    drawn = [first(space, None, n, rng)["network.dropout"] for n in range(20)]
    assert min(drawn) >= 0.3 and np.ptp(drawn) > 0.1


@pytest.mark.parametrize("draw", [near, step_from])
def test_values_are_of_the_space_and_a_key_without_its_condition_has_none(
    present: Params, draw: Callable[..., dict[str, Any]]
) -> None:
    space, rng = space_of(CONDITIONAL, present, "s"), np.random.default_rng(0)
    values, seen = anywhere(space, rng), set[str]()
    for _ in range(100):
        values = draw(space, values, rng)
        assert ("train.weight_decay" in values) == (values["train.optimizer"] == "adamw")
        space.params(values)
        seen.add(values["train.optimizer"])
    assert seen == {"adam", "adamw"}


def test_a_step_changes_little_and_a_cross_takes_from_both(present: Params) -> None:
    space, rng = default_space(present), np.random.default_rng(0)
    own, other = own_values(space, present), anywhere(space, np.random.default_rng(1))
    steps = [step_from(space, own, rng) for _ in range(200)]
    assert np.mean([changed(one, own) for one in steps]) < 3
    crossed = [between(space, own, other, rng) for _ in range(200)]
    shares = [np.mean([one.get(name) == own[name] for name in own]) for one in crossed]
    assert 0.3 < np.mean(shares) < 0.8


def test_places_are_even_on_the_scale_of_the_range(present: Params) -> None:
    space = space_of(CONDITIONAL, present, "s")
    by_name = {key.name: key for key in space.keys}
    assert place(by_name["train.weight_decay"], 10**-3.5) == pytest.approx(0.5)
    assert [place(by_name["train.optimizer"], value) for value in ("adam", "adamw")] == [0, 1]
    rows = encoded(space, [{"network.dropout": 0.25, "train.optimizer": "adam"}])
    assert rows[0, :2].tolist() == [0.5, 0.0] and np.isnan(rows[0, 2])


def smooth(space: Space, own: Values, rng: np.random.Generator) -> Callable[[Values], float]:
    """A gain that falls with the square of the distance from some settings near the present ones."""
    best = encoded(space, [own])[0]
    ranges = np.array([key.name in RANGES for key in space.keys])
    best = np.where(ranges, np.clip(best + rng.normal(0, 0.3, len(best)), 0, 1), best)

    def loss(values: Values) -> float:
        apart = np.nan_to_num(encoded(space, [values])[0] - best)
        return float(np.sum(np.where(ranges, 0.1 * apart**2, 0.01 * (apart != 0))))

    return lambda values: loss(own) - loss(values)


RANGES = {"network.dropout", "train.learning_rate", "train.epochs", "transform.count_scale"}


def found_by(
    space: Space, own: Values, gain: Callable[[Values], float], *, learns: bool, trials: int, seed: int
) -> float:
    """The true gain of the best of some trials, each measured with an error."""
    rng, tried = np.random.default_rng(seed), list[Tried]()
    for number in range(trials):
        if number < FIRST or not learns:
            values = first(space, own, number, rng)
        else:
            values = best_expected(space, own, tried, [], rng)
        tried.append(Tried(values, gain(values) + rng.normal(0, 0.004), 0.004))
    best = max(tried, key=lambda one: one.gain)
    return gain(best.values) if best.gain > 0 else 0.0


def test_what_is_learned_from_trials_finds_more_than_draws(present: Params) -> None:
    space = default_space(present)
    own = own_values(space, present)
    both = []
    for seed in range(8):
        gain = smooth(space, own, np.random.default_rng([seed, 1]))
        both.append([found_by(space, own, gain, learns=one, trials=30, seed=seed) for one in (True, False)])
    learned, drawn = np.mean(both, axis=0)
    assert learned > 1.2 * drawn > 0


def test_no_settings_are_proposed_twice_while_others_are_left(present: Params) -> None:
    space = space_of({"network": {"widths": [[8], [16], [32]]}}, present, "s")
    values = [{"network.widths": [width]} for width in (8, 16, 32)]
    rng = np.random.default_rng(0)
    tried = [Tried(values[0], 0.5, 0.1)]
    assert best_expected(space, None, tried, [values[1]], rng) == values[2]
    assert best_expected(space, None, [Tried(one, 0.0, 0.1) for one in values], [], rng) in values


def test_trials_side_by_side_do_not_get_the_same_settings(present: Params) -> None:
    space, rng = default_space(present), np.random.default_rng(0)
    own = own_values(space, present)
    tried = [Tried(near(space, own, rng), float(rng.normal(0, 0.01)), 0.005) for _ in range(12)]
    one = best_expected(space, own, tried, [], np.random.default_rng(5))
    other = best_expected(space, own, tried, [one], np.random.default_rng(5))
    assert one != other
