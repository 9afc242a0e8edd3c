"""Families: views of a molecule, each with a network of its own; a replicate trains each of them once."""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field, ValidationError

from manywalks.params.base import Name, Positive, Section
from manywalks.params.sections.model import GRAPH_NETWORKS, FeatureBlock

if TYPE_CHECKING:
    from manywalks.params.load import Params

# sections of params.yaml that a family may change
OWN = ("transform", "network", "train")


class FamilyParams(Section):
    """One family: the blocks it sees, and what it does differently."""

    name: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")] = Field(
        description="its name: letters, digits and _"
    )
    blocks: tuple[Name, ...] = Field(
        min_length=1, description="the blocks of featurize.blocks that it sees, by kind or name"
    )
    weight: Positive = Field(default=1.0, description="its share in the average, relative to the others")
    transform: dict[str, Any] = Field(
        default={}, description="keys of transform that differ, such as {clip: 5}"
    )
    network: dict[str, Any] = Field(
        default={}, description="keys of network that differ, such as {widths: [512, 256]}"
    )
    train: dict[str, Any] = Field(default={}, description="keys of train that differ, such as {epochs: 30}")


class Family(NamedTuple):
    """A family as it is trained.

    Attributes:
        name: as in params.yaml; "" where the parameters name no families, so that there is one.
        params: the parameters that this family alone would have.
        weight: its share in the average, relative to the others.
    """

    name: str
    params: "Params"
    weight: float = 1.0


def families_of(params: "Params") -> tuple[Family, ...]:
    """The families of the parameters, in order; a ValueError names the first key that is not accepted."""
    if not params.families:
        _check_graph(params, "")
        _check_stopping(params, "")
        return (Family("", params),)
    _check(params)
    families = tuple(_family(params, number, asked) for number, asked in enumerate(params.families))
    for number, family in enumerate(families):
        _check_graph(family.params, f"families.{number}.")
        own = "early_stopping" in params.families[number].train
        _check_stopping(family.params, f"families.{number}." if own else "")
    _check_larger(params, families)
    return families


def _family(params: "Params", number: int, asked: FamilyParams) -> Family:
    """One family: the sections with its own keys in them."""
    raw = params.model_dump(include={*OWN, "featurize"})
    for section in OWN:
        raw[section] |= getattr(asked, section)
    raw["featurize"]["blocks"] = [
        block.model_dump() for block in params.featurize.blocks if block.called in asked.blocks
    ]
    sections = {}
    for section, values in raw.items():
        try:
            sections[section] = type(getattr(params, section)).model_validate(values)
        except ValidationError as error:
            raise _below(error, ("families", number, section)) from None
    return Family(asked.name, params.model_copy(update={**sections, "families": ()}), asked.weight)


def _check(params: "Params") -> None:
    """Names must be there once, every block must be known, and none unused."""
    names = [family.name for family in params.families]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"families: the name {name!r} is given twice; call one of them something else")
    known = [block.called for block in params.featurize.blocks]
    for block in known:
        if known.count(block) > 1:
            raise ValueError(
                f"featurize.blocks: {block!r} is there twice; give one of them a `name` for the families"
            )
    used = {block for family in params.families for block in family.blocks}
    for number, family in enumerate(params.families):
        for block in family.blocks:
            if block not in known:
                raise ValueError(
                    f"families.{number}.blocks: {block!r} is not in featurize.blocks; add it there, or use "
                    f"one of {', '.join(known)}"
                )
    if unused := [block for block in known if block not in used]:
        raise ValueError(
            f"featurize.blocks: no family uses {unused[0]!r}; remove it, or name it in a family's blocks"
        )


def _check_graph(params: "Params", where: str) -> None:
    """A network on graphs needs the block, and no other ready network can use it."""
    graphs = [block for block in params.featurize.blocks if block.kind == "graph"]
    network = params.network
    if network.on_graph and len(graphs) != 1:
        raise ValueError(
            f"{where}network.builder: {network.builder!r} needs one block of kind graph in its blocks"
        )
    if graphs and network.builder is None:
        raise ValueError(
            f"{where}network.builder: null, though the blocks hold a graph; write "
            f"{' or '.join(GRAPH_NETWORKS)}"
        )
    if not where and graphs and graphs[0].larger == "others":
        raise _no_others(graphs[0])


def _check_stopping(params: "Params", where: str) -> None:
    """Early stopping goes by valid molecules; a table may bring some in a column of its own."""
    asked, split = params.train.early_stopping, params.split
    if asked is not None and split.valid == 0 and split.method != "column":
        raise ValueError(
            f"{where}train.early_stopping: {asked} needs valid molecules, and split.valid is 0; raise it to "
            "0.1, or remove early_stopping"
        )


def _check_larger(params: "Params", families: tuple[Family, ...]) -> None:
    """Molecules that are left to other families need one that sees no graph."""
    graphs = [block for block in params.featurize.blocks if block.kind == "graph"]
    without = [f for f in families if all(block.kind != "graph" for block in f.params.featurize.blocks)]
    for block in graphs:
        if block.larger == "others" and not without:
            raise _no_others(block)


def _no_others(block: FeatureBlock) -> ValueError:
    return ValueError(
        f"featurize.blocks: graph: there is no other family for molecules of over {block.max_atoms} atoms; "
        "write larger: reject in that block, or add a family without it"
    )


def _below(error: ValidationError, place: tuple[str | int, ...]) -> ValidationError:
    """The same complaint about keys below `place`."""
    return ValidationError.from_exception_data(
        error.title,
        [
            {
                "type": one["type"],
                "loc": (*place, *one["loc"]),
                "input": one["input"],
                "ctx": one.get("ctx", {}),
            }
            for one in error.errors()
        ],
    )
