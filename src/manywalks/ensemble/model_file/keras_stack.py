"""All replicates -> one Keras model of built-in layers, which plain Keras loads without this package.

Dense networks get a leading replicate axis m: (b, d) -> (b, m, h) -> ... -> (b, m, t). The inverse of the
target transform and the statistics over m are part of the model, so it speaks in endpoint units.
"""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from manywalks.ensemble.model_file.graph_stack import graph_stack
from manywalks.ensemble.model_file.shares import average_in_keras, shares_in_keras
from manywalks.params.sections.model import NetworkParams
from manywalks.replicates.combine import TRIM, Classes, Mode
from manywalks.replicates.statistics.mixing import Share
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.targets import TargetStep, TargetTransform
from manywalks.train.weights import NORMALIZATION_EPSILON

if TYPE_CHECKING:
    import keras


Weights = list[np.ndarray]


class FamilyReplicates(NamedTuple):
    """What one family's trainings made.

    Attributes:
        network: the network that every training is an instance of.
        transform: endpoint units <-> network space, t steps.
        weights: each replicate's, in the order of `get_weights()`.
        columns: int64 (k,), the scaled features that the family sees; all of them where None.
        name: of the family; its layers' names begin with it.
        weight: its share in the average, relative to the others; one for all endpoints, or one for each.
        larger: the scaled feature that is 1 where a molecule is too large for the family's graph, so that the
            others share its weight; None where it takes all molecules.
    """

    network: NetworkParams
    transform: TargetTransform
    weights: Sequence[Weights]
    columns: np.ndarray | None = None
    name: str = ""
    weight: Share = 1.0
    larger: int | None = None

    @property
    def prefix(self) -> str:
        """How the names of its layers begin."""
        return f"{self.name}_" if self.name else ""


def stacked_model(
    families: Sequence[FamilyReplicates],
    mode: Mode = "mean",
    classes: Classes = "probability",
    *,
    n_features: int | None = None,
) -> "keras.Model":
    """One model of m replicates: scaled features (b, d) -> {"mean": (b, t), "spread": (b, t)}.

    Both outputs are in endpoint units (probability of class 1 for classes); the spread is the standard
    deviation over the replicates with ddof 1.

    Args:
        families: of the same m replicates; a replicate's prediction is the weighted mean of its families'.
        mode: the location over replicates that "mean" holds, at each molecule.
        classes: whether probabilities or logits of classes are averaged.
        n_features: d (default: as many as the first family's weights take).
    """
    count = len(families[0].weights)
    if count < 2:
        raise ValueError(f"ensemble: {count} replicates; a spread takes two at least")
    keras = import_keras()
    # layers are named from 0 on, so that the same models are the same bytes; to look for memory that could
    # be freed takes a quarter of a second
    keras.utils.clear_session(free_memory=False)
    width = families[0].weights[0][0].shape[0] if n_features is None else n_features
    inputs = keras.Input((width,), name="features")
    z = [_outputs(inputs, family) for family in families]
    shares = shares_in_keras(inputs, [(family.weight, family.larger) for family in families])
    outputs = _statistics(z, families, shares, mode, classes)
    model = keras.Model(inputs, outputs, name="ensemble")
    for number, operation in enumerate(model.operations):
        # Keras numbers the operations of a process: the same model would be other bytes in another one
        if not hasattr(operation, "weights"):
            operation.name = f"{type(operation).__name__.lower()}_{number}"
    return model


def _outputs(features: Any, family: FamilyReplicates) -> Any:
    """All features (b, d) -> one family's network space (b, m, t)."""
    own = features
    if family.columns is not None:
        own = import_keras().ops.take(features, family.columns.astype(np.int32), axis=1)
    if family.network.builder is None:
        return _dense_stack(own, family)
    if family.network.on_graph:
        return graph_stack(own, family.network, family.weights, family.prefix)
    return _side_by_side(own, family)


def _dense_stack(x: Any, family: FamilyReplicates) -> Any:
    """A family's features (b, k) -> network space (b, m, t) of dense replicates, weights set."""
    keras = import_keras()
    network, m, prefix = family.network, len(family.weights), family.prefix
    letters = "bd"
    stacked = (np.stack(of_replicates) for of_replicates in zip(*family.weights, strict=True))
    for number, width in enumerate(network.widths, start=1):
        arrays = [next(stacked), next(stacked)]
        if network.normalization == "batch":
            arrays = _fold_batch_norm(*arrays, *itertools.islice(stacked, 4))
        x = _einsum_dense(x, f"{letters},mdh->bmh", width, f"{prefix}dense_{number}", arrays)
        if network.normalization == "layer":
            x = keras.layers.LayerNormalization(
                epsilon=NORMALIZATION_EPSILON,
                center=False,
                scale=False,
                name=f"{prefix}normalization_{number}",
            )(x)
            # the layer's own gamma and beta would be shared by all replicates
            scale = list(itertools.islice(stacked, 2))
            x = _einsum_dense(x, "bmh,mh->bmh", width, f"{prefix}scale_{number}", scale)
        x = keras.layers.Activation(network.activation, name=f"{prefix}activation_{number}")(x)
        letters = "bmd"
    arrays = list(stacked)
    z = _einsum_dense(x, f"{letters},mdh->bmh", arrays[1].shape[1], f"{prefix}output", arrays)
    if arrays[0].shape[0] != m:
        raise ValueError(f"ensemble: weights of {arrays[0].shape[0]} replicates where {m} belong")
    return z


