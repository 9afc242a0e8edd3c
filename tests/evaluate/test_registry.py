"""The table of metrics and the functions that compute them name the same metrics."""

import numpy as np
import pytest

from manywalks.evaluate import registry
from manywalks.evaluate.scores import endpoint_metrics


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_metric_that_is_computed_is_in_the_table(kind: str) -> None:
    rng = np.random.default_rng(0)
    observed = rng.integers(0, 2, 60).astype(np.float64)
    predicted = np.clip(0.3 * observed + 0.6 * rng.random(60), 0.01, 0.99)
    found = endpoint_metrics(observed, predicted, kind=kind, relation=np.full(60, "="), threshold=0.5)
    numbers = {name for name, value in found.items() if isinstance(value, float)}
    assert set(registry.metrics_of(kind)) <= numbers


@pytest.mark.parametrize("name", registry.REGISTRY)
def test_the_direction_is_that_of_better_predictions(name: str) -> None:
    metric = registry.REGISTRY[name]
    observed = np.array([0.0, 1.0] * 30)
    good, bad = 0.05 + 0.9 * observed, 0.5 + 0.01 * np.cos(np.arange(60))
    relation = np.full(60, "=")
    better, worse = (
        float(endpoint_metrics(observed, each, kind=metric.kind, relation=relation, threshold=0.5)[name] or 0)
        for each in (good, bad)
    )
    assert (better > worse) == metric.higher_is_better
