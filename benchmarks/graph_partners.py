"""The section of benchmarks/graph_tuning.py on partners.

By which network on graphs the dense families gain most in the mean, on tables of 700 to 6,000 molecules.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.families import SMALL, score
from benchmarks.graph_tuning_material import ALL, Material, load
from benchmarks.graph_tuning_settings import EPOCHS, LARGE, Setting, for_partners, words
from benchmarks.graph_tuning_tables import ALONE, MIX, Kept, graph_scores
from benchmarks.results import table, write_section

HALF = "A+A+A+A+D+D+G"
SHOWN = {ALONE: ALONE, MIX: MIX, HALF: "A+A+D+G/2"}


class Partner(NamedTuple):
    """A setting's scores on one table.

    Attributes:
        value: with the mean of the replicates, by mix.
        single: with one replicate in each fold, (m,) by mix.
    """

    value: dict[str, float]
    single: dict[str, np.ndarray]

    def cell(self, mix: str) -> str:
        """With the mean of the replicates, and how many there are."""
        return f"{self.value[mix]:.4f} ({len(self.single[mix])})"


def products(setting: Setting) -> float:
    """Products in a training, as a share of those with 192 units, 4 layers and 40 epochs."""
    return _products(setting) / _products(LARGE)


def _products(setting: Setting) -> float:
    """In proportion: each layer has 2.25 products of units by units for an atom, the readout one."""
    raw = {**SMALL, **dict(setting)}
    return raw["units"] ** 2 * (2.25 * raw["layers"] + 1) * raw.get("epochs", EPOCHS)


def write_partners(kept: Kept, features: Path, tables: Sequence[str], folds: Sequence[int]) -> None:
    """Write the section; nothing where no setting of `for_partners` was trained.

    A second table has what was trained on the first fold alone, beside the other settings on that fold.
    """
    whole = {name: _partners(kept, features, name, folds) for name in tables}
    first = {name: _partners(kept, features, name, folds[:1]) for name in tables}
    if not any(whole.values()):
        return
    shown = [name for name in tables if whole[name]]
    text = (
        f"## Networks on graphs, as partners\n\n{_about(kept, whole)}\n\nFirst {len(folds)} folds:\n\n"
        f"{_table(shown, whole, features, folds)}"
    )
    if shown := [name for name in tables if len(first[name]) > len(whole[name])]:
        text += f"\n\nFirst fold alone:\n\n{_table(shown, first, features, folds[:1])}"
    print(text)
    write_section("graph-partners", text)


def _partners(kept: Kept, features: Path, name: str, folds: Sequence[int]) -> dict[Setting, Partner]:
    """Those settings that were trained on these folds of a table."""
    return {
        setting: partner(kept, load(name, features), setting, name, folds)
        for setting in for_partners()
        if all(kept.has(setting, name, fold) for fold in folds)
    }


def _table(
    tables: Sequence[str],
    found: Mapping[str, Mapping[Setting, Partner]],
    features: Path,
    folds: Sequence[int],
) -> str:
    """Scores alone and in the mix by setting, below those of the dense families."""
    lines = [_without(tables, features, folds, mix) for mix in ("A", "A+A+D")]
    for setting in for_partners():
        own = [found[name].get(setting) for name in tables]
        if any(own):
            for mix, shown in SHOWN.items():
                cells = ["" if one is None else one.cell(mix) for one in own]
                lines.append([words(setting), f"{products(setting):.2f}", shown, *cells])
    heads = ["graph network", "products", "mix", *(f"{name} {ALL[name].metric}" for name in tables)]
    return table(heads, lines)


def partner(kept: Kept, material: Material, setting: Setting, name: str, folds: Sequence[int]) -> Partner:
    """Scores of the replicates' predictions, alone and in the mixes."""
    whole, *values = graph_scores(kept, material, setting, name, folds, tuple(SHOWN))
    return Partner(whole, {mix: np.array([own[mix] for own in values]) for mix in SHOWN})


def _without(tables: Sequence[str], features: Path, folds: Sequence[int], mix: str) -> list[str]:
    """A line of the dense families."""
    cells = []
    for name in tables:
        material = load(name, features)
        rows = np.concatenate([material.table.folds[fold][1] for fold in folds])
        mean = np.mean([material.dense[family][rows] for family in mix.split("+")], axis=0)
        cells.append(f"{score(ALL[name].metric, material.observed(name)[rows], mean):.4f}")
    return ["none", "", mix, *cells]


def _about(kept: Kept, found: Mapping[str, Mapping[Setting, Partner]]) -> str:
    """What the table shows, and how much of it is luck."""
    noise = {
        mix: {
            name: np.sqrt(np.mean([one.single[mix].var(ddof=1) for one in own.values() if _several(one)]))
            for name, own in found.items()
            if any(_several(one) for one in own.values())
        }
        for mix in SHOWN
    }
    said = "; ".join(
        f"{SHOWN[mix]}: " + ", ".join(f"{value:.4f} on {name}" for name, value in by.items())
        for mix, by in noise.items()
        if by
    )
    return (
        f"{', '.join(sorted(kept.devices))}. Scaffold folds inside the rows to train on "
        "(`python -m benchmarks.graph_tuning --stages partners`). Scores with the mean of the replicates of "
        "the network on graphs, in brackets how many were trained in each fold; A and D are the same in all "
        "rows, of 6 replicates. G/2: with half the weight of D. SD of a score with a single replicate, "
        f"{said or 'not known'}. Dropout 0.2, a layer of "
        "256, rate 0.001, batches of 64, 40 epochs where no others are given; half as many for classes. "
        "Products: of matrices in a training, as a share of those with 192 units, 4 layers, 40 epochs."
    )


def _several(one: Partner) -> bool:
    """Whether a scatter can be told."""
    return len(one.single[ALONE]) > 1