def _einsum_dense(x: Any, equation: str, width: int, name: str, arrays: list[np.ndarray]) -> Any:
    """A dense layer per replicate with the given kernel and bias (m, width)."""
    keras = import_keras()
    kernel, bias = arrays
    layer = keras.layers.EinsumDense(
        equation,
        output_shape=(bias.shape[0], width),
        bias_axes="mh",
        # zeros that are set later would take the memory of all replicates once more
        kernel_initializer=lambda shape, dtype=None: kernel,
        name=name,
    )
    y = layer(x)
    layer.kernel_initializer = keras.initializers.Zeros()
    layer.bias.assign(bias)
    return y


def _fold_batch_norm(
    kernel: np.ndarray,
    bias: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
) -> list[np.ndarray]:
    """Kernel (m, in, out) and bias (m, out) that do what they and the batch norm (m, out) behind them did."""
    factor = gamma / np.sqrt(variance.astype(np.float64) + NORMALIZATION_EPSILON)
    folded = [kernel * factor[:, None, :], (bias - mean) * factor + beta]
    return [array.astype(np.float32) for array in folded]


def _side_by_side(features: Any, family: FamilyReplicates) -> Any:
    """A family's features (b, k) -> network space (b, m, t): m models of a builder, of one input."""
    keras = import_keras()
    outputs = []
    for number, of_replicate in enumerate(family.weights):
        model = build(family.network, features.shape[1], len(family.transform.steps))
        model.set_weights(of_replicate)
        model.name = f"{family.prefix}replicate_{number:03d}"
        outputs.append(model(features))
    return keras.ops.stack(outputs, axis=1)


def _statistics(
    z: Sequence[Any],
    families: Sequence[FamilyReplicates],
    shares: Sequence[Any],
    mode: Mode,
    classes: Classes,
) -> dict[str, Any]:
    """Each family's network space (b, m, t) -> location and spread (b, t) in endpoint units."""
    ops = import_keras().ops
    m = z[0].shape[1]
    values = [inverse_in_keras(one, family.transform) for one, family in zip(z, families, strict=True)]
    y = average_in_keras(values, shares)
    is_class = np.array([step.kind == "class" for step in families[0].transform.steps])
    by_logits = classes == "logit" and is_class.any()
    logits = average_in_keras(z, shares)
    if by_logits and len(z) > 1:
        y = ops.where(is_class, ops.sigmoid(logits), y)
    location = _location(y, mode)
    if by_logits:
        location = ops.where(is_class, ops.sigmoid(_location(logits, mode)), location)
    return {"mean": location, "spread": ops.std(y, axis=1) * math.sqrt(m / (m - 1))}


def _location(y: Any, mode: Mode) -> Any:
    """(b, m, t) -> (b, t)."""
    ops = import_keras().ops
    if mode == "median":
        return ops.median(y, axis=1)
    if mode == "trimmed":
        cut = int(TRIM * y.shape[1])
        return ops.mean(ops.sort(y, axis=1)[:, cut : y.shape[1] - cut], axis=1)
    return ops.mean(y, axis=1)


def inverse_in_keras(z: Any, transform: TargetTransform) -> Any:
    """`TargetTransform.inverse` in keras.ops: network space (..., t) -> endpoint units (..., t)."""
    ops = import_keras().ops
    steps = transform.steps
    affine = [step.kind in ("standard", "log") for step in steps]
    y = z
    if any(affine):
        sd = np.array([step.sd if on else 1.0 for step, on in zip(steps, affine, strict=True)], np.float32)
        mean = np.array(
            [step.mean if on else 0.0 for step, on in zip(steps, affine, strict=True)], np.float32
        )
        y = z * sd + mean
    is_log = np.array([step.kind == "log" for step in steps])
    if is_log.any():
        offset = np.array([step.offset for step in steps], np.float32)
        back = ops.power(10.0, y) - offset
        if any(step.clip for step in steps):
            # values that are never negative
            least = np.array([0.0 if step.clip else np.finfo(np.float32).min for step in steps], np.float32)
            back = ops.maximum(back, least)
        y = ops.where(is_log, back, y)
    is_class = np.array([step.kind == "class" for step in steps])
    if is_class.any():
        y = ops.where(is_class, ops.sigmoid(z), y)
    for column, step in enumerate(steps):
        if step.kind == "normal_scores":
            here = np.arange(len(steps)) == column
            y = ops.where(here, _between_knots(z[..., column : column + 1], step), y)
    return y


def _between_knots(z: Any, step: TargetStep) -> Any:
    """np.interp(z, knots_z, knots_y) in keras.ops, for z (b, m, 1)."""
    ops = import_keras().ops
    knots_z = np.array(step.knots_z, np.float32)
    knots_y = np.array(step.knots_y, np.float32)
    if len(knots_z) == 1:
        return z * 0.0 + float(knots_y[0])
    rise = np.diff(step.knots_y) / np.maximum(np.diff(step.knots_z), 1e-12)
    z = ops.clip(z, float(knots_z[0]), float(knots_z[-1]))
    flat = ops.reshape(z, (-1,))
    left = ops.clip(ops.searchsorted(knots_z, flat, side="right") - 1, 0, len(knots_z) - 2)
    y = ops.take(knots_y, left) + (flat - ops.take(knots_z, left)) * ops.take(rise.astype(np.float32), left)
    return ops.reshape(y, (-1, *z.shape[1:]))


def describe(
    families: Sequence[FamilyReplicates], mode: Mode = "mean", classes: Classes = "probability"
) -> dict[str, Any]:
    """What `keras_file.save_keras` writes beside the model, so that predictor.py needs no TensorFlow."""
    about = [
        {
            "name": family.name,
            "network": family.network.model_dump(mode="json"),
            "transform": family.transform.to_json(),
            "columns": None if family.columns is None else family.columns.tolist(),
            "weight": list(family.weight) if isinstance(family.weight, tuple) else family.weight,
            "larger": family.larger,
        }
        for family in families
    ]
    return {"families": about, "mode": mode, "classes": classes}
