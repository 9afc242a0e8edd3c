"""Predict with the replicates of a dense network, without TensorFlow.

A core takes one replicate through a block of molecules, so that its weights stay in the cache, and the first
layer adds up the rows of the non-zero counts alone.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from manywalks.ensemble.stacks.stack import View, for_each_replicate, seen
from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.train.dense_engine.gather import COLUMNS, gather
from manywalks.train.dense_engine.layers import ACTIVATIONS, activate, normalize_layer

# molecules that go through a replicate together: their hidden layers stay in the cache
CHUNK = 256
# molecules from which on copying the first kernel into panels costs less than it saves
PACKED = 64


class Layer(NamedTuple):
    """A dense layer of m replicates: kernel (m, in, out), bias (m, out), and layer norm's gamma and beta."""

    kernel: np.ndarray
    bias: np.ndarray
    gamma: np.ndarray | None
    beta: np.ndarray | None


@dataclass(frozen=True)
class DenseStack:
    """m dense replicates as plain arrays; the last layer is the output. They see some columns, or all."""

    layers: tuple[Layer, ...]
    activation: str
    cores: int
    columns: np.ndarray | None = None

    @classmethod
    def from_arrays(
        cls, network: NetworkParams, arrays: dict[str, list[np.ndarray]], cores: int, family: dict[str, Any]
    ) -> "DenseStack":
        """From the arrays of the Keras model's layers; `family` as `keras_stack.describe` has it."""
        view = View.of(family)
        hidden = []
        for number in range(1, len(network.widths) + 1):
            kernel, bias = arrays[f"{view.prefix}dense_{number}"]
            gamma, beta = arrays.get(f"{view.prefix}scale_{number}", (None, None))
            hidden.append(Layer(kernel, bias, gamma, beta))
        kernel, bias = arrays[f"{view.prefix}output"]
        last = Layer(kernel, bias, None, None)
        return cls((*hidden, last), network.activation, cores, view.columns)

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules, those of all families -> network space float32 (m, n, t)."""
        features = seen(features, self.columns)
        m, t = self.layers[-1].bias.shape
        width = self.layers[0].kernel.shape[1]
        if features.width != width:
            raise ValueError(
                f"features: {features.width} columns where the ensemble takes {width}; "
                "scale them with the ensemble's own scaler"
            )
        out = np.empty((m, len(features), t), np.float32)
        for_each_replicate(lambda k: self._replicate(k, features, out[k]), m, self.cores)
        return out

    def _replicate(self, k: int, features: Features, out: np.ndarray) -> None:
        """Fill out (n, t) with replicate k's outputs."""
        counts, dense = features.counts, features.dense
        first = self.layers[0]
        d_counts = features.width - dense.shape[1]
        # kept over all chunks: in a thread, glibc gives fresh memory back and faults it in anew each time
        scratch = [np.empty((CHUNK, layer.bias.shape[1]), np.float32) for layer in self.layers]
        spare, inverse = np.empty_like(max(scratch, key=np.size)), np.empty(CHUNK, np.float32)
        kernel = first.kernel[k, :d_counts]
        panels = _panels(kernel) if len(features) >= PACKED else None
        for low in range(0, len(features), CHUNK):
            high = min(low + CHUNK, len(features))
            z = scratch[0][: high - low]
            z[:] = first.bias[k]
            if dense.shape[1]:
                z += dense[low:high] @ first.kernel[k, d_counts:]
            rows = counts.indptr[low : high + 1]
            if panels is None:
                add_counts(rows, counts.indices, counts.data, kernel, z)
            else:
                add_counts_packed(rows, counts.indices, counts.data, panels, z)
            for before, layer, free in zip(self.layers, self.layers[1:], scratch[1:], strict=False):
                unused = spare.ravel()[: z.size]
                if before.gamma is not None and before.beta is not None:
                    normalize_layer(z, unused.reshape(z.shape), inverse, before.gamma[k], before.beta[k])
                activate(ACTIVATIONS.index(self.activation), z.ravel(), unused)
                z = np.matmul(z, layer.kernel[k], out=free[: high - low])
                z += layer.bias[k]
            out[low:high] = z


def _panels(kernel: np.ndarray) -> np.ndarray:
    """A kernel (d, h) as float32 (p, 64 d): 64 columns after each other, the last ones filled up."""
    d, h = kernel.shape
    panels = np.zeros((-(-h // COLUMNS), d, COLUMNS), np.float32)
    for number, panel in enumerate(panels):
        part = kernel[:, number * COLUMNS : (number + 1) * COLUMNS]
        panel[:, : part.shape[1]] = part
    return panels.reshape(len(panels), d * COLUMNS)


@njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
def add_counts(indptr, indices, values, kernel, z):
    """z (b, h) += counts (b, d) @ kernel (d, h), counts given as CSR."""
    for i in range(z.shape[0]):
        row = z[i]
        for q in range(indptr[i], indptr[i + 1]):
            value, weights = values[q], kernel[indices[q]]
            for j in range(row.size):
                row[j] += value * weights[j]


@njit(nogil=True, error_model="numpy", cache=True)
def add_counts_packed(indptr, indices, values, panels, z):
    """`add_counts` with the kernel's `_panels`: sums of 64 columns stay in registers, twice as fast."""
    total = np.empty(COLUMNS, np.float32)
    for number in range(len(panels)):
        panel, low = panels[number], number * COLUMNS
        for i in range(z.shape[0]):
            gather(  # pyright: ignore[reportCallIssue] (numba adds the first argument)
                total, panel, 0, indices, values, indptr[i], indptr[i + 1]
            )
            for j in range(min(COLUMNS, z.shape[1] - low)):
                z[i, low + j] += total[j]
