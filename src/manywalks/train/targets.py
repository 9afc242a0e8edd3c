"""What the network is trained on: values in network space, weights, kinds, censoring."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from manywalks.params.load import Params
from manywalks.train.scaling import normal_scores

# a target is skewed when its skewness is above 1 and the logarithm's is nearer to 0
SKEWED = 1.0
# where zeros have a logarithm by an offset, train values further from the mean than this are held there (SD)
CLIP = 3.0
# offsets that are tried, from half the smallest positive value up to this share of the values
OFFSETS, HIGHEST = 40, 0.9


# fields of steps that models of former versions do not have
LATER = {"clip", "clipped"}


@dataclass(frozen=True)
class Targets:
    """Targets of n molecules and t endpoints, as every engine takes them.

    Attributes:
        values: float32 (n, t), in network space: transformed regression values, classes as 0 or 1;
            0 where nothing was measured.
        weights: float32 (n, t); 0 where nothing was measured.
        censored: int8 (n, t): 0 the value itself, 1 the truth is above `values`, -1 it is below.
        classes: bool (t,): true where the endpoint is a class (the network's output is its logit).
    """

    values: np.ndarray
    weights: np.ndarray
    censored: np.ndarray
    classes: np.ndarray

    def take(self, rows: np.ndarray) -> "Targets":
        """The targets of the given rows, in that order."""
        return Targets(self.values[rows], self.weights[rows], self.censored[rows], self.classes)


@dataclass(frozen=True)
class TargetStep:
    """From the endpoint's unit to network space and back, for one endpoint.

    kind "standard": z = (y - mean) / sd. "log": z = (log10(y + offset) - mean) / sd, trained within -clip ..
    clip, and y not below 0 on the way back, where there is a clip. "none": z = y.
    "normal_scores": z is linear in y between knots, and held constant beyond them. "class": y is the class,
    z its logit. All of them rise with y, so a censored value stays censored on its side.

    Attributes:
        endpoint: name.
        kind: which of these.
        mean, sd: of y ("standard") or of log10(y + offset) ("log") on the train rows.
        offset: "log" only, in the endpoint's unit; what is added so that zeros have a logarithm: of those
            tried the one that leaves the train values most symmetric.
        clip: "log" only, in SD; 0 where there is none.
        clipped: how many train values lie beyond it.
        knots_z, knots_y: "normal_scores" only, ascending: normal scores, and values in the endpoint's unit.
        class_weights: factors of the weights of class 0 and 1; (1, 1) unless classes are balanced.
    """

    endpoint: str
    kind: Literal["standard", "log", "normal_scores", "none", "class"]
    mean: float = 0.0
    sd: float = 1.0
    offset: float = 0.0
    knots_z: tuple[float, ...] = ()
    knots_y: tuple[float, ...] = ()
    class_weights: tuple[float, float] = (1.0, 1.0)
    clip: float = 0.0
    clipped: int = 0

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Endpoint units -> network space (a class stays 0 or 1), any shape."""
        if self.kind == "normal_scores":
            return np.interp(y, self.knots_y, self.knots_z)
        if self.kind == "log":
            y = np.log10(np.maximum(y + self.offset, np.finfo(np.float32).tiny))
        z = (y - self.mean) / self.sd
        return np.clip(z, -self.clip, self.clip) if self.clip else z

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Network space -> endpoint units (a logit to the probability of class 1), any shape."""
        if self.kind == "class":
            return special.expit(z)
        if self.kind == "normal_scores":
            return np.interp(z, self.knots_z, self.knots_y)
        y = z * self.sd + self.mean
        if self.kind != "log":
            return y
        y = 10.0**y - self.offset
        return np.maximum(y, 0) if self.clip else y


@dataclass(frozen=True)
class TargetTransform:
    """The steps of t endpoints, in the order of data.endpoints."""

    steps: tuple[TargetStep, ...]

    @classmethod
    def fit(cls, curated: pd.DataFrame, params: Params) -> "TargetTransform":
        """Choose and fit the steps on the train rows of the curated table."""
        return cls(tuple(_fit_step(curated, name, params) for name in params.data.endpoints))

    def targets(self, curated: pd.DataFrame) -> Targets:
        """The targets of n rows of the curated table: values, weights and censoring, each (n, t)."""
        columns = [_endpoint_targets(curated, step) for step in self.steps]
        return Targets(
            values=np.stack([values for values, _, _ in columns], axis=1).astype(np.float32),
            weights=np.stack([weights for _, weights, _ in columns], axis=1).astype(np.float32),
            censored=np.stack([censored for _, _, censored in columns], axis=1).astype(np.int8),
            classes=np.array([step.kind == "class" for step in self.steps]),
        )

    @property
    def classes(self) -> list[int]:
        """Columns of the endpoints that are classes."""
        return [column for column, step in enumerate(self.steps) if step.kind == "class"]

    def inverse(self, z: np.ndarray, *, logits: bool = False) -> np.ndarray:
        """Network space (..., t) -> endpoint units (..., t) in the same precision.

        A class's logit becomes its probability, or stays as it is with `logits`.
        """
        z = np.asarray(z)
        kept = self.classes if logits else []
        values = [
            z[..., column] if column in kept else step.inverse(z[..., column])
            for column, step in enumerate(self.steps)
        ]
        return np.stack(values, axis=-1).astype(z.dtype, copy=False)

    def to_json(self) -> list[dict[str, Any]]:
        """The steps as JSON objects, one for each endpoint."""
        return [asdict(step) for step in self.steps]

    @classmethod
    def from_json(cls, content: Sequence[dict[str, Any]]) -> "TargetTransform":
        """What `to_json` gave, here or before steps had a clip; another key is a ValueError."""
        known = {field.name for field in fields(TargetStep)}
        for step in content:
            if not known - LATER <= set(step) <= known:
                raise ValueError(f"targets: keys {sorted(step)} where {sorted(known)} belong; train again")
        tuples = ("knots_z", "knots_y", "class_weights")
        return cls(tuple(TargetStep(**{**step, **{k: tuple(step[k]) for k in tuples}}) for step in content))


def choose_kind(values: np.ndarray) -> Literal["standard", "log"]:
    """ "log" for skewed values that are none of them negative, else "standard"; values (n,)."""
    if values.min() < 0 or values.max() == values.min():
        return "standard"
    skew = float(_skew(values))
    logs = np.log10(values + log_offset(values))
    return "log" if skew > SKEWED and abs(float(_skew(logs))) < skew else "standard"


def _skew(values: np.ndarray) -> float:
    """Skewness of values (n,): the third central moment over the 3/2 power of the second."""
    away = values - values.mean()
    return float(np.mean(away**3) / np.mean(away**2) ** 1.5)


def log_offset(values: np.ndarray) -> float:
    """0 where all values (n,) are positive; where some are 0, what makes their logarithms most symmetric.

    (Half the smallest positive value would put zeros far below the others where that value is tiny.)
    """
    if values.min() > 0:
        return 0.0
    positive = values[values > 0]
    highest = max(float(np.quantile(values, HIGHEST)), float(positive.min()))
    tried = np.geomspace(positive.min() / 2, highest, OFFSETS)
    return float(min(tried, key=lambda offset: abs(float(_skew(np.log10(values + offset))))))


def _fit_step(curated: pd.DataFrame, name: str, params: Params) -> TargetStep:
    """The step of one endpoint from the train rows."""
    weights = curated[f"{name}:weight"].to_numpy(dtype=np.float64)
    measured = np.isfinite(curated[name].to_numpy(dtype=np.float64)) & (weights > 0)
    values = curated[name].to_numpy(dtype=np.float64)[measured]
    if len(values) == 0:
        raise ValueError(f"endpoint {name}: no value in the train subset; check its column and the split")
    if params.data.endpoints[name].kind == "classification":
        balance = _balance(values, weights[measured]) if params.train.class_balance else (1.0, 1.0)
        return TargetStep(name, "class", class_weights=balance)
    kind = choose_kind(values) if params.transform.targets == "auto" else params.transform.targets
    if kind == "normal_scores":
        y, z = normal_scores(values)
        return TargetStep(name, kind, knots_z=tuple(z.tolist()), knots_y=tuple(y.tolist()))
    if kind == "none":
        return TargetStep(name, "none")
    if kind == "log" and (values.min() < 0 or values.max() <= 0):
        raise ValueError(
            f"transform.targets: log, but endpoint {name} has the value {values.min():g}; "
            "use auto or normal_scores"
        )
    offset = log_offset(values) if kind == "log" else 0.0
    spread = np.log10(values + offset) if kind == "log" else values
    mean, sd = float(spread.mean()), float(spread.std()) or 1.0
    clip = CLIP if offset else 0.0
    clipped = int((np.abs(spread - mean) > clip * sd).sum()) if clip else 0
    return TargetStep(name, kind, mean, sd, offset, clip=clip, clipped=clipped)


def _balance(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Factors that give both classes half of the unchanged total weight."""
    ones = float(weights[values == 1].sum())
    zeros = float(weights.sum()) - ones
    if ones == 0 or zeros == 0:
        return (1.0, 1.0)
    return ((ones + zeros) / (2 * zeros), (ones + zeros) / (2 * ones))


def _endpoint_targets(curated: pd.DataFrame, step: TargetStep) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, weights and censoring of one endpoint, each (n,)."""
    values = curated[step.endpoint].to_numpy(dtype=np.float64)
    measured = np.isfinite(values)
    weights = np.where(measured, curated[f"{step.endpoint}:weight"].to_numpy(dtype=np.float64), 0.0)
    z = np.where(measured, step.forward(np.where(measured, values, 1.0)), 0.0)
    if step.kind == "class":
        weights = weights * np.where(z == 1, step.class_weights[1], step.class_weights[0])
    relations = curated[f"{step.endpoint}:relation"].to_numpy()
    side = np.where(relations == ">", 1, np.where(relations == "<", -1, 0))
    return z, weights, np.where(measured, side, 0)
