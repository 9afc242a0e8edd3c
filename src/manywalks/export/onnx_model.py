"""An ensemble as one ONNX graph: raw features in, mean and spread of each endpoint out.

The scaling of the features, all replicates and the calibration of classes are part of it, so that it gives
the numbers of `manywalks predict`. The features themselves are RDKit's to compute.
"""

import json
from pathlib import Path

import numpy as np

from manywalks import files
from manywalks.ensemble.intervals.probability_maps import CLIP
from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.predictor import FamilyStack
from manywalks.ensemble.stacks.dense import DenseStack, Layer
from manywalks.ensemble.stacks.graph import GraphStack
from manywalks.export.graph import Graph
from manywalks.export.network_on_graph import graph_outputs
from manywalks.graph_layout import LARGER
from manywalks.params.sections.model import EnsembleParams
from manywalks.replicates.combine import TRIM, combining_of
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import TargetStep
from manywalks.train.union import UnionScaler
from manywalks.train.weights import NORMALIZATION_EPSILON

DOUBLE = np.float64


def write_onnx(ensemble: Ensemble, path: Path) -> None:
    """Write the graph, whole or not at all."""
    g = Graph()
    values = [
        family_values(g, family_features(g, ensemble.scaler, scaler), len(scaler.names), family)
        for scaler, family in zip(ensemble.scaler.scalers, ensemble.predictor.families, strict=True)
    ]
    names = list(ensemble.endpoints)
    means, spreads = zip(*(endpoint(g, ensemble, values, k) for k in range(len(names))), strict=True)
    outputs = {
        name: (g.cast(g.pad_columns(list(columns)), np.float32), len(names))
        for name, columns in (("mean", means), ("spread", spreads))
    }
    model = g.model(len(ensemble.scaler.columns), outputs, metadata(ensemble))
    files.write_bytes(path, model.SerializeToString())


def metadata(ensemble: Ensemble) -> dict[str, str]:
    """What the graph says of itself: lists as JSON."""
    data = ensemble.about["data"]
    ends = ensemble.endpoints
    return {
        "feature_names": json.dumps(list(ensemble.scaler.columns)),
        "endpoints": json.dumps(list(ends)),
        "kinds": json.dumps([one["kind"] for one in ends.values()]),
        "units": json.dumps(
            [one["unit"] if one["kind"] == "regression" else "probability" for one in ends.values()]
        ),
        "data_version": str(data.get("rev") or data["md5"]),
        "replicates": str(ensemble.about["replicates"]),
        "versions": json.dumps(ensemble.about["versions"]),
    }


def family_features(g: Graph, union: UnionScaler, own: FeatureScaler) -> str:
    """Raw features (n, d) of all families -> one family's scaled ones (n, kept)."""
    if own.columns == union.columns:
        return scale(g, "features", own)
    places = {name: place for place, name in enumerate(union.columns)}
    columns = np.array([places[name] for name in own.columns])
    return scale(g, g.columns("features", columns), own)


def scale(g: Graph, features: str, scaler: FeatureScaler) -> str:
    """Raw features (n, d) -> scaled ones (n, kept), as `FeatureScaler.transform`."""
    parts = []
    if len(scaler.keep_counts):
        counts = g.columns(features, scaler.keep_counts)
        if scaler.counts == "log1p":
            counts = g.op("Log", g.op("Add", counts, g.const(1.0)))
        if scaler.counts == "binary":
            counts = g.cast(g.op("Cast", counts, to=9), np.float32)
        parts.append(g.op("Mul", counts, g.const(scaler.count_scale)))
    if len(scaler.keep_dense):
        first = len(scaler.columns) - _dense_width(scaler)
        raw = g.columns(features, first + scaler.keep_dense)
        median = g.const([curve.median for curve in scaler.curves])
        filled = g.cast(g.op("Where", g.op("IsNaN", raw), median, raw), DOUBLE)
        parts.append(g.cast(_curves(g, filled, scaler), np.float32))
    return g.pad_columns(parts)


