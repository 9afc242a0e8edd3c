"""How good settings each way to search finds, on simulated gains: `python -m benchmarks.tune_search`.

A world has 17 keys like those of the default space: the true gain falls with the square of the distance from
the best values of six ranges, which also interact, and each choice costs something. A measured gain adds what
a split's molecules and few replicates add, with the standard deviations that were measured on Caco-2.
The rungs, the early ends and the proposals are those of `manywalks tune`; TPE is Optuna's.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.trial import TrialState, create_trial

from benchmarks.results import table, write_section
from manywalks.tune.gains import Gain, Score, gain_over, is_beaten, pooled
from manywalks.tune.proposals import proposals
from manywalks.tune.proposals.proposals import FIRST, Tried
from manywalks.tune.space.keys import ChoicesParams, Key, RangeParams
from manywalks.tune.space.space import Space

PRESENT = -1
RANGES = 6
# numbers of choices of the other keys; the first of them matters most
CHOICES = (2, 3, 2, 3, 5, 2, 2, 2, 2, 2, 2)
RUNGS = (2, 5, 10)
# standard deviation between splits of Caco-2, and of the score of so many replicates on one split
BETWEEN, NOISE = 0.0125, {4: 0.0034, 2: 0.0055, 1: 0.0105}
# how far the present settings are from the best ones: of a range, and the chance that a choice is the best
# trials of plain Optuna that cost about half as much as a search
MANY, LONG = 200, "plain Optuna, longer"
STARTS = {"near the best": (0.08, 0.88), "far from the best": (0.25, 0.5)}
Values = Mapping[str, Any]


def simulated_space() -> Space:
    """Six ranges and eleven keys with choices."""
    ranges = [Key(f"range.{n}", RangeParams(low=0, high=1)) for n in range(RANGES)]
    choices = [
        Key(f"choice.{n}", ChoicesParams(choices=tuple(range(many)))) for n, many in enumerate(CHOICES)
    ]
    return Space({}, (*ranges, *choices), "simulated")


class World:
    """True gains of settings, and what is measured of them."""

    def __init__(self, rng: np.random.Generator, start: str) -> None:
        """Draw the best settings, what departing from them costs, and the present ones."""
        away, chance = STARTS[start]
        self.best, self.cost = rng.uniform(0.1, 0.9, RANGES), rng.gamma(1.5, 0.04, RANGES)
        self.pairs = [(*rng.integers(RANGES, size=2), rng.normal(0, 0.04)) for _ in range(4)]
        self.losses = [rng.gamma(1, 0.008, many) for many in CHOICES]
        for losses in self.losses:
            losses[rng.integers(len(losses))] = 0
        self.losses[0] = np.array([0.0, 0.05])
        at = np.clip(self.best + rng.normal(0, away, RANGES), 0, 1)
        chosen = [
            int(losses.argmin()) if rng.random() < chance else int(rng.integers(len(losses)))
            for losses in self.losses
        ]
        self.present = {f"range.{n}": float(value) for n, value in enumerate(at)}
        self.present |= {f"choice.{n}": value for n, value in enumerate(chosen)}
        self.splits = rng.normal(0, 1, (max(RUNGS), RANGES + len(CHOICES)))
        self.rng = rng

    def loss(self, values: Values) -> float:
        """How much worse than the best settings."""
        apart = np.array([values[f"range.{n}"] for n in range(RANGES)]) - self.best
        chosen = sum(losses[values[f"choice.{n}"]] for n, losses in enumerate(self.losses))
        joint = sum(weight * apart[one] * apart[other] for one, other, weight in self.pairs)
        return float(self.cost @ apart**2 - joint + chosen)

    def gain(self, values: Values) -> float:
        """The true gain over the present settings."""
        return self.loss(self.present) - self.loss(values)

    def measured(self, values: Values, split: int, replicates: int) -> Score:
        """The score on one split; settings that are alike have the same luck with its molecules."""
        apart = np.array([float(values[name]) - float(was) for name, was in self.present.items()])
        length = float(np.linalg.norm(apart))
        luck = np.tanh(1.6 * length) * (self.splits[split] @ apart) / length if length else 0.0
        noise = NOISE[replicates]
        return Score(self.gain(values) + BETWEEN * luck + self.rng.normal(0, noise), noise**2)


class Found(NamedTuple):
    """The best trial of a search."""

    gain: float
    promised: float
    trainings: int


class Way(NamedTuple):
    """A way to search: replicates on each split, and whether the proposals are those of manywalks."""

    replicates: int
    learns: bool


WAYS = {
    "TPE, 4 replicates": Way(4, False),
    "TPE, 2 replicates": Way(2, False),
    "manywalks tune": Way(2, True),
}


def searched(world: World, way: Way, trials: int, seed: int) -> Found:
    """One search with early ends."""
    space, rng, study = simulated_space(), np.random.default_rng([seed, 1]), optuna_study(seed)
    distributions = {key.name: key.distribution for key in space.keys}
    drawn = {key.name: key.drawn(world.present[key.name]) for key in space.keys}
    study.add_trial(create_trial(value=0.0, params=drawn, distributions=distributions))
    scores = {PRESENT: {s: world.measured(world.present, s, way.replicates) for s in range(RUNGS[-1])}}
    done, settings, tried = dict[int, Values](), list[Values](), list[Tried]()
    for number in range(trials):
        values = None
        if number < FIRST:
            values = proposals.first(space, world.present, number, rng)
        elif way.learns:
            values = proposals.best_expected(space, world.present, tried, [], rng)
        if values is not None:
            study.enqueue_trial({key.name: key.drawn(values[key.name]) for key in space.keys})
        trial = study.ask(distributions)
        settings.append({key.name: key.value(trial.params[key.name]) for key in space.keys})
        gains, ended = climbed(world, scores, settings[-1], number, way.replicates)
        for rung, gain in enumerate(gains):
            trial.report(gain.mean, rung)
        study.tell(trial, state=TrialState.PRUNED) if ended else study.tell(trial, gains[-1].mean)
        if not ended:
            done[number] = settings[-1]
        between = pooled(scores, PRESENT)
        every = [gain_over(scores, n, PRESENT, between) for n in range(number + 1)]
        tried = [Tried(own, gain.mean, gain.error) for own, gain in zip(settings, every, strict=True)]
    promised = {n: tried[n].gain for n in done if tried[n].gain > 0}
    trainings = way.replicates * sum(map(len, scores.values()))
    if not promised:
        return Found(0.0, 0.0, trainings)
    best = max(promised, key=lambda n: promised[n])
    return Found(world.gain(done[best]), promised[best], trainings)


def climbed(
    world: World, scores: dict[int, dict[int, Score]], values: Values, number: int, replicates: int
) -> tuple[list[Gain], bool]:
    """A trial's gains rung after rung, and whether it ended early."""
    own = scores[number] = dict[int, Score]()
    gains = list[Gain]()
    for rung in RUNGS:
        for split in range(len(own), rung):
            own[split] = world.measured(values, split, replicates)
        between = pooled(scores, PRESENT)
        gains.append(gain_over(scores, number, PRESENT, between))
        others = {n: gain_over(scores, n, PRESENT, between) for n in scores if n not in (PRESENT, number)}
        lows = {PRESENT: 0.0, **{n: gain.mean - gain.half for n, gain in others.items()}}
        leader = max(lows, key=lambda n: lows[n])
        if rung < RUNGS[-1] and is_beaten(gain_over(scores, number, leader, between)):
            return gains, True
    return gains, False


