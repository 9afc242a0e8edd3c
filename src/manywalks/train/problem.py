"""Train replicates: what goes in, what comes out, and which engine does it.

An engine is a module with `supports(problem) -> bool` and
`train_pack(pack) -> Iterator[Replicate]`.
All engines share these rules, so that a replicate means the same whichever engine trained it:

- step: the loss of a batch of b molecules is `sum(weight * loss) / (b * t)` over its molecules and
  endpoints, plus `l2 * sum(kernel ** 2)` over all kernels; the last, short batch of an epoch counts;
- censored values: no loss where the prediction lies on the allowed side, else that of the value;
- order: `streams.epoch_order` of the train rows, one an epoch; schedule: per step, to 0 after `epochs`;
- early stopping: after each epoch the loss of the valid rows, without `l2`; a replicate ends after
  `early_stopping` epochs without a lower one, and the weights of the lowest are kept;
- divergence: a loss or a weight that is not finite ends the replicate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams, TrainParams
from manywalks.train.streams import SOURCES
from manywalks.train.targets import Targets

Progress = Callable[[int, int, int], None]


"""Called with (replicate, epochs done, epochs at most), from any thread."""


@dataclass(frozen=True)
class Problem:
    """What every replicate of an ensemble shares.

    Attributes:
        features: scaled features of all n molecules, finite.
        targets: targets of all n molecules, in network space.
        train: rows to train on (k,).
        valid: rows whose loss decides early stopping; unused without it.
        predict: rows to predict, out of sample.
        network: the network every replicate is an instance of.
        train_params: how it is trained.
        vary: what differs between replicates; fewer than all of it only to study where replicates part.
        family: name of the family whose networks these are; each has random numbers of its own.
    """

    features: Features
    targets: Targets
    train: np.ndarray
    valid: np.ndarray
    predict: np.ndarray
    network: NetworkParams
    train_params: TrainParams
    vary: tuple[str, ...] = SOURCES
    family: str = ""

    @property
    def n_endpoints(self) -> int:
        """t, the number of endpoints."""
        return self.targets.values.shape[1]

    @property
    def steps_per_epoch(self) -> int:
        """Batches an epoch, the short last one included."""
        return -(-len(self.train) // self.train_params.batch_size)

    @property
    def epochs(self) -> int:
        """How many epochs a replicate is trained at most."""
        return self.train_params.most_epochs(classes_alone=bool(self.targets.classes.all()))


class Pack(NamedTuple):
    """What an engine is asked for at once.

    Replicate k draws from `SeedSequence(entropy, spawn_key=(k,))` alone: neither the rest of the pack
    nor the number of threads changes it.

    Attributes:
        problem: what each replicate is a training of.
        indices: which replicates.
        entropy: what their streams are spawned from.
        threads: how many train at the same time on a processor.
        progress: hears how far each is.
        spare: replicates that come as well where an accelerator's pack has room; other engines leave them.
    """

    problem: Problem
    indices: Sequence[int]
    entropy: int
    threads: int = 1
    progress: Progress | None = None
    spare: Sequence[int] = ()


class Replicate(NamedTuple):
    """One replicate's outcome.

    Attributes:
        index: which replicate it is.
        weights: in the order of Keras's `get_weights()`; empty where it diverged.
        predictions: float32 (n_predict, t), in network space (logits for classes); NaN where it diverged.
        epochs: how many it was trained.
        best_epoch: the epoch (from 1) whose weights these are.
        diverged: its loss or a weight was not finite.
    """

    index: int
    weights: list[np.ndarray]
    predictions: np.ndarray
    epochs: int
    best_epoch: int
    diverged: bool


def endpoint_losses(problem: Problem) -> tuple[str, ...]:
    """Each endpoint's loss: "mse", "huber" or "cross_entropy" (t of them).

    A class is always trained by cross-entropy, since the network's output is its logit;
    `train.loss` says what the other endpoints get.
    """
    asked = problem.train_params.loss
    if asked == "cross_entropy" and not problem.targets.classes.all():
        raise ValueError("train.loss: 'cross_entropy' is for classes alone; use 'mse' or 'huber'")
    regression = "mse" if asked == "auto" else asked
    return tuple("cross_entropy" if is_class else regression for is_class in problem.targets.classes)


def learning_rates(train: TrainParams, steps: int) -> np.ndarray:
    """The learning rate of each step, float64 (steps,): constant, or half a cosine down to 0.

    Before it, where `warmup` asks for that, the rate rises in equal steps, from one above 0 so that no step
    is lost: Keras's `CosineDecay` with `warmup_target` and an initial rate of one such step.
    """
    rising = round(train.warmup * steps)
    shares = np.ones(steps)
    shares[:rising] = np.arange(1, rising + 1) / (rising + 1)
    if train.schedule == "cosine":
        left = steps - rising
        shares[rising:] = 0.5 * (1 + np.cos(np.pi * np.arange(left) / left))
    return train.learning_rate * shares


def check_problem(problem: Problem) -> None:
    """A ValueError for what no engine could train on."""
    if len(problem.train) == 0:
        raise ValueError("split: no molecule in the train subset; lower split.test and split.valid")
    if problem.train_params.early_stopping is not None and len(problem.valid) == 0:
        raise ValueError(
            "train.early_stopping: needs valid molecules, and there are none; set split.valid to 0.1, or "
            "remove early_stopping"
        )
    if not problem.targets.weights[problem.train].any():
        raise ValueError("targets: no value measured in the train subset; look at the curated table")
    for name, matrix in (("counts", problem.features.counts.data), ("dense", problem.features.dense)):
        if not np.isfinite(matrix).all():
            raise ValueError(f"features: {name} hold values that are not finite; scale them first")
    endpoint_losses(problem)
