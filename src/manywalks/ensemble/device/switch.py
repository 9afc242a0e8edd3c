"""Families that move to the accelerator once they have worked so long on the processor that it pays.

Starting the device's process takes seconds, and nobody knows how many molecules will come. So the processor
predicts first, and the device takes over when the processor has spent about as much as the start will take:
then no list takes more than twice the time of the better choice, and the same list switches at the same row.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.model_file.archive import model_folder
from manywalks.ensemble.model_file.reading import read_about
from manywalks.ensemble.stacks.stack import Stack
from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.train import child
from manywalks.train.jax_engine.device import DEVICE, accelerators, one_device
from manywalks.train.jax_engine.engine import (
    ATOMS,
    ENVIRONMENT,
    FLOPS_OF_A_CORE,
    KERAS_FLOPS_OF_A_CORE,
    START_SECONDS,
    UNKNOWN_WEIGHTS,
)

WORKER = "manywalks.ensemble.device.worker"
# A network on graphs multiplies an atom's state by so many matrices a layer, and gathers besides: 0.12 ms of
# a core for a molecule of 13 atoms at 192 units and 4 layers, 0.026 at 64 units and 3.
GRAPH_MATRICES = 3
GRAPH_FLOPS_OF_A_CORE = FLOPS_OF_A_CORE / 2
# of a weight and molecule, forward
FLOPS = 2


@dataclass
class Device:
    """The accelerator's process, begun when it pays.

    Attributes:
        path: of model.keras.
        seconds: of this processor for one molecule, all families and replicates, estimated.
        stack: ends the process when it closes.
        say: gets a line when the device begins.
        begins_at: seconds of the processor after which the device takes over.
        takes_over: whether it has.
    """

    path: Path
    seconds: float
    stack: ExitStack
    say: Callable[[str], None]
    begins_at: float = START_SECONDS
    takes_over: bool = False
    _spent: float = 0.0
    _worker: child.Child | None = field(default=None, repr=False)

    def meets(self, molecules: int) -> None:
        """The next molecules are coming: the device takes them, or the processor's time is counted."""
        self.takes_over = self._spent >= self.begins_at
        self._spent += molecules * self.seconds

    def outputs(self, family: int, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> network space float32 (m, n, t) of one family.

        Raises:
            ValueError: a molecule does not fit into the device's memory.
            RuntimeError: the process died; the message holds the last it said.
        """
        if self._worker is None:
            self.say(f"the networks run on {accelerators()[0]} from here on")
            device = self.stack.enter_context(one_device())
            environment = {**ENVIRONMENT, DEVICE: str(device)}
            self._worker = child.start(WORKER, str(self.path), environment, self.stack)
        child.tell(self._worker, (family, features), "prediction")
        kind, content = child.hear(self._worker, "prediction")
        if kind == "refused":
            raise ValueError(content)
        return content


@dataclass(frozen=True)
class Switching:
    """One family, on the processor at first.

    Attributes:
        here: the processor's.
        device: of all families.
        number: of this family; the first is asked first, and tells the device what comes.
    """

    here: Stack
    device: Device
    number: int

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> network space float32 (m, n, t)."""
        if self.number == 0:
            self.device.meets(len(features))
        if self.device.takes_over:
            return self.device.outputs(self.number, features)
        return self.here.outputs(features)


@contextmanager
def switching(
    ensemble: Ensemble,
    model: Path,
    cores: int,
    *,
    say: Callable[[str], None] = lambda line: None,
    begins_at: float = START_SECONDS,
) -> Iterator[Ensemble]:
    """The ensemble, which moves to the accelerator when that pays; where there is none, as it is.

    Args:
        ensemble: of the model.
        model: its folder, or a .zip of it.
        cores: of the processor, as the predictor uses them.
        say: gets a line when the device takes over.
        begins_at: seconds of the processor after which that is.
    """
    if not accelerators():
        yield ensemble
        return
    with ExitStack() as stack:
        path = stack.enter_context(model_folder(model)) / "model.keras"
        each = seconds_each(read_about(path)["families"], int(ensemble.about["replicates"]))
        device = Device(path, each / cores, stack, say, begins_at)
        families = [
            family._replace(stack=Switching(family.stack, device, number))
            for number, family in enumerate(ensemble.predictor.families)
        ]
        yield replace(ensemble, predictor=replace(ensemble.predictor, families=tuple(families)))


def seconds_each(families: list[dict[str, Any]], replicates: int) -> float:
    """About how long a core works on one molecule, all families of all replicates.

    Args:
        families: as the model's file describes them.
        replicates: how many.
    """
    total = 0.0
    for family in families:
        network = NetworkParams.model_validate(family["network"])
        if network.on_graph:
            weights = ATOMS * GRAPH_MATRICES * network.layers * network.units**2
            total += weights / GRAPH_FLOPS_OF_A_CORE
        elif network.builder is not None:
            total += UNKNOWN_WEIGHTS / KERAS_FLOPS_OF_A_CORE
        else:
            # of the first layer's columns nearly all are zero, and cost nothing
            total += sum(a * b for a, b in pairwise(network.widths)) / FLOPS_OF_A_CORE
    return FLOPS * replicates * total
