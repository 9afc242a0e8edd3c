"""params.yaml as frozen models: one section a step, unknown keys refused.

docs/params.md is made from the fields' descriptions. A refusal is one line that names the file, the key, the
value and the remedy.
"""

from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import ValidationError, model_validator

from manywalks.params.base import Section
from manywalks.params.data import CurateParams, DataParams, SplitParams
from manywalks.params.model import (
    EnsembleParams,
    EvaluateParams,
    FeaturizeParams,
    NetworkParams,
    ReplicatesParams,
    TrainParams,
    TransformParams,
)
from manywalks.params.renamed import check_names
from manywalks.params.run import OrchestrateParams, RefreshParams, ReportParams


class Params(Section):
    """The whole of params.yaml."""

    data: DataParams
    curate: CurateParams = CurateParams()
    featurize: FeaturizeParams = FeaturizeParams()
    split: SplitParams = SplitParams()
    transform: TransformParams = TransformParams()
    network: NetworkParams = NetworkParams()
    train: TrainParams = TrainParams()
    replicates: ReplicatesParams = ReplicatesParams()
    ensemble: EnsembleParams = EnsembleParams()
    evaluate: EvaluateParams = EvaluateParams()
    report: ReportParams = ReportParams()
    refresh: RefreshParams = RefreshParams()
    orchestrate: OrchestrateParams = OrchestrateParams()

    @model_validator(mode="after")
    def known_endpoint(self) -> "Params":
        """The split can go by an endpoint of the data alone."""
        name = self.split.endpoint
        if name is not None and name not in self.data.endpoints:
            known = ", ".join(map(repr, self.data.endpoints))
            raise ValueError(f"split.endpoint: {name!r} is no endpoint of data.endpoints; known are {known}")
        return self


def parse_params(raw: Any, *, source: str = "params.yaml") -> Params:
    """Check a mapping read from `source`; a ValueError names file, key, value and remedy."""
    if not isinstance(raw, dict):
        raise ValueError(f"{source}: holds no mapping of sections; start from `manywalks init TABLE`")
    check_names(raw, source)
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise ValueError(_one_line(error, source)) from None


class _KeyTwice(yaml.YAMLError):
    """A mapping in which a key stands twice."""


class _OnceLoader(yaml.SafeLoader):
    """YAML's safe loader, where a key that stands twice in a mapping is refused: else the last one wins."""

    # yes and no are cells of tables: true and false alone are booleans, as in YAML 1.2, which DVC reads
    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, form) for tag, form in forms if first in "tTfF" or not tag.endswith(":bool")]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping as it is written; later, what is merged into it (<<) stands beside its own keys."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                mark = key.start_mark
                raise _KeyTwice(
                    f"the key {key.value!r} stands there twice (line {mark.line + 1}, column "
                    f"{mark.column + 1}); remove one of the two"
                )
            seen.add((key.tag, key.value))
        return node


def load_params(path: Path) -> Params:
    """Read params.yaml; a ValueError says in one line what is wrong with it."""
    if not path.is_file():
        raise ValueError(
            f"{path}: no such file; make one with `manywalks init TABLE --workspace {path.parent}`"
        )
    try:
        # SafeLoader with two rules more
        raw = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)
    except _KeyTwice as error:
        raise ValueError(f"{path}: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # 2020-13-45 is a date to it, and bytes may be no UTF-8
        raise ValueError(f"{path}: is not YAML ({' '.join(str(error).split())}); mend it there") from None
    return parse_params(raw, source=str(path))


def _one_line(error: ValidationError, source: str) -> str:
    """The first fault of a pydantic error, as a sentence: file, key, value, remedy."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if fault["type"] == "extra_forbidden":
        return f"{source}: {key}: unknown key; {_keys_near(fault['loc'])}{more}"
    if fault["type"] == "missing":
        return f"{source}: {key}: missing; add it{more}"
    if fault["type"] == "value_error":
        # what a model says of its keys begins with one of them; those of the outer sections stand before it
        inner = bool(key) and not message.startswith(f"{fault['loc'][0]}.")
        return f"{source}: {key + '.' if inner else ''}{message}{more}"
    return f"{source}: {key}: {fault['input']!r} will not do; {message[0].lower() + message[1:]}{more}"


def _keys_near(location: tuple[int | str, ...]) -> str:
    """The keys that may stand where an unknown one stood."""
    model: Any = Params
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        model = field.annotation if field is not None else None
    if model is None or not hasattr(model, "model_fields"):
        return "remove it"
    return "known are " + ", ".join(model.model_fields)