def plain(world: World, trials: int, seed: int) -> Found:
    """Optuna's TPE with one replicate on one split, whose best value wins."""
    space, study = simulated_space(), optuna_study(seed)
    distributions = {key.name: key.distribution for key in space.keys}
    before, best = world.measured(world.present, 0, 1).value, Found(0.0, 0.0, trials + 1)
    for _ in range(trials):
        trial = study.ask(distributions)
        values = {key.name: key.value(trial.params[key.name]) for key in space.keys}
        promised = world.measured(values, 0, 1).value - before
        study.tell(trial, promised)
        if promised > best.promised:
            best = Found(world.gain(values), promised, trials + 1)
    return best


def optuna_study(seed: int) -> optuna.Study:
    """A study in memory."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))


def section(searches: int, budgets: list[int]) -> str:
    """Means over the same worlds for every way."""
    ways: dict[str, Callable[[World, int, int], Found]] = {
        name: lambda world, trials, seed, way=way: searched(world, way, trials, seed)
        for name, way in WAYS.items()
    }
    ways["plain Optuna"] = plain
    ways[LONG] = plain
    rows = []
    for start in STARTS:
        for asked in budgets:
            for name, search in ways.items():
                trials = MANY if name == LONG else asked
                found = [
                    search(World(np.random.default_rng([seed, 7]), start), trials, seed)
                    for seed in range(searches)
                ]
                gains = np.array([one.gain for one in found])
                error = gains.std(ddof=1) / np.sqrt(searches)
                rows.append([
                    start, name, str(trials), f"{np.mean([one.trainings for one in found]):.0f}",
                    f"{np.mean([one.promised for one in found]):+.4f}",
                    f"{gains.mean():+.4f} ± {error:.4f}", f"{100 * np.mean(gains < 0):.0f} %",
                ])  # fmt: skip
                print(rows[-1], flush=True)
    heads = ["present settings", "search", "trials", "trainings", "promised", "true gain", "truly worse"]
    return (
        f"## Tune: ways to search, simulated\n\n{searches} simulated searches each (`python -m "
        "benchmarks.tune_search`): 17 keys, errors as measured on Caco-2 (MAE). Every way has the same "
        "worlds, so errors, which are mostly between worlds, are larger than those of a difference. All but "
        f"plain Optuna draw the first {FIRST} trials as `manywalks tune` does and end hopeless ones "
        "early.\n\n" + table(heads, rows)
    )


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--searches", type=int, default=40)
    parser.add_argument("--trials", type=int, nargs="+", default=[30])
    asked = parser.parse_args()
    write_section("tune-search", section(asked.searches, asked.trials))


if __name__ == "__main__":
    main()
