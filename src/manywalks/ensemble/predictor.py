"""Predict with all replicates of an ensemble at once, without TensorFlow but for networks of the user's own.

The weights are read from model.keras itself. A core takes one replicate through a block of molecules, so that
its weights stay in the cache, and the first layer adds up the rows of the non-zero counts alone.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np
from numba import njit
from scipy import special
from threadpoolctl import threadpool_limits

from manywalks.ensemble.graph_predictor import GraphStack
from manywalks.ensemble.model_file.keras_file import ABOUT
from manywalks.ensemble.model_file.parts import builder_outputs
from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.replicates.combine import Classes, Mode, location
from manywalks.replicates.statistics.mixing import Mixing, average, mix
from manywalks.runtime.resources import usable_cores
from manywalks.train.dense_engine.gather import COLUMNS, gather
from manywalks.train.dense_engine.layers import ACTIVATIONS, activate, normalize_layer
from manywalks.train.keras_engine.model import import_keras
from manywalks.train.targets import TargetTransform

# molecules whose predictions by all replicates are held at once where only mean and spread are wanted
BLOCK = 16_384
# molecules that go through a replicate together: their hidden layers stay in the cache
CHUNK = 256
# molecules from which on copying the first kernel into panels costs less than it saves
PACKED = 64


class Stack(Protocol):
    """One family's m trainings that answer at once."""

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules, those of all families -> network space float32 (m, n, t)."""
        ...


class MeanSpread(NamedTuple):
    """Location and spread (ddof 1) over the replicates, each (n, t), in endpoint units."""

    mean: np.ndarray
    spread: np.ndarray


class FamilyStack(NamedTuple):
    """One family's trainings, and how their outputs become endpoint values."""

    stack: Stack
    transform: TargetTransform
    weight: float = 1.0
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
        about, weights = _read(path)
        networks = [NetworkParams.model_validate(family["network"]) for family in about["families"]]
        of_builders = any(network.builder is not None and not network.on_graph for network in networks)
        built = iter(_builder_stacks(path) if of_builders else ())
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

    def predict_mean_spread(self, features: Features) -> MeanSpread:
        """What the Keras model gives: mean and spread, each (n, t); memory does not grow with m n."""
        parts = [self._block(features.take(rows)) for rows in _blocks(len(features), BLOCK)]
        return MeanSpread(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _mixed(self, values: list[np.ndarray]) -> np.ndarray:
        return mix(values, self._class_columns, self._mixing)

    @property
    def _mixing(self) -> Mixing:
        total = sum(family.weight for family in self.families)
        return Mixing(self.classes == "logit", tuple(family.weight / total for family in self.families))

    def _block(self, features: Features) -> MeanSpread:
        """Mean and spread of some molecules, as in the Keras model."""
        values = [family.values(features) for family in self.families]
        y, columns = self._mixed(values), self._class_columns
        mean = location(y, self.mode)
        if self.classes == "logit" and columns:
            logits = average([one[..., columns] for one in values], self._mixing)
            mean[:, columns] = special.expit(location(logits, self.mode))
        return MeanSpread(mean, y.std(axis=0, ddof=1))


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
        prefix = f"{family['name']}_" if family["name"] else ""
        hidden = []
        for number in range(1, len(network.widths) + 1):
            kernel, bias = arrays[f"{prefix}dense_{number}"]
            gamma, beta = arrays.get(f"{prefix}scale_{number}", (None, None))
            hidden.append(Layer(kernel, bias, gamma, beta))
        kernel, bias = arrays[f"{prefix}output"]
        last = Layer(kernel, bias, None, None)
        columns = None if family["columns"] is None else np.array(family["columns"], dtype=np.int64)
        return cls((*hidden, last), network.activation, cores, columns)

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules, those of all families -> network space float32 (m, n, t)."""
        features = features if self.columns is None else features.columns(self.columns)
        m, t = self.layers[-1].bias.shape
        width = self.layers[0].kernel.shape[1]
        if features.width != width:
            raise ValueError(
                f"features: {features.width} columns where the ensemble takes {width}; "
                "scale them with the ensemble's own scaler"
            )
        out = np.empty((m, len(features), t), np.float32)
        # one BLAS thread in each of our threads: they would wait for each other otherwise
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(self.cores) as pool:
            list(pool.map(lambda k: self._replicate(k, features, out[k]), range(m)))
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


class KerasStack:
    """The replicates of a builder's network, inside the ensemble's own Keras model."""

    def __init__(self, model: Any, stacked: Any) -> None:
        self._model = import_keras().Model(model.inputs, stacked)

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> network space float32 (m, n, t)."""
        parts = [
            self._model.predict_on_batch(features.take(rows).matrix())
            for rows in _blocks(len(features), 1024)
        ]
        return np.ascontiguousarray(np.concatenate(parts).swapaxes(0, 1))


def _builder_stacks(path: Path) -> list[KerasStack]:
    """The replicates of each builder's network in a model.keras, in the order of the families."""
    model = import_keras().models.load_model(path)
    return [KerasStack(model, one) for one in builder_outputs(model)]


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


def _blocks(n: int, size: int) -> Iterator[np.ndarray]:
    """Row numbers 0 .. n - 1, so many at a time; an empty block where there are none."""
    for start in range(0, max(n, 1), size):
        yield np.arange(start, min(start + size, n))


def read_about(path: Path) -> dict[str, Any]:
    """What an ensemble's model.keras says that it was made of: families, mode."""
    return _read(path)[0]


def _read(path: Path) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """What the model was made of, and the weights of its layers by name."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; run `manywalks train`")
    try:
        with zipfile.ZipFile(path) as archive:
            if ABOUT not in archive.namelist():
                raise ValueError(f"{path}: is not an ensemble of manywalks (no {ABOUT} in it)")
            about = json.loads(archive.read(ABOUT))
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
                return _with_families(about), _by_name(weights)
    except (zipfile.BadZipFile, KeyError, OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: is damaged ({error}); delete it and run again") from None


def _with_families(about: dict[str, Any]) -> dict[str, Any]:
    """What models of before say, which had one network: as one family."""
    if "families" in about:
        return about
    one = {name: about[name] for name in ("network", "transform")} | {
        "name": "",
        "columns": None,
        "weight": 1.0,
    }
    return {"families": [one], "mode": about["mode"], "classes": about["classes"]}


def _by_name(weights: h5py.File) -> dict[str, list[np.ndarray]]:
    """The arrays of each layer, by the layer's name."""
    found: dict[str, list[np.ndarray]] = {}

    def look(_: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and "name" in item.attrs:
            found[str(item.attrs["name"])] = [np.asarray(item[str(k)]) for k in range(len(item))]

    weights.visititems(look)
    return found