def _curves(g: Graph, filled: str, scaler: FeatureScaler) -> str:
    """Each descriptor by its curve; one without knots stays as it is."""
    plain = np.array([len(curve.x) == 0 for curve in scaler.curves])
    if plain.all():
        return filled
    nothing = (np.zeros(1), np.zeros(1))
    bent = g.interp(filled, [(curve.x, curve.z) if len(curve.x) else nothing for curve in scaler.curves])
    return g.op("Where", g.const(plain, np.bool_), filled, bent) if plain.any() else bent


def _dense_width(scaler: FeatureScaler) -> int:
    """Number of real-valued raw columns: what follows the counts."""
    kept = len(scaler.keep_counts)
    known = {name: place for place, name in enumerate(scaler.columns)}
    if not len(scaler.keep_dense):
        return 0
    return len(scaler.columns) - (known[scaler.names[kept]] - int(scaler.keep_dense[0]))


def family_values(g: Graph, scaled: str, features: int, family: FamilyStack) -> str:
    """A family's scaled features (n, features) -> float64 (m, n, t) in endpoint units, logits of classes."""
    if isinstance(family.stack, GraphStack):
        z = graph_outputs(g, scaled, features, family.stack, _activated)
    elif isinstance(family.stack, DenseStack):
        z = _dense_outputs(g, scaled, family.stack)
    else:
        raise ValueError(
            "export --onnx: network.builder: a network of your own is not exported; use model.keras"
        )
    z, steps = g.cast(z, DOUBLE), family.transform.steps
    return g.pad_columns([_inverse(g, g.columns(z, np.array([k])), step) for k, step in enumerate(steps)])


def _dense_outputs(g: Graph, scaled: str, stack: DenseStack) -> str:
    """Scaled features (n, d) -> network space (m, n, t)."""
    x = g.op("Unsqueeze", scaled, g.ints(0))
    for layer in stack.layers[:-1]:
        x = _activated(g, _normalized(g, _dense(g, x, layer), layer), stack.activation)
    return _dense(g, x, stack.layers[-1])


def _dense(g: Graph, x: str, layer: Layer) -> str:
    """(1 or m, n, in) -> (m, n, out)."""
    return g.op("Add", g.op("MatMul", x, g.const(layer.kernel)), g.const(layer.bias[:, None, :]))


def _normalized(g: Graph, z: str, layer: Layer) -> str:
    """Layer normalization with each replicate's gamma and beta."""
    if layer.gamma is None or layer.beta is None:
        return z
    width = layer.bias.shape[1]
    z = g.op("LayerNormalization", z, g.const(np.ones(width)), axis=-1, epsilon=NORMALIZATION_EPSILON)
    return g.op("Add", g.op("Mul", z, g.const(layer.gamma[:, None, :])), g.const(layer.beta[:, None, :]))


def _activated(g: Graph, z: str, kind: str) -> str:
    """The activation function."""
    if kind == "gelu":
        bell = g.op("Add", g.op("Erf", g.op("Mul", z, g.const(0.5**0.5))), g.const(1.0))
        return g.op("Mul", g.op("Mul", z, g.const(0.5)), bell)
    if kind == "silu":
        return g.op("Mul", z, g.op("Sigmoid", z))
    return g.op(
        {"relu": "Relu", "tanh": "Tanh", "elu": "Elu", "selu": "Selu", "softplus": "Softplus"}[kind], z
    )


def _inverse(g: Graph, z: str, step: TargetStep) -> str:
    """Network space (m, n, 1) -> endpoint units; a class stays a logit."""
    if step.kind == "class" or step.kind == "none":
        return z
    if step.kind == "normal_scores":
        return g.interp(z, [(np.array(step.knots_z), np.array(step.knots_y))])
    y = g.op("Add", g.op("Mul", z, g.const(step.sd, DOUBLE)), g.const(step.mean, DOUBLE))
    if step.kind != "log":
        return y
    back = g.op("Sub", g.op("Pow", g.const(10.0, DOUBLE), y), g.const(step.offset, DOUBLE))
    return g.op("Max", back, g.const(0.0, DOUBLE)) if step.clip else back


