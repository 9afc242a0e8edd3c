"""Presets of `manywalks init`: which families a new params.yaml has."""

from typing import TYPE_CHECKING, Any, Literal

from manywalks.params.sections.families import FamilyParams
from manywalks.params.sections.model import FeaturizeParams

if TYPE_CHECKING:
    from manywalks.params.load import Params

Preset = Literal["fast", "default", "best"]
PRESETS: dict[Preset, str] = {
    "fast": "one dense network",
    "default": "two dense networks on different features",
    "best": "two dense networks on different features, and one on graphs, with fitted weights",
}
# A network on other fingerprints beside the first one, for a third of the average, is better than twice the
# replicates of the first alone on four of seven tables, and worse on one (python -m benchmarks.families).
_CIRCULAR: dict[str, Any] = {
    "name": "circular",
    "blocks": ["morgan_count", "morgan_feature_count", "erg", "rdkit2d", "ionization"],
    "weight": 2.0,
}
_PATHS: dict[str, Any] = {
    "name": "paths",
    "blocks": ["atom_pair_count", "torsion_count", "avalon_count", "rdkit2d", "ionization"],
}
# Behind the dense ones when alone, but its errors are others (docs/decisions/0014-graph.md). It sees nothing
# but the graph: with descriptors at its readout it is more like the others, and the mean gains less. Single
# networks differ widely, so many small ones are worth more than a few large ones.
_GRAPH: dict[str, Any] = {
    "name": "graph",
    "blocks": ["graph"],
    "weight": 0.5,
    "network": {"builder": "relational", "units": 64, "layers": 3, "widths": [256], "dropout": 0.2},
}
# small batches and a large rate, which has to rise first: 40 epochs at 0.001 leave it half trained
_GRAPH_TRAIN: dict[str, Any] = {"batch_size": 32, "learning_rate": 0.003, "warmup": 0.1}
GRAPH_EPOCHS, GRAPH_EPOCHS_OF_CLASSES = 40, 20


def with_preset(params: "Params", preset: Preset = "default", *, max_atoms: int = 60) -> "Params":
    """The parameters with a preset's blocks and families.

    Args:
        params: of a table.
        preset: which.
        max_atoms: slots of the block `graph`, where the preset has one.
    """
    classes_alone = all(one.kind == "classification" for one in params.data.endpoints.values())
    epochs = GRAPH_EPOCHS_OF_CLASSES if classes_alone else GRAPH_EPOCHS
    graph = {**_GRAPH, "train": {"epochs": epochs, **_GRAPH_TRAIN}}
    families = {"fast": [], "default": [_CIRCULAR, _PATHS], "best": [_CIRCULAR, _PATHS, graph]}[preset]
    used = dict.fromkeys(block for family in families or [_CIRCULAR] for block in family["blocks"])
    # descriptors, which several families share, come after the fingerprints
    shared = set(_CIRCULAR["blocks"]) & set(_PATHS["blocks"])
    kinds = sorted(used, key=lambda kind: (kind == "graph", kind in shared))
    blocks = [{"kind": kind, **({"max_atoms": max_atoms} if kind == "graph" else {})} for kind in kinds]
    return params.model_copy(
        update={
            "featurize": FeaturizeParams.model_validate({"blocks": blocks}),
            "families": tuple(FamilyParams.model_validate(family) for family in families),
            # what a network on graphs is worth beside the others is another thing on each table
            "weights": "out_of_fold" if preset == "best" else "given",
        }
    )
