"""Predict with all replicates of an ensemble at once, without TensorFlow but for networks of the user's own.

The weights are read from model.keras itself.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import special

from manywalks.ensemble.model_file.reading import read_model
from manywalks.ensemble.stacks.dense import DenseStack
from manywalks.ensemble.stacks.graph import GraphStack
from manywalks.ensemble.stacks.keras import builder_stacks
from manywalks.ensemble.stacks.stack import Stack, row_blocks
from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.replicates.combine import Classes, Mode, location
from manywalks.replicates.statistics.mixing import Mixing, average, in_endpoint_units, mix, shares_of
from manywalks.runtime.resources import usable_cores
from manywalks.train.targets import TargetTransform

# molecules whose predictions by all replicates are held at once where only mean and spread are wanted
BLOCK = 16_384


class MeanSpread(NamedTuple):
    """Location and spread (ddof 1) over the replicates, each (n, t), in endpoint units."""

    mean: np.ndarray
    spread: np.ndarray


class FamilyStack(NamedTuple):
    """One family's trainings, and how their outputs become endpoint values."""

    stack: Stack
    transform: TargetTransform
    weight: float | list[float] = 1.0
    larger: int | None = None

    def values(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> (m, n, t) in endpoint units, logits of classes.

        float32, or float64 where there are classes: near 0 and 1 a float32 no longer tells the logit.
        NaN where the molecule is too large for the family's graph.
        """
        z = self.stack.outputs(features)
        y = self.transform.inverse(z.astype(np.float64) if self.transform.classes else z, logits=True)
        if self.larger is not None:
            y[:, features.columns(np.array([self.larger])).dense[:, 0] == 1] = np.nan
        return y


@dataclass(frozen=True)
class StackedPredictor:
    """An ensemble that predicts: the families of its replicates, and how these are averaged."""

    families: tuple[FamilyStack, ...]
    mode: Mode = "mean"
    classes: Classes = "probability"

    @classmethod
    def load(cls, path: Path, *, cores: int | None = None) -> "StackedPredictor":
        """Read a model.keras that `keras_file.save_keras` wrote with `about`.

        Args:
            path: the file.
            cores: threads that predict (default: all cores this process may use).
        """
        about, weights = read_model(path)
        networks = [NetworkParams.model_validate(family["network"]) for family in about["families"]]
        of_builders = any(network.builder is not None and not network.on_graph for network in networks)
        built = iter(builder_stacks(path) if of_builders else ())
        families = []
        for network, family in zip(networks, about["families"], strict=True):
            if network.builder is None:
                stack: Stack = DenseStack.from_arrays(network, weights, usable_cores(cores), family)
            elif network.on_graph:
                stack = GraphStack.from_arrays(network, weights, usable_cores(cores), family)
            else:
                stack = next(built)
            families.append(
                FamilyStack(
                    stack,
                    TargetTransform.from_json(family["transform"]),
                    family["weight"],
                    family.get("larger"),
                )
            )
        return cls(tuple(families), about["mode"], about["classes"])

    @property
    def _class_columns(self) -> list[int]:
        return self.families[0].transform.classes

    def predict(self, features: Features) -> np.ndarray:
        """Each replicate's: scaled features of n molecules -> (m, n, t) in endpoint units."""
        return self._mixed([family.values(features) for family in self.families])

    def predict_families(self, features: Features) -> list[np.ndarray]:
        """Each family's own: scaled features of n molecules -> (m, n, t) in endpoint units."""
        return [in_endpoint_units(one.values(features), self._class_columns) for one in self.families]

    def predict_mean_spread(self, features: Features) -> MeanSpread:
        """What the Keras model gives: mean and spread, each (n, t); memory does not grow with m n."""
        parts = [self._block(features.take(rows)) for rows in row_blocks(len(features), BLOCK)]
        return MeanSpread(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _mixed(self, values: list[np.ndarray]) -> np.ndarray:
        return mix(values, self._class_columns, self.mixing)

    @property
    def mixing(self) -> Mixing:
        """How a replicate's prediction is made of its families'."""
        return Mixing(self.classes == "logit", shares_of([family.weight for family in self.families]))

    def _block(self, features: Features) -> MeanSpread:
        """Mean and spread of some molecules, as in the Keras model."""
        values = [family.values(features) for family in self.families]
        y, columns = self._mixed(values), self._class_columns
        mean = location(y, self.mode)
        if self.classes == "logit" and columns:
            logits = average([one[..., columns] for one in values], self.mixing.at(columns))
            mean[:, columns] = special.expit(location(logits, self.mode))
        return MeanSpread(mean, y.std(axis=0, ddof=1))
