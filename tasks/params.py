"""params.yaml as frozen models: one section a step, unknown keys refused.

Every field's description is what docs/params.md says of the key (benchmarks of words: docs are made
from here), and every refusal is one line that names the file, the key, the value and the remedy.
"""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from manywalks.tasks import units

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]
# YAML reads 1, true and 2020-04-03 as a number, a boolean and a date, where the cell that is meant is text
Cell = Annotated[
    str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float | date) else value)
]
# columns of the curated table, and of the predictions, that are no endpoint's
RESERVED = (
    "id",
    "smiles",
    "record",
    "records",
    "flags",
    "standardized",
    "similarity",
    "in_domain",
    "rejected",
)


def _listed(value: Any) -> Any:
    """A cell alone as the list of it."""
    return [value] if isinstance(value, str | int | float | date) else value


class Section(BaseModel):
    """A part of params.yaml: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EndpointParams(Section):
    """One measured property: where it stands in the table and what it means."""

    kind: Literal["regression", "classification"] = Field(
        default="regression", description="what is predicted"
    )
    column: Name | None = Field(
        default=None, description="column of the table (default: the endpoint's name)"
    )
    unit: str = Field(default="", description="unit of the predictions and of every score")
    source_unit: Name | None = Field(
        default=None,
        description="unit of the column's cells, to convert from (default: they are in `unit` already)",
    )
    unit_column: Name | None = Field(
        default=None, description="column that holds each record's own unit (ChEMBL: Standard Units)"
    )
    transform: Literal["none", "p", "log10"] = Field(
        default="none",
        description="after conversion: p is -log10 of mol/L (pIC50), log10 is log10(value + offset)",
    )
    log_unit: Name | None = Field(
        default=None,
        description="transform log10: the unit it is taken in (default: that of `unit`, else source_unit)",
    )
    offset: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="transform log10: added to the value first, so that zeros have a logarithm"
    )
    positive: Cell | None = Field(
        default=None,
        description="classification: the cell that means class 1 (default: 1, true, yes, active)",
    )
    negative: tuple[Cell, ...] | None = Field(
        default=None,
        description="with `positive`: the cells that mean class 0; others are unusable (default: all others "
        "mean it, but for unknown, inconclusive and the like)",
    )
    relation_column: Name | None = Field(
        default=None,
        description="column of =, >, <, >=, <= (default: none; a cell such as >100 says it by itself)",
    )
    censored: Literal["keep", "reject"] = Field(
        default="keep", description="values known as a bound alone: keep them as bounds, or reject them"
    )
    weight_column: Name | None = Field(
        default=None, description="column of record weights, 0 or more (default: all weigh 1)"
    )
    error_column: Name | None = Field(
        default=None,
        description="column of standard errors, in the cells' unit: weights are (median error / error)^2",
    )
    spread_limit: Positive | None = Field(
        default=None,
        description="repeats of a molecule further apart than this (largest - smallest, in `unit`) are "
        "doubtful; curate.spread says what becomes of them",
    )
    tolerance: Positive | None = Field(
        default=None, description="this endpoint's own tolerance, in its unit (default: replicates.tolerance)"
    )

    def source(self, name: str) -> str:
        """The column that holds the endpoint called `name`."""
        return self.column or name

    def target_unit(self) -> str:
        """The unit that cells are converted to, as units.convert takes it; "" means left as they are.

        "log10" alone is that of the cells as they are, where nothing says what unit they are in.
        """
        named = self.source_unit or self.unit_column
        if self.transform == "none":
            return self.unit if named else ""
        return self._logarithm() if named or self.transform == "p" else "log10"

    def _logarithm(self) -> str:
        """What the transform gives: -log10 M, log10 of a unit, or "" where none is named."""
        if self.transform == "p":
            return "-log10 M"
        inner = self.log_unit or units.inside_log10(self.unit) or self.source_unit
        return f"log10 {inner}" if inner else ""

    @model_validator(mode="after")
    def consistent(self) -> "EndpointParams":
        """Keys that say nothing together are refused."""
        if self.weight_column and self.error_column:
            raise ValueError("weight_column and error_column: both given; name one of them")
        numeric = (self.source_unit, self.unit_column, self.relation_column, self.error_column)
        if self.kind == "classification" and (any(numeric) or self.transform != "none"):
            raise ValueError(
                "kind: a classification has no unit, relation, error or transform; remove those keys"
            )
        if self.offset and self.transform != "log10":
            raise ValueError(f"offset: {self.offset} without transform: log10; add it, or remove the offset")
        if self.log_unit and self.transform != "log10":
            raise ValueError(
                f"log_unit: {self.log_unit!r} without transform: log10; add it, or remove log_unit"
            )
        if self.kind == "regression" and (self.positive is not None or self.negative is not None):
            raise ValueError("positive, negative: say nothing of a regression; add kind: classification")
        if self.negative is not None and self.positive is None:
            raise ValueError("negative: given alone; name the cell that means class 1 as positive")
        return self

    @model_validator(mode="after")
    def convertible(self) -> "EndpointParams":
        """What the cells are in converts to what the transform gives, and that is what `unit` says."""
        source, unit, target = self.source_unit, self.unit, self.target_unit()
        if self.transform == "p" and not source and not self.unit_column:
            raise ValueError(
                "transform: p takes -log10 of mol/L; say what the cells are in by source_unit (nM, uM ...) "
                "or unit_column, or remove transform where they are logarithms already"
            )
        if (source or self.unit_column) and not target:
            example = "log10 uM" if self.transform == "log10" else "uM"
            raise ValueError(f"unit: none given; say what the cells are converted to, such as {example}")
        if source and not units.convertible(source, target):
            raise ValueError(
                f"source_unit: {source!r} cannot be converted to {target!r}; known are "
                f"{', '.join(units.UNITS)}"
            )
        if self.transform != "none" and unit and units.is_unit(unit):
            gives = self._logarithm()
            if not gives or not units.same_unit(unit, gives):
                raise ValueError(
                    f"unit: {unit!r}, but transform: {self.transform} gives "
                    f"{gives or 'a log10 of the cells'}; write that, or change the transform"
                )
        return self


class CheckParams(Section):
    """What is declared of one column of the raw table."""

    type: Literal["text", "number", "integer", "date"] = Field(
        default="text", description="what every cell must be"
    )
    required: bool = Field(default=True, description="the column must be there")
    empty: bool = Field(default=True, description="empty cells are allowed")
    unique: bool = Field(default=False, description="no two records share a value")
    min: float | None = Field(default=None, description="numbers: the smallest allowed")
    max: float | None = Field(default=None, description="numbers: the largest allowed")
    allowed: tuple[Cell, ...] | None = Field(default=None, description="the only cells allowed")
    pattern: str | None = Field(default=None, description="regular expression that the whole cell must match")

    @model_validator(mode="after")
    def readable(self) -> "CheckParams":
        """The pattern must be one."""
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"pattern: {self.pattern!r} is no regular expression ({error})") from None
        return self


class DataParams(Section):
    """The raw table."""

    path: Name = Field(description="the raw table, relative to the workspace: CSV, Parquet or SDF, also .gz")
    rev: Name | None = Field(
        default=None, description="git revision or tag of the table (default: the file as it is)"
    )
    smiles: Name = Field(default="smiles", description="column that holds the SMILES")
    id: Name | None = Field(default=None, description="column that names a record (default: none)")
    delimiter: Name | None = Field(
        default=None, description="CSV: between cells (default: found in the file)"
    )
    encoding: Name | None = Field(default=None, description="CSV: of the text (default: found in the file)")
    decimal: Literal[".", ","] = Field(default=".", description="decimal mark of the numbers")
    where: dict[Name, Annotated[tuple[Cell, ...], BeforeValidator(_listed)]] = Field(
        default_factory=dict,
        description="column: a cell, or a list of cells; records with another cell are rejected as filtered",
    )
    checks: dict[Name, CheckParams] = Field(
        default_factory=dict,
        description="column: what is declared of it; all violations are listed at once, and nothing runs",
    )
    endpoints: dict[Name, EndpointParams] = Field(
        min_length=1, description="the measured properties, by name"
    )

    @model_validator(mode="after")
    def free_names(self) -> "DataParams":
        """An endpoint's columns stand beside others in every table: none may take another's place."""
        for name in self.endpoints:
            if name in RESERVED or ":" in name:
                taken = "is a column of its own in the tables that are made"
                why = taken if name in RESERVED else "holds a colon, as what is said of an endpoint does"
                raise ValueError(
                    f"endpoints: {name!r} {why}; give the endpoint another name, and the table's column as "
                    "column:"
                )
        return self


class CurateParams(Section):
    """What becomes of a record before it is a molecule of the curated table."""

    mixtures: Literal["reject", "largest", "keep"] = Field(
        default="reject",
        description="two or more different organic parts after salts and solvents are removed",
    )
    metals: Literal["reject", "keep"] = Field(
        default="reject",
        description="a metal that stays after salts are split and removed (organometallics, complexes)",
    )
    inorganics: Literal["reject", "keep"] = Field(default="reject", description="no carbon atom")
    polymers: Literal["reject", "keep"] = Field(
        default="reject", description="undefined atoms (*), attachment points, repeat units"
    )
    isotopes: Literal["drop", "keep", "reject"] = Field(
        default="drop", description="isotope labels (2H, 14C): drop makes the molecule its unlabelled parent"
    )
    stereo: Literal["keep", "drop", "flag", "reject"] = Field(
        default="keep",
        description="keep; drop all stereo marks; flag (in column `flags`) or reject molecules with an "
        "unspecified stereo centre or double bond",
    )
    tautomers: Literal["keep", "canonical"] = Field(
        default="keep",
        description="keep them as drawn, or write RDKit's canonical tautomer (four times the time)",
    )
    max_tautomers: Count = Field(
        default=200,
        description="tautomers: canonical: a molecule with more of them is kept as drawn and flagged",
    )
    max_atoms: Count = Field(default=150, description="heavy atoms; larger molecules are rejected")
    time_limit: Positive = Field(
        default=10.0, description="seconds for one molecule; it is rejected after that"
    )
    merge: Literal["median", "mean", "censored"] = Field(
        default="median",
        description="how repeats of a molecule become one value; censored: the likeliest mean, with the "
        "assay's pooled noise, where bounds and values meet",
    )
    spread: Literal["flag", "reject"] = Field(
        default="flag",
        description="repeats further apart than an endpoint's spread_limit: flag the molecule, or reject",
    )


class FeatureBlock(Section):
    """One featurizer with its settings; blocks are concatenated in the order given."""

    kind: Literal[
        "morgan_count", "morgan_bits", "morgan_feature_count", "rdkit2d", "maccs", "avalon_count", "erg",
        "atom_pair_count", "torsion_count", "rdkit_path_count", "physchem", "ionization", "conformer3d",
    ] = Field(
        description="which featurizer (morgan_feature_count: Morgan on donors, acceptors, rings, halogens, "
        "acids and bases instead of elements; ionization: charges and log D at pH 7.4, pKa of groups)"
    )  # fmt: skip
    radius: Annotated[int, Field(ge=0, le=8)] = Field(default=2, description="Morgan: radius in bonds")
    size: Annotated[int, Field(ge=16, le=65536)] = Field(
        default=1024, description="hashed fingerprints: length"
    )


class FeaturizeParams(Section):
    """What makes the feature matrix."""

    blocks: tuple[FeatureBlock, ...] = Field(
        default=(
            FeatureBlock(kind="morgan_count"),
            FeatureBlock(kind="morgan_feature_count"),
            FeatureBlock(kind="erg"),
            FeatureBlock(kind="rdkit2d"),
            FeatureBlock(kind="ionization"),
        ),
        min_length=1,
        description="featurizers, concatenated in this order",
    )


class SplitParams(Section):
    """Which molecules train, which validate, which test."""

    method: Literal["random", "stratified", "scaffold", "cluster", "time", "group", "column"] = Field(
        default="random", description="how the parts are drawn"
    )
    column: Name | None = Field(
        default=None,
        description="method column: the column that says train/valid/test; group: whose equal cells stay "
        "together; time: a date or a year",
    )
    endpoint: Name | None = Field(
        default=None, description="method stratified: the endpoint that is spread evenly (default: the first)"
    )
    test: Fraction = Field(default=0.2, description="share of the molecules in the test part")
    valid: Fraction = Field(default=0.1, description="share of the molecules in the valid part")
    test_from: Cell | None = Field(
        default=None,
        description="method time: test what was first measured in this year, on this date or later "
        "(default: the last share)",
    )
    similarity: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="method cluster: Tanimoto from which two molecules are neighbours"
    )
    seed: int = Field(
        default=0, description="draw of the split (data, not a walk: it is the same for all replicates)"
    )

    @model_validator(mode="after")
    def consistent(self) -> "SplitParams":
        """A column, group or time split needs its column, and something must be left to train on."""
        if self.method in ("column", "group", "time") and self.column is None:
            raise ValueError(f"split.column: none given; name the column for method {self.method}")
        if self.test + self.valid >= 1:
            raise ValueError(
                f"split.test + split.valid: {self.test + self.valid:g} leaves nothing to train on"
            )
        return self


class TransformParams(Section):
    """Scaling of features and targets, fitted on the train part alone."""

    counts: Literal["log1p", "none", "binary"] = Field(default="log1p", description="counts and bits")
    count_scale: Positive = Field(
        default=0.5,
        description="counts and bits are then multiplied by it: the smaller, the less they matter",
    )
    descriptors: Literal["quantile", "standard", "none"] = Field(
        default="quantile", description="real-valued columns"
    )
    clip: Positive = Field(default=3.0, description="scaled descriptors are held within -clip .. clip")
    targets: Literal["auto", "standard", "log", "rank", "none"] = Field(
        default="auto",
        description="regression targets: auto takes log for skewed positive values, else standard",
    )


class NetworkParams(Section):
    """The network every replicate is an instance of."""

    widths: tuple[Count, ...] = Field(default=(256, 128), description="units of the hidden layers")
    activation: Literal["relu", "gelu", "silu", "tanh", "elu", "selu", "softplus"] = Field(
        default="gelu", description="activation of the hidden layers"
    )
    normalization: Literal["none", "layer", "batch"] = Field(
        default="layer", description="between a layer and its activation"
    )
    dropout: Fraction = Field(default=0.4, description="dropout after each hidden layer")
    builder: Name | None = Field(
        default=None,
        description="module:function (n_features, n_endpoints) -> keras.Model, instead of the keys above",
    )


class TrainParams(Section):
    """How one replicate is trained."""

    engine: Literal["auto", "dense", "keras", "stacked"] = Field(
        default="auto", description="what trains (auto: the fastest that can)"
    )
    loss: Literal["auto", "squared", "huber", "cross_entropy"] = Field(
        default="huber",
        description="of regression (auto: squared); a class is always trained by cross_entropy",
    )
    optimizer: Literal["adam", "adamw"] = Field(default="adamw", description="optimizer")
    learning_rate: Positive = Field(default=1e-3, description="peak learning rate")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        default=1e-4, description="adamw: decoupled weight decay"
    )
    l2: Annotated[float, Field(ge=0)] = Field(default=0.0, description="L2 penalty on kernels, in the loss")
    schedule: Literal["constant", "cosine"] = Field(
        default="cosine", description="learning rate over the steps"
    )
    epochs: Count = Field(default=50, description="epochs, at most")
    batch_size: Count = Field(default=64, description="molecules a step")
    early_stopping: Count | None = Field(
        default=None,
        description="stop after so many epochs without a better valid loss, and keep the best weights "
        "(default: never)",
    )
    class_balance: bool = Field(default=False, description="weigh the classes of an endpoint equally")


class ReplicatesParams(Section):
    """How many walks, and how sure."""

    tolerance: str | Positive = Field(
        default="0.05 sd",
        description="how far two ensembles may be apart, root mean square: a number in endpoint units, "
        "'0.1 sd' (of the endpoint's values) or '1 noise' (of repeated measurements)",
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        default=0.95, description="how sure the bound is"
    )
    min: Annotated[int, Field(ge=4)] = Field(default=8, description="replicates at least")
    max: Annotated[int, Field(ge=4)] = Field(default=128, description="replicates at most")
    count: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="exactly so many (default: as many as it takes)"
    )
    entropy: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="replays the same streams, for debugging (default: from the operating system)",
    )

    @model_validator(mode="after")
    def ordered(self) -> "ReplicatesParams":
        """The least number of replicates cannot exceed the largest."""
        if self.min > self.max:
            raise ValueError(f"replicates.min: {self.min} is over replicates.max {self.max}; lower it")
        return self


class EnsembleParams(Section):
    """How the replicates become one model."""

    mode: Literal["mean", "median", "trimmed"] = Field(
        default="mean", description="over the replicates, at each molecule"
    )
    classes: Literal["probability", "logit"] = Field(
        default="probability", description="what is averaged for a class"
    )


class EvaluateParams(Section):
    """Scores and decisions."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="probability from which a class is 1"
    )
    coverage: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.9, description="share of molecules an interval shall hold"
    )
    calibration: Literal["logistic", "isotonic", "auto"] = Field(
        default="logistic",
        description="classes: how probabilities are calibrated on the valid part (auto: the lower "
        "cross-fitted log-loss)",
    )