def endpoint(g: Graph, ensemble: Ensemble, families: list[str], column: int) -> tuple[str, str]:
    """Mean and spread (n, 1) of one endpoint as `predict` gives them."""
    name = list(ensemble.endpoints)[column]
    kind = ensemble.endpoints[name]["kind"]
    how = combining_of(kind, EnsembleParams.model_validate(ensemble.about["params"]["ensemble"]))
    each = [g.columns(one, np.array([column])) for one in families]
    is_class = kind == "classification"
    if is_class and not how.logits:
        each = [_sigmoid(g, one) for one in each]
    y = _average(g, each, ensemble, column)
    if is_class and how.logits:
        y = _sigmoid(g, y)
    if not is_class:
        return _location(g, y, ensemble, how.mode), _spread(g, y, ensemble)
    centre = _location(g, _logit(g, y) if how.logits else y, ensemble, how.mode)
    mean = _calibrated(g, _sigmoid(g, centre) if how.logits else centre, ensemble, name)
    return mean, _spread(g, _calibrated(g, y, ensemble, name), ensemble)


def _average(g: Graph, families: list[str], ensemble: Ensemble, column: int) -> str:
    """The weighted mean of the families (m, n, 1), for the endpoint in this column."""
    if len(families) == 1:
        return families[0]
    weights = [_weight(g, family, ensemble, column) for family in ensemble.predictor.families]
    total = g.op("Sum", *weights)
    weighted = [g.op("Mul", one, weight) for one, weight in zip(families, weights, strict=True)]
    return g.op("Div", g.op("Sum", *weighted), total)


def _weight(g: Graph, family: FamilyStack, ensemble: Ensemble, column: int) -> str:
    """A family's weight at an endpoint; (n, 1) where it is 0 at molecules too large for its graph."""
    own = family.weight
    weight = g.const(own[column] if isinstance(own, list) else own, DOUBLE)
    if family.larger is None:
        return weight
    place = ensemble.scaler.columns.index(LARGER)
    taken = g.op("Sub", g.const(1.0), g.columns("features", np.array([place])))
    return g.op("Mul", g.cast(taken, DOUBLE), weight)


def _location(g: Graph, y: str, ensemble: Ensemble, mode: str) -> str:
    """(m, n, 1) -> (n, 1): mean, median or trimmed mean."""
    m = int(ensemble.about["replicates"])
    cut = {"mean": 0, "median": (m - 1) // 2, "trimmed": int(TRIM * m)}[mode]
    if cut:
        ordered = f"{y}_ordered"
        g.several("TopK", [y, g.ints(m)], [ordered, f"{y}_order"], axis=0)
        y = g.op("Slice", ordered, g.ints(cut), g.ints(m - cut), g.ints(0))
    return g.op("ReduceMean", y, g.ints(0), keepdims=0)


def _spread(g: Graph, y: str, ensemble: Ensemble) -> str:
    """Standard deviation over the replicates, ddof 1: (m, n, 1) -> (n, 1)."""
    m = int(ensemble.about["replicates"])
    off = g.op("Sub", y, g.op("ReduceMean", y, g.ints(0), keepdims=1))
    total = g.op("ReduceSum", g.op("Mul", off, off), g.ints(0), keepdims=0)
    return g.op("Sqrt", g.op("Div", total, g.const(m - 1, DOUBLE)))


def _sigmoid(g: Graph, z: str) -> str:
    """Probability of a logit, in float64, which not every runtime has as an operation."""
    one = g.const(1.0, DOUBLE)
    return g.op("Div", one, g.op("Add", one, g.op("Exp", g.op("Neg", z))))


def _logit(g: Graph, p: str) -> str:
    """Finite logit of a probability."""
    p = g.op("Min", g.op("Max", p, g.const(CLIP, DOUBLE)), g.const(1 - CLIP, DOUBLE))
    return g.op("Log", g.op("Div", p, g.op("Sub", g.const(1.0, DOUBLE), p)))


def _calibrated(g: Graph, p: str, ensemble: Ensemble, name: str) -> str:
    """As `Calibration.probability`."""
    fit = ensemble.calibrations[name]
    if fit.knots:
        logits, values = np.array(fit.knots).T
        return g.interp(_logit(g, p), [(logits, values)])
    line = g.op("Mul", _logit(g, p), g.const(fit.slope, DOUBLE))
    return _sigmoid(g, g.op("Add", line, g.const(fit.intercept, DOUBLE)))
