"""All replicates of an ensemble at once, from the weights in model.keras, without TensorFlow."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from scipy import special
from threadpoolctl import threadpool_limits

from manywalks.tasks.features import Features
from manywalks.tasks.network import NORMALIZATION_EPSILON, import_keras
from manywalks.tasks.params import NetworkParams
from manywalks.tasks.stack import ABOUT
from manywalks.tasks.targets import TargetTransform

# molecules a block: a hidden layer of 512 stays within a core's cache
BLOCK = 256

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: (0.5 * x * (1 + special.erf(x * np.float32(np.sqrt(0.5))))).astype(np.float32),
    "silu": lambda x: x * special.expit(x),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: (
        np.float32(SELU_SCALE) * np.where(x > 0, x, np.float32(SELU_ALPHA) * np.expm1(np.minimum(x, 0)))
    ),
    "softplus": lambda x: np.logaddexp(np.float32(0), x),
}

Layer = tuple[np.ndarray, np.ndarray]
"""Kernel (m, in, out) or scale (m, out), and bias (m, out)."""


@dataclass(frozen=True)
class StackedPredictor:
    """The replicates of one ensemble.

    Attributes:
        path: model.keras.
        network: what every replicate is an instance of.
        transform: network space -> endpoint units.
        layers: weights by the layers' names in the stacked model; empty for a builder's network.
    """

    path: Path
    network: NetworkParams
    transform: TargetTransform
    layers: dict[str, Layer]

    @classmethod
    def load(cls, path: Path) -> "StackedPredictor":
        """Read model.keras; a ValueError names a file that is missing or was not written by `save_keras`."""
        if not path.is_file():
            raise ValueError(f"{path}: no such file; run `manywalks train`")
        try:
            with zipfile.ZipFile(path) as archive:
                about = json.loads(archive.read(ABOUT))
                weights = archive.read("model.weights.h5")
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(f"{path}: is damaged or not an ensemble's ({error}); train again") from None
        network = NetworkParams.model_validate(about["network"])
        layers = {} if network.builder else _read_layers(weights)
        return cls(path, network, TargetTransform.from_json(about["transform"]), layers)

    def predict(self, features: Features, *, cores: int | None = None) -> np.ndarray:
        """Scaled features of n molecules -> float32 (m, n, t) in endpoint units (probability for classes)."""
        if self.network.builder:
            return self._predict_by_keras(features)
        m, n = len(self.layers["output"][1]), len(features)
        z = np.empty((m, n, self.layers["output"][1].shape[1]), dtype=np.float32)

        def fill(replicate: int) -> None:
            for rows in _blocks(n):
                z[replicate, rows] = self._walk(replicate, features.counts[rows], features.dense[rows])

        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores or os.cpu_count() or 1) as pool:
            list(pool.map(fill, range(m)))
        return self.transform.inverse(z)

    def predict_mean_spread(self, features: Features) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread (ddof 1) over the replicates, each (n, t), in endpoint units."""
        walks = self.predict(features)
        return walks.mean(axis=0), walks.std(axis=0, ddof=1)

    def _walk(self, replicate: int, counts, dense: np.ndarray) -> np.ndarray:
        """One replicate's network space (b, t) for counts (b, d_counts) and descriptors (b, d_dense)."""
        activation = ACTIVATIONS[self.network.activation]
        x: np.ndarray | None = None
        for number in range(1, len(self.network.widths) + 1):
            kernel, bias = (array[replicate] for array in self.layers[f"dense_{number}"])
            width = counts.shape[1]
            x = x @ kernel if x is not None else counts @ kernel[:width] + dense @ kernel[width:]
            x = x + bias
            if self.network.normalization == "layer":
                gamma, beta = (array[replicate] for array in self.layers[f"scale_{number}"])
                centred = x - x.mean(axis=1, keepdims=True)
                variance = np.square(centred).mean(axis=1, keepdims=True)
                x = centred / np.sqrt(variance + np.float32(NORMALIZATION_EPSILON)) * gamma + beta
            x = activation(x)
        kernel, bias = (array[replicate] for array in self.layers["output"])
        return x @ kernel + bias

    def _predict_by_keras(self, features: Features) -> np.ndarray:
        """A builder's replicates, one after another in Keras."""
        keras = import_keras()
        model = keras.models.load_model(self.path)
        matrix = features.matrix()
        replicates = [layer for layer in model.layers if layer.name.startswith("replicate_")]
        z = np.stack([layer.predict(matrix, verbose=0) for layer in replicates])
        return self.transform.inverse(z.astype(np.float32))


def _read_layers(weights: bytes) -> dict[str, Layer]:
    """Weights of the stacked model by the layers' own names (the groups' names are Keras's numbering)."""
    with h5py.File(io.BytesIO(weights), "r") as file:
        groups = [group["vars"] for group in file["layers"].values() if len(group["vars"]) == 2]
        return {str(group.attrs["name"]): (group["0"][()], group["1"][()]) for group in groups}


def _blocks(n: int) -> Iterator[slice]:
    """Rows in blocks."""
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))
