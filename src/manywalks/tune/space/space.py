"""A search space: parameters with ranges in them, and the parameters that drawn values make."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from manywalks.compare.configurations import SHARED, VARIED, differing
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.model import FeatureBlock, FeaturizeParams
from manywalks.tune.space.keys import Key

# of an item of a list: whether it is there
USE = "use"
LISTS = ("featurize.blocks", "families")
# sections whose keys can be searched; `weights` is a word, and every trial follows it
SEARCHED = tuple(section for section in VARIED if section != "weights")


@dataclass(frozen=True)
class Space:
    """What a search may draw.

    Attributes:
        base: parameters as a mapping; what no key changes stays as it is there.
        keys: what is searched; a key stands behind those that its condition names.
        source: the file that it was read from, for messages.
    """

    base: dict[str, Any]
    keys: tuple[Key, ...]
    source: str

    def params(self, values: Mapping[str, Any]) -> Params:
        """The parameters with these values set, checked."""
        raw = copy.deepcopy(self.base)
        for name, value in values.items():
            set_value(raw, name, value)
        return parse_params(kept_items(raw), source=self.source)

    def checked(self, present: Params) -> "Space":
        """The same space, if all that it can draw is accepted and belongs to the present data and split."""
        if not self.keys:
            raise ValueError(
                f"{self.source}: every key has one value; give ranges such as "
                "`dropout: {low: 0.1, high: 0.5}`, or choices such as `batch_size: [32, 64]`"
            )
        named = [key.name for key in self.keys]
        first = {key.name: key.ends[0] for key in self.keys}
        for key in self.keys:
            for name in key.given.when:
                if name not in named and not has_value(self.base, name):
                    raise ValueError(
                        f"{self.source}: {key.name}: when: {name} is no key; look at params.yaml"
                    )
            for end in key.ends:
                others = {name: value for name, value in first.items() if not name.endswith(f".{USE}")}
                self._refuse_other_data(self.params({**others, key.name: end}), present)
        self._refuse_other_graphs(present)
        return self

    def _refuse_other_graphs(self, present: Params) -> None:
        """Features of all blocks are made at once: a graph admits only those of the present families."""
        if not any(block.kind == "graph" for block in present.featurize.blocks):
            return
        for key in self.keys:
            if key.name.startswith(LISTS[0]) and not key.name.endswith(f".{USE}"):
                raise ValueError(
                    f"{self.source}: {key.name}: settings of blocks cannot be searched beside a block of "
                    "kind graph; search whether a block is in or out (use: [true, false])"
                )

    def _refuse_other_data(self, params: Params, present: Params) -> None:
        """Scores on other data or by another split cannot be compared with those of the present settings."""
        keys = [key for key in differing(present, params) if key.split(".")[0] in SHARED]
        if keys:
            raise ValueError(
                f"{self.source}: {keys[0]} differs from params.yaml; a search keeps the data, the split and "
                "the scoring; change it there, or remove it here"
            )

    def draw(self, suggest: Callable[[Key], Any]) -> dict[str, Any]:
        """Values of the keys whose condition holds; `suggest` draws one as Optuna has it."""
        values = dict[str, Any]()
        for key in self.keys:
            if key.applies({**_fixed(self.base, key), **values}):
                values[key.name] = key.value(suggest(key))
        return values

    def present_values(self, present: Params) -> dict[str, Any] | None:
        """The present settings as values of this space; None where it does not hold them."""
        raw, values = explicit(present).model_dump(mode="json"), dict[str, Any]()
        for key in self.keys:
            if key.applies({**_fixed(self.base, key), **values}):
                values[key.name] = get_value(raw, key.name)
                if key.drawn(values[key.name]) is None:
                    return None
        return values if same_model(explicit(present), explicit(self.params(values))) else None

    def features(self, present: FeaturizeParams) -> FeaturizeParams:
        """Every block that a drawn configuration may use; the present ones where they are enough."""
        blocks = {block.prefix: block for block in present.blocks}
        first = len(blocks)
        for raw in self._block_lists():
            for block in raw:
                for variant in self._variants(block):
                    blocks.setdefault(variant.prefix, variant.model_copy(update={"name": None}))
        return present if len(blocks) == first else FeaturizeParams(blocks=tuple(blocks.values()))

    def _block_lists(self) -> list[list[dict[str, Any]]]:
        """The base's blocks, and those of each choice of whole lists."""
        chosen = [list(key.ends) for key in self.keys if key.name == LISTS[0]]
        return [self.base["featurize"]["blocks"], *(choice for one in chosen for choice in one)]

    def _variants(self, block: Mapping[str, Any]) -> list[FeatureBlock]:
        """A block with every choice of its own keys."""
        plain = {name: value for name, value in block.items() if name != USE}
        found, prefix = [plain], f"{LISTS[0]}.{called(block)}."
        for key in self.keys:
            own = key.name.removeprefix(prefix)
            if key.name.startswith(prefix) and own != USE:
                found = [{**one, own: value} for one in found for value in key.ends]
        return [FeatureBlock.model_validate(one) for one in found]


