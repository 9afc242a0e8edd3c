"""params.yaml as frozen models: one section a step, unknown keys refused.

docs/params.md is made from the fields' descriptions. A refusal is one line that names the file, the key, the
value and the remedy.
"""

import difflib
import shlex
from pathlib import Path
from typing import Any, ClassVar, Literal, get_origin

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from manywalks.params.base import Section, model_in
from manywalks.params.renamed import check_names
from manywalks.params.sections.curate import CurateParams
from manywalks.params.sections.data import DataParams
from manywalks.params.sections.evaluate import EvaluateParams
from manywalks.params.sections.families import OWN, FamilyParams, families_of
from manywalks.params.sections.model import (
    EnsembleParams,
    FeaturizeParams,
    NetworkParams,
    ReplicatesParams,
    TrainParams,
    TransformParams,
)
from manywalks.params.sections.run import OrchestrateParams, RefreshParams, ReportParams
from manywalks.params.sections.split import SplitParams


class Params(Section):
    """The whole of params.yaml."""

    data: DataParams
    curate: CurateParams = CurateParams()
    featurize: FeaturizeParams = FeaturizeParams()
    split: SplitParams = SplitParams()
    transform: TransformParams = TransformParams()
    network: NetworkParams = NetworkParams()
    train: TrainParams = TrainParams()
    families: tuple[FamilyParams, ...] = Field(
        default=(),
        description="views of a molecule with a network each; a replicate trains every family once and "
        "averages them (default: one network that sees all blocks)",
    )
    weights: Literal["given", "out_of_fold"] = Field(
        default="given",
        description="how much each family counts in that average: as its own `weight` says (given), or, for "
        "each endpoint, as training molecules tell that its networks had not seen (out_of_fold: 6 more "
        "replicates, each on two thirds of the training molecules)",
    )
    replicates: ReplicatesParams = ReplicatesParams()
    ensemble: EnsembleParams = EnsembleParams()
    evaluate: EvaluateParams = EvaluateParams()
    report: ReportParams = ReportParams()
    refresh: RefreshParams = RefreshParams()
    orchestrate: OrchestrateParams = OrchestrateParams()

    @model_validator(mode="after")
    def known_endpoint(self) -> "Params":
        """Refuse a split by an endpoint that the data does not have."""
        name = self.split.endpoint
        if name is not None and name not in self.data.endpoints:
            known = ", ".join(map(repr, self.data.endpoints))
            raise ValueError(f"split.endpoint: {name!r} is not among data.endpoints; choose one of {known}")
        return self

    @model_validator(mode="after")
    def decidable(self) -> "Params":
        """Refuse a cut-off of what the data does not have, or of a class, which has a threshold."""
        for name in self.evaluate.decide:
            if name not in self.data.endpoints:
                known = ", ".join(map(repr, self.data.endpoints))
                raise ValueError(
                    f"evaluate.decide: {name!r} is not among data.endpoints; choose one of {known}"
                )
            if self.data.endpoints[name].kind == "classification":
                raise ValueError(
                    f"evaluate.decide: {name!r} is a classification; set evaluate.threshold instead"
                )
        return self


def parse_params(raw: Any, *, source: str = "params.yaml") -> Params:
    """Check a mapping read from `source`; a ValueError names file, key, value and remedy."""
    if not isinstance(raw, dict):
        raise ValueError(f"{source}: has no sections; write one with `manywalks init TABLE`")
    check_names(raw, source)
    try:
        params = Params.model_validate(raw)
        families_of(params)  # refuses what a family may not ask for
        return params
    except ValidationError as error:
        raise ValueError(_one_line(error, source)) from None
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


class _KeyTwice(yaml.YAMLError):
    """A mapping that gives a key twice."""


class _OnceLoader(yaml.SafeLoader):
    """YAML's safe loader, but a key given twice is refused: by itself YAML would take the last."""

    # yes and no are cells of tables: true and false alone are booleans, as in YAML 1.2, which DVC reads
    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, form) for tag, form in forms if first in "tTfF" or not tag.endswith(":bool")]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping as written: later, keys that are merged into it (<<) look like its own."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                mark = key.start_mark
                raise _KeyTwice(
                    f"the key {key.value!r} is given twice (line {mark.line + 1}, column "
                    f"{mark.column + 1}); remove one of the two"
                )
            seen.add((key.tag, key.value))
        return node


def load_params(path: Path) -> Params:
    """Read params.yaml; a ValueError says in one line what is wrong with it."""
    return parse_params(read_sections(path), source=str(path))


def read_sections(path: Path) -> Any:
    """The content of a YAML file of params, unchecked but for its YAML."""
    if not path.is_file():
        folder = shlex.quote(str(path.parent))
        raise ValueError(f"{path}: no such file; make one with `manywalks init TABLE --workspace {folder}`")
    try:
        # SafeLoader with two more rules
        return yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)
    except _KeyTwice as error:
        raise ValueError(f"{path}: {error}") from None
    except (
        yaml.YAMLError,
        ValueError,
    ) as error:  # it takes 2020-13-45 for a date, and the file may not be UTF-8
        raise ValueError(f"{path}: is not YAML ({' '.join(str(error).split())}); correct it there") from None


