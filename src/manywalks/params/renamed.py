"""Former names: params.yaml is told the new one, an older model's manifest is read as if it had it."""

import copy
from collections.abc import Iterator
from typing import Any

KEYS = {
    "split.test_from": "test_since",
    "replicates.entropy": "seed",
    "ensemble.mode": "average",
    "ensemble.classes": "class_average",
    "refresh.drift_similarity": "drift_outside_share",
    "featurize.blocks[].size": "n_bits",
}
VALUES = {
    "curate.merge": {"censored": "tobit"},
    "transform.targets": {"rank": "normal_scores"},
    "train.loss": {"squared": "mse"},
    "train.engine": {"dense": "numba", "stacked": "jax"},
    "orchestrate.runner": {"threads": "local"},
}


def check_names(raw: dict[str, Any], source: str) -> None:
    """Refuse a former name (ValueError) and say the new one."""
    for key, new in KEYS.items():
        for holder, last in _holders(raw, key):
            if last in holder:
                raise ValueError(f"{source}: {key.replace('[]', '')}: is now called {new}; rename it")
    for key, new_values in VALUES.items():
        for holder, last in _holders(raw, key):
            value = holder.get(last)
            if isinstance(value, str) and value in new_values:
                raise ValueError(
                    f"{source}: {key}: {value!r} is now called {new_values[value]!r}; write that instead"
                )


def with_new_names(raw: dict[str, Any]) -> dict[str, Any]:
    """The parameters that an older model holds, under today's names; the mapping itself is left alone."""
    raw = copy.deepcopy(raw)
    for key, new in KEYS.items():
        for holder, last in _holders(raw, key):
            if last in holder:
                holder[new] = holder.pop(last)
    for key, new_values in VALUES.items():
        for holder, last in _holders(raw, key):
            value = holder.get(last)
            if isinstance(value, str):
                holder[last] = new_values.get(value, value)
    return raw


def _holders(raw: Any, key: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The mappings that the last word of a dotted key may stand in; `[]` goes through a list."""
    *path, last = key.split(".")
    found: list[Any] = [raw]
    for name in path:
        inner = [one.get(name.removesuffix("[]")) for one in found if isinstance(one, dict)]
        if name.endswith("[]"):
            inner = [item for one in inner if isinstance(one, list) for item in one]
        found = inner
    yield from ((one, last) for one in found if isinstance(one, dict))
