"""The trials of a search in Optuna's journal, which a kill costs no more than what was in flight."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from manywalks import files
from manywalks.tune.space.keys import Key

NAME = "manywalks"
# drawn at random before the sampler learns from what was found
RANDOM = 10
FAILED, VALUES, FOUND = "failed", "values", "found"


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

    def __init__(self, folder: Path, seed: int | None) -> None:
        """Open the journal of a search, or begin one."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "journal.log"
        _mend(self.path)
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(self.path))),
            study_name=NAME,
            direction="maximize",
            load_if_exists=True,
        )
        # a search that goes on must not draw again what it drew first
        begun = len(self._study.get_trials(deepcopy=False))
        own = None if seed is None else (seed + 7919 * begun) % 2**32
        self._study.sampler = TPESampler(seed=own, n_startup_trials=RANDOM)

    def add_present(self, keys: Sequence[Key], values: dict[str, Any]) -> None:
        """Let the sampler know of the present settings, whose gain is 0 by definition."""
        if self._study.get_trials(deepcopy=False):
            return
        own = [key for key in keys if key.name in values]
        self._study.add_trial(
            create_trial(
                value=0.0,
                params={key.name: key.drawn(values[key.name]) for key in own},
                distributions={key.name: key.distribution for key in own},
                user_attrs={"present": True},
            )
        )

    def trials(self) -> list[FrozenTrial]:
        """All trials, without the present settings."""
        return [one for one in self._study.get_trials(deepcopy=False) if not one.user_attrs.get("present")]

    def running(self) -> list[int]:
        """Trials that were begun and have not ended."""
        return [one.number for one in self.trials() if not one.state.is_finished()]

    def ask(self) -> Trial:
        """A new trial."""
        return self._study.ask()

    def note(self, number: int, name: str, value: Any) -> None:
        """Keep something of a trial."""
        self._trial(number).set_user_attr(name, value)

    def report(self, number: int, step: int, gain: float) -> None:
        """Keep a trial's gain after a rung, which the sampler learns from where the trial ends there."""
        with warnings.catch_warnings():
            # a rung that was interrupted and is looked at again says the same
            warnings.simplefilter("ignore", UserWarning)
            self._trial(number).report(gain, step)

    def end(
        self, number: int, gain: float | None, *, beaten: bool = False, failed: str | None = None
    ) -> None:
        """A trial has ended: with a gain, beaten, or failed for a reason."""
        if failed is not None:
            self.note(number, FAILED, failed)
            self._study.tell(number, state=TrialState.FAIL)
        elif beaten:
            self._study.tell(number, state=TrialState.PRUNED)
        else:
            self._study.tell(number, gain)

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
