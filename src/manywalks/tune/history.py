"""The trials of a search in Optuna's journal, which a kill costs no more than what was in flight."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, create_trial
from optuna.trial import TrialState as OptunaState

from manywalks import files
from manywalks.tune.proposals.proposals import FIRST
from manywalks.tune.space.keys import Key

NAME = "manywalks"
FAILED, VALUES, BEATEN, COST = "failed", "values", "beaten", "cost"


def next_folder(parent: Path) -> Path:
    """The folder of a new search."""
    former = [int(path.name.removeprefix("search-")) for path in searches(parent)]
    return parent / f"search-{max(former, default=0) + 1}"


def searches(parent: Path) -> list[Path]:
    """Folders of all searches, the last one last."""
    found = [path for path in parent.glob("search-*") if path.name.removeprefix("search-").isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("search-")))


class History:
    """Trials and what was found of them; one process at a time may have it open."""

    def __init__(self, folder: Path, seed: int | None, cost: str | None = None) -> None:
        """Open the journal of a search, or begin one: for a gain, or for a gain at a low cost."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "journal.log"
        _mend(self.path)
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(self.path))),
            study_name=NAME,
            directions=["maximize"] if cost is None else ["maximize", "minimize"],
            load_if_exists=True,
        )
        self._cost = cost
        self._refuse_other_cost()
        # a search that goes on must not draw again what it drew first
        begun = len(self._study.get_trials(deepcopy=False))
        own = None if seed is None else (seed + 7919 * begun) % 2**32
        self._study.sampler = TPESampler(seed=own, n_startup_trials=FIRST)
        self.rng = np.random.default_rng(own)

    def _refuse_other_cost(self) -> None:
        """A search that goes on must look for what it looked for."""
        known = self._study.user_attrs
        if COST not in known and not self._study.get_trials(deepcopy=False):
            self._study.set_user_attr(COST, self._cost)
            return
        former = known.get(COST)
        if former != self._cost:
            was = f"with --cost {former}" if former else "without --cost"
            raise ValueError(
                f"--continue: the last search was made {was}; ask for the same, "
                "or run without --continue to begin a new search"
            )

    def _values(self, gain: float, cost: float | None) -> list[float]:
        """What the sampler learns from."""
        return [gain] if self._cost is None or cost is None else [gain, cost]

    def add_present(self, keys: Sequence[Key], values: dict[str, Any], cost: float | None = None) -> None:
        """Let the sampler know of the present settings, whose gain is 0 by definition."""
        if self._study.get_trials(deepcopy=False):
            return
        own = [key for key in keys if key.name in values]
        self._study.add_trial(
            create_trial(
                values=self._values(0.0, cost),
                params={key.name: key.drawn(values[key.name]) for key in own},
                distributions={key.name: key.distribution for key in own},
                user_attrs={"present": True},
            )
        )

    def trials(self) -> list[FrozenTrial]:
        """All trials, without the present settings and what was only planned."""
        return [
            one
            for one in self._study.get_trials(deepcopy=False)
            if not one.user_attrs.get("present") and one.state != OptunaState.WAITING
        ]

    def running(self) -> list[int]:
        """Trials that were begun and have not ended."""
        return [one.number for one in self.trials() if not one.state.is_finished()]

    def ask(self, drawn: dict[str, Any] | None = None) -> Trial:
        """A new trial of these values, as Optuna has them; without them, of those that its TPE proposes."""
        if drawn is not None:
            self._study.enqueue_trial(drawn)
        return self._study.ask()

    def note(self, number: int, name: str, value: Any) -> None:
        """Keep something of a trial."""
        self._trial(number).set_user_attr(name, value)

    def report(self, number: int, step: int, gain: float) -> None:
        """Keep a trial's gain after a rung, for those who look at the journal."""
        if self._cost is not None:
            return  # Optuna keeps none of several objectives; such a trial ends with what it has
        with warnings.catch_warnings():
            # a rung that was interrupted and is looked at again says the same
            warnings.simplefilter("ignore", UserWarning)
            self._trial(number).report(gain, step)

    def end(self, number: int, gain: float, cost: float | None = None, *, beaten: bool = False) -> None:
        """A trial has ended with a gain, to its last rung or beaten before."""
        if beaten and self._cost is None:
            self._study.tell(number, state=OptunaState.PRUNED)
            return
        if beaten:
            self.note(number, BEATEN, True)
        self._study.tell(number, self._values(gain, cost))

    def fail(self, number: int, reason: str) -> None:
        """A trial could not be trained."""
        self.note(number, FAILED, reason)
        self._study.tell(number, state=OptunaState.FAIL)

    def _trial(self, number: int) -> Trial:
        trials = self._study.get_trials(deepcopy=False)
        return Trial(self._study, trials[number]._trial_id)


def suggest(trial: Trial, key: Key) -> Any:
    """Draw a key's value, as Optuna has it."""
    distribution = key.distribution
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(key.name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(key.name, distribution.low, distribution.high, log=distribution.log)
    low, high = key.ends
    return trial.suggest_float(key.name, low, high, log=getattr(key.given, "log", False))


def _mend(path: Path) -> None:
    """Remove a last line that a kill cut short, and the lock that it left: both would stop Optuna."""
    for left in path.parent.glob(f"{path.name}.lock*"):
        left.unlink()
    if path.is_file():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            files.write_bytes(path, whole)