# what to write instead, by pydantic's name of the fault
_REMEDIES = {
    "greater_than": "give a number above {gt:g}",
    "greater_than_equal": "give {ge:g} or more",
    "less_than": "give a number below {lt:g}",
    "less_than_equal": "give {le:g} or less",
    "int_parsing": "give a whole number",
    "int_type": "give a whole number",
    "int_from_float": "give a whole number",
    "float_parsing": "give a number",
    "float_type": "give a number",
    "bool_parsing": "give true or false",
    "bool_type": "give true or false",
    "string_type": "give text",
    "string_too_short": "give some text",
    "literal_error": "give {expected}",
    "too_short": "give at least {min_length}",
    "tuple_type": "give a list in square brackets",
    "dict_type": "give its keys, indented below it",
    "model_type": "give its keys, indented below it",
}

_OUTSIDE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


def _one_line(error: ValidationError, source: str) -> str:
    """The first fault of a pydantic error, as a sentence: file, key, value, remedy."""
    fault = error.errors()[0]
    place = _key_at(fault["loc"])
    key = ".".join(str(step) for step in place)
    message = fault["msg"].removeprefix("Value error, ")
    others = len({one["loc"][: len(place)] for one in error.errors()}) - 1
    more = f" (and {others} more {'fault' if others == 1 else 'faults'})" if others else ""
    if fault["type"] == "extra_forbidden":
        return f"{source}: {key}: unknown key; {_keys_near(place)}{more}"
    if fault["type"] == "missing":
        return f"{source}: {key}: missing; add it{more}"
    if fault["type"] == "value_error":
        # a model's own message begins with a key of that model, without the sections around it
        inner = bool(key) and not message.startswith(f"{fault['loc'][0]}.")
        # of a family's network it begins with "network.", which ends the place too
        own = message.removeprefix(f"{place[-1]}.") if inner else message
        return f"{source}: {key + '.' if inner else ''}{own}{more}"
    return f"{source}: {key}: {fault['input']!r} is not accepted; {_remedy(error, place, message)}{more}"


def _key_at(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """A fault's place without the forms of a value that pydantic tried there: text, or a number."""
    if len(place) < 2:
        return place
    *above, last = place
    if last in ("str", "float"):
        return tuple(above)
    model, named = _beside(tuple(above))
    field = None if named else model.model_fields.get(str(above[-1]))
    if field is None or model_in(field.annotation) or get_origin(field.annotation) is dict:
        return place
    return tuple(above) if isinstance(last, str) else place


def _remedy(error: ValidationError, place: tuple[int | str, ...], message: str) -> str:
    """What to write at `place` instead: what each of the faults found there asks for."""
    asked = []
    for fault in error.errors():
        if fault["loc"][: len(place)] == place:
            template = _REMEDIES.get(fault["type"])
            said = template.format(**fault.get("ctx", {})) if template else ""
            asked.append(_range_of(place) or said if fault["type"] in _OUTSIDE else said)
    return " or ".join(asked) if all(asked) else message[0].lower() + message[1:]


def _range_of(place: tuple[int | str, ...]) -> str:
    """Both ends of the numbers that a key takes; "" where it has one end at most, or is no key by itself."""
    field = _model_beside(place).model_fields.get(str(place[-1]))
    ends = {
        word: getattr(rule, word)
        for rule in ([] if field is None else field.metadata)
        for word in ("gt", "ge", "lt", "le")
        if getattr(rule, word, None) is not None
    }
    if len(ends) < 2:
        return ""
    low = f"above {ends['gt']:g}" if "gt" in ends else f"of {ends.get('ge', 0):g} or more"
    high = f"below {ends['lt']:g}" if "lt" in ends else f"at most {ends.get('le', 0):g}"
    return f"give a number {low} and {high}"


def _keys_near(place: tuple[int | str, ...]) -> str:
    """What an unknown key may have been meant to be."""
    keys, name = _keys_beside(place), str(place[-1])
    if near := difflib.get_close_matches(name, keys, n=1):
        return f"did you mean {near[0]}?"
    sections = {name: model_in(field.annotation) for name, field in Params.model_fields.items()}
    elsewhere = [section for section, model in sections.items() if model and name in model.model_fields]
    if elsewhere:
        return f"did you mean {elsewhere[0]}.{name}?"
    return f"known are {', '.join(keys)}"


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    """The known keys of the mapping in which a key was found."""
    return list(_model_beside(place).model_fields)


def _model_beside(place: tuple[int | str, ...]) -> type[BaseModel]:
    """The model of the mapping in which a key was found."""
    return _beside(place)[0]


def _beside(place: tuple[int | str, ...]) -> tuple[type[BaseModel], bool]:
    """That model, and whether the last step is a name or a number of the user's, and no key of it."""
    model: type[BaseModel] = Params
    named = False  # whether the next step is a name in a mapping or a number in a list, and no key
    for step in place[:-1]:
        if model is FamilyParams and step in OWN:
            model = type(Params.model_fields[str(step)].default)
            continue
        field = None if named else model.model_fields.get(str(step))
        named = field is not None and get_origin(field.annotation) in (dict, tuple)
        model = (model_in(field.annotation) if field is not None else None) or model
    return model, named
