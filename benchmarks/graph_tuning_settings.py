"""Settings of a network on graphs that benchmarks/graph_tuning.py tries."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.families import SMALL, R, View

# what differs from the network SMALL of benchmarks/families.py: (key, value), by key
Setting = tuple[tuple[str, Any], ...]
PRESET: Setting = ()
# nine times the weights
LARGE: Setting = (("layers", 4), ("units", 192))
EPOCHS = 40
# each key by itself
VALUES: dict[str, list[Any]] = {
    "units": [32, 128, 192],
    "layers": [2, 4, 5],
    "epochs": [20, 80],
    "rate": [5e-4, 2e-3, 4e-3],
    "readout": ["mean", "sum"],
    "dropout": [0.0, 0.1, 0.4],
    "widths": [[128], [512], [256, 128]],
    "builder": ["dmpnn"],
    "batch": [32, 128],
    "decay": [1e-2],
    "descriptors": [False],
}
TRAIN = {
    "rate": "learning_rate", "batch": "batch_size", "decay": "weight_decay", "warmup": "warmup",
}  # fmt: skip
# share of the steps in which the rate rises
WARMUP = 0.1
# what moves the weights of a small network further, in as many epochs
STRONGER: list[dict[str, Any]] = [
    {"batch": 32}, {"batch": 16}, {"rate": 3e-3}, {"rate": 3e-3, "batch": 32},
]  # fmt: skip


def setting_of(raw: Mapping[str, Any]) -> Setting:
    """Sorted, so that one setting has one form; lists as tuples."""
    return tuple(
        sorted((key, tuple(value) if isinstance(value, list) else value) for key, value in raw.items())
    )


def singles() -> list[Setting]:
    """A larger network; each key by itself, first values first."""
    most = max(map(len, VALUES.values()))
    each = [
        setting_of({key: values[k]}) for k in range(most) for key, values in VALUES.items() if k < len(values)
    ]
    return [LARGE, *each]


def for_larger() -> list[Setting]:
    """What may suit tables of thousands of molecules: longer training, the graph alone, larger networks."""
    alone, lean = {"descriptors": False}, {"readout": "sum", "widths": [128]}
    tried = [
        {}, alone, {**alone, "epochs": 80}, lean, {"epochs": 80}, {**alone, "epochs": 80, **lean},
        {**alone, "epochs": 80, "units": 128, "layers": 4}, {**alone, "epochs": 160},
        {**alone, "epochs": 80, "dropout": 0.1}, dict(LARGE),
    ]  # fmt: skip
    return [setting_of(one) for one in tried]


def for_partners() -> list[Setting]:
    """What may be a better partner of dense networks: a warm-up, the graph alone, and sizes for both."""
    alone, warm = {"descriptors": False}, {"warmup": WARMUP}
    best, middle, small = dict(LARGE), {"units": 128, "layers": 4}, {"units": 64, "layers": 3}
    tried = [
        {**best, **warm}, {**best, **warm, **alone}, {**best, **alone}, {**middle, **warm, **alone},
        {**small, **warm, **alone}, {**small, **warm, "epochs": 80}, {**small, **warm, **alone, "epochs": 80},
        *({**small, **warm, **alone, **more} for more in STRONGER),
    ]  # fmt: skip
    return [setting_of(one) for one in tried]


def view_of(setting: Setting) -> View:
    """The family with this setting; classes are trained for half as many epochs."""
    raw = dict(setting)
    epochs = raw.pop("epochs", EPOCHS)
    blocks = ("graph", *R) if raw.pop("descriptors", True) else ("graph",)
    train = {TRAIN[key]: raw.pop(key) for key in TRAIN if key in raw}
    return View(blocks, {**SMALL, **raw}, (epochs, epochs // 2), train)


def combined(gains: Mapping[Setting, float], count: int) -> list[Setting]:
    """Settings of several keys, from those which gained by themselves: the best first, then drawn ones."""
    best: dict[str, tuple[float, Any]] = {}
    for setting, gain in gains.items():
        if len(setting) == 1 and gain > 0:
            ((key, value),) = setting
            best[key] = max(best.get(key, (0.0, None)), (gain, value), key=lambda one: one[0])
    keys = sorted(best, key=lambda key: -best[key][0])
    rng, found = np.random.default_rng(0), []
    sets = [keys[:size] for size in range(2, len(keys) + 1)]
    sets += [[key for key in keys if rng.random() < 0.5] for _ in range(20 * count)]
    for chosen in sets:
        setting = setting_of({key: best[key][1] for key in chosen})
        if len(setting) > 1 and setting not in found:
            found.append(setting)
    return found[:count]


def words(setting: Setting) -> str:
    """A setting as a row's name."""
    if setting == PRESET:
        return "64 units, 3 layers (start)"
    if setting == LARGE:
        return "192 units, 4 layers"
    return ", ".join(f"{key} {_shown(value)}" for key, value in setting)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
