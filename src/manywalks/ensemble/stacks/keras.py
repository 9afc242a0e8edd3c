"""Predict with the replicates of a network of the user's own, inside the ensemble's Keras model."""

from pathlib import Path
from typing import Any

import numpy as np

from manywalks.ensemble.model_file.parts import builder_outputs
from manywalks.ensemble.stacks.stack import row_blocks
from manywalks.features import Features
from manywalks.train.keras_engine.model import import_keras


class KerasStack:
    """The replicates of a builder's network, inside the ensemble's own Keras model."""

    def __init__(self, model: Any, stacked: Any) -> None:
        self._model = import_keras().Model(model.inputs, stacked)

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> network space float32 (m, n, t)."""
        parts = [
            self._model.predict_on_batch(features.take(rows).matrix())
            for rows in row_blocks(len(features), 1024)
        ]
        return np.ascontiguousarray(np.concatenate(parts).swapaxes(0, 1))


def builder_stacks(path: Path) -> list[KerasStack]:
    """The replicates of each builder's network in a model.keras, in the order of the families."""
    model = import_keras().models.load_model(path)
    return [KerasStack(model, one) for one in builder_outputs(model)]