class ReportParams(Section):
    """The page for people."""

    title: str = Field(default="manywalks", description="title of the report and of the model card")
    owner: Name | None = Field(default=None, description="model card: who answers for the model")
    contact: Name | None = Field(default=None, description="model card: where to ask")
    licence: Name | None = Field(default=None, description="model card: of the model and its data")
    date: Name | None = Field(default=None, description="model card: of the model (a run writes none)")


class OrchestrateParams(Section):
    """Where and how hard the work runs; no result depends on it."""

    runner: Literal["threads", "dask"] = Field(
        default="threads", description="this machine, or a Dask cluster"
    )
    address: Name | None = Field(
        default=None, description="dask: the scheduler's address (default: a local cluster)"
    )
    storage: Name | None = Field(
        default=None,
        description="dask: an fsspec URL that driver and workers reach, such as s3://bucket/folder "
        "(default: data goes to the workers, and replicates come back, over Dask itself)",
    )
    cores: Count | None = Field(default=None, description="cores to use (default: all)")
    retries: Annotated[int, Field(ge=0)] = Field(default=2, description="tries after a failure that can pass")
    time_limit: Positive = Field(default=3600.0, description="seconds after which a step or a pack is ended")


class RefreshParams(Section):
    """When a challenger takes the champion's place."""

    promote: Literal["better", "not_worse", "never"] = Field(
        default="better",
        description="better: an endpoint is better and none worse or undecided; not_worse: every endpoint is "
        "better or equivalent; never: only by `manywalks promote`",
    )
    metric: Literal["auto", "rmse", "mae", "log_loss", "brier"] = Field(
        default="auto",
        description="what the two are compared by (auto: rmse for regression, brier for classes)",
    )
    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.03, description="differences within this share of the champion's score are equivalent"
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        default=0.95, description="how sure a verdict is"
    )
    min_molecules: Annotated[int, Field(ge=10)] = Field(
        default=30, description="molecules that neither has trained on, at least; with fewer it is undecided"
    )
    keep: Count = Field(default=10, description="former champions to keep")
    drift_similarity: Fraction = Field(
        default=0.3,
        description="warn when more than this share of new molecules lies outside the champion's domain",
    )
    drift_psi: Positive = Field(
        default=0.2, description="warn when an endpoint's population stability index is over this"
    )


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
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise ValueError(_one_line(error, source)) from None


class _OnceLoader(yaml.SafeLoader):
    """YAML's safe loader, where a key that stands twice in a mapping is refused: else the last one wins."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def load_params(path: Path) -> Params:
    """Read params.yaml; a ValueError says in one line what is wrong with it."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; make one with `manywalks init TABLE --work {path.parent}`")
    try:
        # SafeLoader with one rule more
        raw = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)
    except yaml.YAMLError as error:
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
