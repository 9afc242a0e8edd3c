"""A search: trials one after another or side by side, each judged by a few splits before it gets more."""

import math
import threading
from pathlib import Path
from typing import Any

from manywalks.compare.design import Share
from manywalks.params.load import Params
from manywalks.tune.design import FEW, rungs_of
from manywalks.tune.front import Point, choose, pareto
from manywalks.tune.gains import Gain, gain_over, is_beaten, joint_scores, pooled
from manywalks.tune.history import BEATEN, FAILED, VALUES, History, suggest
from manywalks.tune.material import Material
from manywalks.tune.proposals.proposals import FIRST, Tried, best_expected, first
from manywalks.tune.space.space import Space, explicit, same_model
from manywalks.tune.trial import PRESENT, Clock, TrialState

# so many trials may fail before any has ended well: then the data or the machine is to blame
FAILURES = 5


class Search:
    """Trials and their scores; safe to use from several threads."""

    def __init__(self, material: Material, space: Space, history: History, workers: int = 1) -> None:
        """Go on where the history ends."""
        self.material, self.space, self.history, self.workers = material, space, history, workers
        self.splits = material.splits.search
        self.rungs = rungs_of(material.splits.folds, len(self.splits))
        self.scores = material.scores()
        self.scales = [1.0] * len(self.scores)
        # of a replicate, by configuration; 0 where the score alone decides
        self.costs: dict[int, float] = {}
        self.trials: dict[int, TrialState] = {}
        # trials that were ahead, and whose verdict would take longer than the time limit
        self.unjudged: list[int] = []
        self.clock = Clock(material, self.rungs, workers)
        # (split, store) of what this run trains; all else is kept from an earlier one
        self.trained: set[tuple[int, Path]] = set()
        self._lock = threading.RLock()
        self._present = material.present
        # None where the space does not hold the present settings
        self._own = space.present_values(material.present)

    def present_shares(self) -> list[Share]:
        """What is to be trained next of the present settings, until every split of the search has them.

        With a time limit that is little at a time, so that it is soon known how long a search takes; a
        ValueError says so where the limit cannot hold one.
        """
        asked, kept = self.rungs[-1], self.present_kept()
        if kept == self.clock.looked:  # nothing came of the last ones: `begin` says so
            return []
        self.clock.learn(kept)
        numbers = list(range(asked.splits))
        shares = self.material.shares(self._present, self.splits, numbers, asked.replicates, self.workers)
        if shares and self.clock.limit is not None:
            self.clock.check_present(sum(asked.replicates - have for have, _ in kept))
            # the first replicate of a process may wait for its code to be compiled: the second one tells more
            count = asked.replicates if any(have > 1 for have, _ in kept) or self.trained else 1
            shares = [share._replace(numbers=share.numbers[:1], count=count) for share in shares]
        self.trained |= {(n, share.fold_store) for share in shares for n in share.numbers}
        return shares

    def present_kept(self) -> list[tuple[int, float]]:
        """Replicates of the present settings on each split of the search, and seconds that they took."""
        store = self.material.store(self._present)
        kept = [self.material.kept(store, subsets) for subsets in self.splits]
        return [(len(one.predictions), one.seconds) for one in kept]

    def begin(self) -> None:
        """Score the present settings, and what a former run has left."""
        last = self.rungs[-1]
        numbers = list(range(last.splits))
        of = (self.splits, numbers, last.replicates)
        if not self.material.add(self.scores, PRESENT, self._present, of):
            raise RuntimeError("tune: trained replicates of the present settings were not kept")
        self._note_cost(PRESENT, self._present, numbers)
        if len(self.scores) > 1:
            self.scales = [max(abs(score), 1e-9) for score in self.present_scores()]
        if self._own is not None:
            self.history.add_present(self.space.keys, self._own, self.costs[PRESENT])
        self._take_up()

    def _note_cost(self, number: int, params: Params, splits: list[int]) -> None:
        """Keep what a replicate of a configuration costs."""
        asked, cost = self.material.design.cost, self.material.cost
        self.costs[number] = 0.0 if asked is None else cost(params, self.splits, splits, asked)
        seconds = cost(params, self.splits, splits, "seconds") if self.clock.limit is not None else math.inf
        if math.isfinite(seconds):  # of a trial that was stopped nothing may be kept
            self.clock.seconds[number] = seconds
            self.clock.left[number] = self.material.left(params) if number == PRESENT else 1.0

    def present_scores(self) -> list[float]:
        """The present settings' scores, means over the splits of the search, one an endpoint."""
        with self._lock:  # trials are scored meanwhile
            found = [[s.infinite for (_, c), s in one.found.items() if c == PRESENT] for one in self.scores]
        return [sum(values) / len(values) for values in found]

    def _take_up(self) -> None:
        """Trials of the history: their scores, and those that had not ended."""
        for frozen in self.history.trials():
            if VALUES not in frozen.user_attrs:
                self.history.fail(frozen.number, "stopped before it began")
                continue
            trial = TrialState(frozen.user_attrs[VALUES], self._present)
            self.trials[frozen.number] = trial
            if frozen.state.name == "FAIL":
                trial.state, trial.reason = "failed", frozen.user_attrs.get(FAILED, "")
                continue
            trial.params = self._params(frozen.user_attrs[VALUES])
            for rung in self.rungs:
                numbers = list(range(rung.splits))
                whole = self.material.add(
                    self.scores, frozen.number, trial.params, (self.splits, numbers, rung.replicates)
                )
                self._note_cost(frozen.number, trial.params, numbers)
                if not whole:
                    break
                trial.rung += 1
            if not frozen.state.is_finished():
                trial.state = "left"
                continue
            beaten = frozen.state.name == "PRUNED" or BEATEN in frozen.user_attrs
            trial.state = "beaten" if beaten else "done"

    def _params(self, values: dict[str, Any]) -> Params:
        """A trial's parameters; where they train the present settings' replicates, those themselves."""
        params = self.space.params(values)
        return self._present if same_model(explicit(params), explicit(self._present)) else params

    def ask(self) -> int | None:
        """The next trial: one that was stopped, or a new one; None where trials or time are spent."""
        with self._lock:
            if self.is_over(self.clock.step(None, 0)):
                return None
            for number, trial in self.trials.items():
                if trial.state == "left" and not self.is_over(self.clock.step(number, trial.rung), number):
                    trial.state = "running"
                    return number
            while len(self.trials) < self.material.design.trials:
                number = self._begin()
                if number is not None:
                    return number
            return None

    def _begin(self) -> int | None:
        """Begin a new trial; None where its values are accepted one by one, and not together."""
        proposed = self._proposed()
        keys = {key.name: key for key in self.space.keys}
        drawn = None if proposed is None else {name: keys[name].drawn(one) for name, one in proposed.items()}
        trial = self.history.ask(drawn)
        values = self.space.draw(lambda key: suggest(trial, key))
        self.history.note(trial.number, VALUES, values)
        self.trials[trial.number] = TrialState(values, self._present)
        try:
            self.trials[trial.number].params = self._params(values)
        except ValueError as error:
            self.fail(trial.number, str(error))
            return None
        return trial.number

    def _proposed(self) -> dict[str, Any] | None:
        """Values of the next trial; None where Optuna's TPE is to propose them, for a gain and a cost."""
        rng, begun = self.history.rng, len(self.trials)
        if begun < FIRST:
            return first(self.space, self._own, begun, rng)
        if self.material.design.cost is not None:
            return None
        gains = self.gains()
        tried = [Tried(self.trials[n].values, gain.mean, gain.error) for n, gain in gains.items()]
        rest = [(trial.values, trial.state) for n, trial in self.trials.items() if n not in gains]
        if tried:  # what cannot be trained is no better than the worst
            worst = min(tried, key=lambda one: one.gain)
            tried += [worst._replace(values=values) for values, state in rest if state == "failed"]
        pending = [values for values, state in rest if state == "running"]
        if not tried and self._own is None:
            return first(self.space, None, begun, rng)
        return best_expected(self.space, self._own, tried, pending, rng)

    def is_over(self, step: float = 0.0, number: int | None = None) -> bool:
        """Whether the time is spent, but for a next step of so many seconds, by a trial, and the verdict."""
        verdict = max(self.verdict_seconds(), self.clock.verdict([] if number is None else [number]))
        return self.clock.limit is not None and self.clock.is_over(step, verdict)

    def verdict_seconds(self) -> float:
        """How long the verdict will take, if the best trial so far wins or one that is being trained."""
        best = self.best()
        may_win = [n for n, trial in self.trials.items() if trial.state == "running"]
        return self.clock.verdict([*may_win, *([] if best is None else [best[0]])])

    def share(self, number: int, rung: int) -> Share | None:
        """What a trial's rung still has to train."""
        asked = self.rungs[rung]
        with self._lock:
            params = self.trials[number].params
        found = self.material.shares(params, self.splits, list(range(asked.splits)), asked.replicates)
        with self._lock:
            self.trained |= {(n, one.fold_store) for one in found for n in one.numbers}
        return found[0] if found else None

    def take(self, number: int, rung: int) -> bool:
        """Score a rung; whether the trial goes on to the next one."""
        asked = self.rungs[rung]
        with self._lock:
            trial = self.trials[number]
            numbers = list(range(asked.splits))
            of = (self.splits, numbers, asked.replicates)
            if not self.material.add(self.scores, number, trial.params, of):
                raise RuntimeError(f"tune: trained replicates of trial {number} were not kept")
            trial.rung = rung + 1
            self._note_cost(number, trial.params, numbers)
            gain, cost = self.gain(number), self.costs[number]
            self.history.report(number, rung, gain.mean)
            if rung == len(self.rungs) - 1:
                trial.state = "done"
                self.history.end(number, gain.mean, cost)
                return False
            if self._is_beaten(number):
                trial.state = "beaten"
                self.history.end(number, gain.mean, cost, beaten=True)
                return False
            if self.is_over(self.clock.step(number, rung + 1)):
                trial.state = "left"  # others may be quicker
            return trial.state == "running"

    def fail(self, number: int, reason: str) -> None:
        """A trial could not be trained; where none can, a ValueError says so."""
        with self._lock:
            trial = self.trials[number]
            trial.state, trial.reason = "failed", reason
            self.history.fail(number, reason)
            states = [one.state for one in self.trials.values()]
            if states.count("failed") >= FAILURES and not {"done", "beaten"} & set(states):
                raise ValueError(f"tune: the first {FAILURES} trials failed, the last one so: {reason}")

    def _scored(self) -> dict[int, dict[int, Any]]:
        """Scores of the present settings and of every trial, by split."""
        return joint_scores(self.scores, self.scales)

    def gain(self, number: int, over: int = PRESENT) -> Gain:
        """A trial's gain over the present settings, or over another trial."""
        with self._lock:
            scores = self._scored()
            return gain_over(scores, number, over, pooled(scores, PRESENT))

    def gains(self) -> dict[int, Gain]:
        """Gains over the present settings of all trials that have any score."""
        with self._lock:
            scores = self._scored()
            between = pooled(scores, PRESENT)
            return {
                number: gain_over(scores, number, PRESENT, between) for number in scores if number != PRESENT
            }

    def _is_beaten(self, number: int) -> bool:
        """Whether a trial is surely worse than the one that has surely gained most, at no higher cost."""
        gains, cost = self.gains(), self.costs[number]
        lows = {PRESENT: 0.0, **{n: gain.mean - gain.half for n, gain in gains.items() if n != number}}
        others = {n: low for n, low in lows.items() if self.costs[n] <= cost}
        # of equals the present settings, which come first
        leader = max(others, key=lambda n: others[n], default=None)
        return leader is not None and is_beaten(self.gain(number, over=leader))

    def _rated(self) -> dict[int, Gain]:
        """Gains of the trials with the most splits, of those that have not been beaten."""
        may_win = {n for n, trial in self.trials.items() if trial.state in ("done", "running")}
        gains = {n: gain for n, gain in self.gains().items() if n in may_win - set(self.unjudged)}
        most = max((gain.splits for gain in gains.values()), default=0)
        return {n: gain for n, gain in gains.items() if gain.splits == most}

    def front(self) -> list[int]:
        """Trials, and the present settings, that no other beats in both gain and cost; cheapest first."""
        points = {n: Point(gain.mean, self.costs[n]) for n, gain in self._rated().items()}
        return pareto({**points, PRESENT: Point(0.0, self.costs[PRESENT])})

    def best(self) -> tuple[int, Gain] | None:
        """The trial that is judged; None where none is ahead of the present settings.

        That of the largest gain; with a cost, the cheapest of the front that is not surely worse than that.
        """
        with self._lock:
            gains = self._rated()
            if self.material.design.cost is None:
                found = {n: gain for n, gain in gains.items() if gain.mean > 0}
                number = max(found, key=lambda n: found[n].mean, default=None)
            else:
                ahead = [n for n in self.front() if n != PRESENT]
                number = choose(ahead, lambda n, best: is_beaten(self.gain(n, over=best)))
            return None if number is None else (number, gains[number])

    def ended(self) -> int:
        """Trials that have ended; never waits, since an interruption asks while a trial may be scored."""
        return sum(trial.state not in ("running", "left") for trial in list(self.trials.values()))

    def replicates(self) -> int:
        """Replicates that trials and present settings were scored with."""
        return len(self.scores[0].found) * FEW
