"""Where in an ensemble's Keras model each family's replicates give their outputs."""

from collections.abc import Sequence
from typing import Any

from manywalks.params.sections.model import NetworkParams
from manywalks.train.graph_keras import layer_name


def family_outputs(model: Any, families: Sequence[dict[str, Any]]) -> list[Any]:
    """Each family's network space (b, m, t), as a tensor of the model.

    Args:
        model: as `keras_stack.stacked_model` made it, or loaded from its file.
        families: as `keras_stack.describe` has them.
    """
    stacked = iter(builder_outputs(model))
    layers = {layer.name: layer for layer in model.layers}
    found = []
    for family in families:
        network = NetworkParams.model_validate(family["network"])
        prefix = f"{family['name']}_" if family["name"] else ""
        if network.builder is None:
            found.append(layers[f"{prefix}output"].output)
        elif network.on_graph:
            found.append(_last_of_graph(layers, prefix).output)
        else:
            found.append(next(stacked))
    return found


def builder_outputs(model: Any) -> list[Any]:
    """The stacks of the networks of builders, in the order of their families."""
    # a stack of replicates is (b, m, t), one of families (f, b, m, t)
    return [op.output for op in model.operations if type(op).__name__ == "Stack" and op.axis == 1]


def _last_of_graph(layers: dict[str, Any], prefix: str) -> Any:
    """The last of the numbered layers of a network on graphs."""
    number = 1
    while prefix + layer_name(number + 1) in layers:
        number += 1
    return layers[prefix + layer_name(number)]