def explicit(params: Params) -> Params:
    """The parameters with the number of epochs that they come to."""
    kinds = {endpoint.kind for endpoint in params.data.endpoints.values()}
    epochs = params.train.most_epochs(classes_alone=kinds == {"classification"})
    return params.model_copy(update={"train": params.train.model_copy(update={"epochs": epochs})})


def same_model(one: Params, other: Params) -> bool:
    """Whether two sets of parameters train the same replicates."""
    return not any(key.split(".")[0] in VARIED for key in differing(one, other))


def called(item: Mapping[str, Any]) -> str:
    """What an item of a list is called: a family's name, a block's name or kind."""
    return str(item.get("name") or item.get("kind"))


def _step(place: Any, name: str) -> Any:
    """What is called `name` in a mapping or in a list of named items; None where there is none."""
    if isinstance(place, dict):
        return place.get(name)
    if isinstance(place, list):
        return next((item for item in place if isinstance(item, dict) and called(item) == name), None)
    return None


def set_value(raw: dict[str, Any], name: str, value: Any) -> None:
    """Set a dotted key."""
    place: Any = raw
    *path, last = name.split(".")
    for step in path:
        place = _step(place, step)
        if place is None:
            return  # an item that another choice took out
    place[last] = copy.deepcopy(value)


def get_value(raw: dict[str, Any], name: str) -> Any:
    """The value of a dotted key; of `use`, whether the item is there."""
    place: Any = raw
    *path, last = name.split(".")
    for step in path:
        place = _step(place, step)
    if last == USE:
        return place is not None
    return None if place is None else place.get(last)


def has_value(raw: dict[str, Any], name: str) -> bool:
    """Whether there is such a key."""
    place: Any = raw
    *path, last = name.split(".")
    for step in path:
        place = _step(place, step)
    return isinstance(place, dict) and last in place


def _fixed(base: dict[str, Any], key: Key) -> dict[str, Any]:
    """What the base says of the keys that a condition names."""
    return {name: get_value(base, name) for name in key.given.when}


def kept_items(raw: dict[str, Any]) -> dict[str, Any]:
    """The mapping without the items whose `use` is false, and without what then has no user."""
    families = [dict(one) for one in raw.get("families", []) if one.get(USE, True)]
    blocks = [one for one in raw["featurize"]["blocks"] if one.get(USE, True)]
    names = {called(block) for block in blocks}
    out = {called(one) for one in raw["featurize"]["blocks"]} - names
    for family in families:
        family["blocks"] = [name for name in family["blocks"] if name not in out]
    families = [one for one in families if one["blocks"]]
    if families:
        seen = {name for family in families for name in family["blocks"]}
        blocks = [block for block in blocks if called(block) in seen]
    plain = [{name: value for name, value in block.items() if name != USE} for block in blocks]
    own = [{name: value for name, value in family.items() if name != USE} for family in families]
    return {**raw, "featurize": {**raw["featurize"], "blocks": plain}, "families": own}
