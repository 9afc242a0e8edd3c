"""Sections of params.yaml about the model: from featurize to ensemble."""

from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import Field, model_validator

from manywalks.params.base import FILLED_IN, Confidence, Count, Fraction, Name, Positive, Section

# epochs of training where the parameters give no number
EPOCHS = 50
# Where every endpoint is a class. From 300 molecules to 6,000, cross-entropy learns the errors of labels
# after that: with 50 epochs Ames loses 0.02 of its AUROC, Tox21's SR-ARE 0.05, and no table gains over 0.001
# (python -m benchmarks.epochs).
EPOCHS_OF_CLASSES = 8
# values of network.builder that are no function of the user's
GRAPH_NETWORKS = ("relational", "dmpnn")


class FeatureBlock(Section):
    """One featurizer with its settings."""

    kind: Literal[
        "morgan_count", "morgan_bits", "morgan_feature_count", "rdkit2d", "maccs", "avalon_count", "erg",
        "atom_pair_count", "torsion_count", "rdkit_path_count", "physchem", "ionization", "conformer3d",
        "function", "table", "minimol", "graph",
    ] = Field(
        description="which featurizer (morgan_feature_count: Morgan counts of donors, acceptors, rings, "
        "halogens, acids and bases; ionization: pKa of groups, charges and log D at pH 7.4; function: your "
        "own; table: vectors made elsewhere; minimol: 512 learned columns; graph: atoms and bonds, for the "
        "networks relational and dmpnn; see docs/features.md)"
    )  # fmt: skip
    radius: Annotated[int, Field(ge=0, le=8)] = Field(
        default=2, description="for Morgan fingerprints: radius in bonds"
    )
    n_bits: Annotated[int, Field(ge=16, le=65536)] = Field(
        default=1024, description="for hashed fingerprints: number of bits"
    )
    name: Name | None = Field(default=None, description="what families call this block (default: its kind)")
    of: Name | None = Field(
        default=None,
        description="for function: module:function; it takes a list of SMILES and returns an array (n, d), "
        "or that and d column names",
    )
    path: Name | None = Field(
        default=None, description="for table: a Parquet or CSV file of vectors, a row for each molecule"
    )
    key: Literal["smiles", "inchikey"] = Field(
        default="smiles", description="for table: the column that names the molecule"
    )

    max_atoms: Annotated[int, Field(ge=8, le=255)] = Field(
        default=60, description="for graph: slots for atoms (and for a sixth more bonds)"
    )
    larger: Literal["others", "reject"] = Field(
        default="others",
        description="for graph: molecules with more atoms or bonds than that are predicted by the other "
        "families (others), or rejected",
    )

    @model_validator(mode="after")
    def complete(self) -> "FeatureBlock":
        """Refuse a function that is not named, a table without a path, and these keys elsewhere."""
        for key, kind, example in (
            ("of", "function", "my_module:embed"),
            ("path", "table", "vectors.parquet"),
        ):
            given = getattr(self, key) is not None
            if given != (self.kind == kind):
                raise ValueError(
                    f"{key}: {'is for kind: ' + kind + ' alone; remove it' if given else 'is missing; give '}"
                    f"{'' if given else f'what to use, such as {example}'}"
                )
        return self

    @property
    def called(self) -> str:
        """What families call this block."""
        return self.name or self.kind

    @property
    def prefix(self) -> str:
        """How the names of its columns begin, before the colon."""
        if self.kind == "table":
            return f"table.{PurePath(str(self.path)).name}"
        if self.kind == "function":
            from manywalks.params.sections.block_sources import prefix_of  # it imports this class

            return f"function.{prefix_of(str(self.of))}"
        hashed, _, what = self.kind.rpartition("_")
        if self.kind.startswith("morgan"):
            return f"morgan{self.radius}_{self.n_bits}{self.kind.removeprefix('morgan')}"
        return f"{hashed}_{self.n_bits}_{what}" if what == "count" else self.kind


class FeaturizeParams(Section):
    """How molecules become numbers: the features."""

    blocks: tuple[FeatureBlock, ...] = Field(
        default=(
            FeatureBlock(kind="morgan_count"),
            FeatureBlock(kind="morgan_feature_count"),
            FeatureBlock(kind="erg"),
            FeatureBlock(kind="rdkit2d"),
            FeatureBlock(kind="ionization"),
        ),
        min_length=1,
        description="the featurizers to use, side by side",
    )


class TransformParams(Section):
    """Scaling of features and targets, fitted on the training molecules alone."""

    counts: Literal["log1p", "none", "binary"] = Field(
        default="log1p", description="how counts and bits are scaled"
    )
    count_scale: Positive = Field(
        default=0.5,
        description="counts and bits are then multiplied by this; a smaller number gives them less weight",
    )
    descriptors: Literal["quantile", "standard", "none"] = Field(
        default="quantile", description="how descriptors (real numbers) are scaled"
    )
    clip: Positive = Field(default=3.0, description="scaled descriptors are limited to -clip .. clip")
    targets: Literal["auto", "standard", "log", "normal_scores", "none"] = Field(
        default="auto",
        description="how values are scaled for training: auto takes log if they are positive and skewed, "
        "else standard",
    )


class NetworkParams(Section):
    """The network that every replicate trains."""

    widths: tuple[Count, ...] = Field(default=(256, 128), description="sizes of the hidden layers")
    activation: Literal["relu", "gelu", "silu", "tanh", "elu", "selu", "softplus"] = Field(
        default="gelu", description="activation function of the hidden layers"
    )
    normalization: Literal["none", "layer", "batch"] = Field(
        default="layer", description="normalization between a layer and its activation"
    )
    dropout: Fraction = Field(
        default=0.4, description="share of units dropped after each hidden layer while training"
    )
    builder: Name | None = Field(
        default=None,
        description="another network: relational or dmpnn (on the block graph; the keys above are then of "
        "the layers behind the readout), or your own as module:function (n_features, n_endpoints) -> "
        "keras.Model",
    )
    units: Count = Field(default=128, description="for relational and dmpnn: numbers that describe an atom")
    layers: Annotated[int, Field(ge=1, le=16)] = Field(
        default=4, description="for relational and dmpnn: how many bonds far an atom sees"
    )
    readout: Literal["mean_sum", "mean", "sum"] = Field(
        default="mean_sum", description="for relational and dmpnn: how atoms become a molecule"
    )
    max_atoms: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="of the block graph; filled in", json_schema_extra=FILLED_IN
    )

    @property
    def on_graph(self) -> bool:
        """Whether it is one of the ready networks on graphs."""
        return self.builder in GRAPH_NETWORKS

    @model_validator(mode="after")
    def known_builder(self) -> "NetworkParams":
        """Refuse a word that names no network, and a normalization that networks on graphs do without."""
        if self.builder is not None and not self.on_graph and ":" not in self.builder:
            raise ValueError(
                f"network.builder: {self.builder!r} is not known; write {' or '.join(GRAPH_NETWORKS)}, or "
                "module:function for your own"
            )
        if self.on_graph and self.normalization == "batch":
            # empty slots would count in the batch's mean
            raise ValueError(f"network.normalization: 'batch' is not for {self.builder}; write layer or none")
        return self


class TrainParams(Section):
    """How each replicate is trained."""

    engine: Literal["auto", "numba", "keras", "jax"] = Field(
        default="auto",
        description="the program that trains (auto: the fastest that supports these settings here; jax: for "
        "GPUs)",
    )
    loss: Literal["auto", "mse", "huber", "cross_entropy"] = Field(
        default="huber",
        description="loss of regressions (auto: mse); classifications always use cross_entropy",
    )
    optimizer: Literal["adam", "adamw"] = Field(default="adamw", description="optimizer")
    learning_rate: Positive = Field(default=1e-3, description="largest learning rate")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        default=1e-4, description="for adamw: decoupled weight decay"
    )
    l2: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="L2 penalty on the weights, added to the loss"
    )
    schedule: Literal["constant", "cosine"] = Field(
        default="cosine", description="how the learning rate changes during training"
    )
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="share of the training in which the learning rate rises to its largest, before the "
        "schedule (0.1: the first tenth)",
    )
    epochs: Count | None = Field(
        default=None,
        description=f"largest number of epochs (default: {EPOCHS}; {EPOCHS_OF_CLASSES} if every endpoint is "
        "a classification)",
    )
    batch_size: Count = Field(default=64, description="molecules in each step")
    early_stopping: Count | None = Field(
        default=None,
        description="stop after this many epochs in which the loss on the valid molecules has not fallen, "
        "and "
        "keep the best weights (default: never)",
    )
    class_balance: bool = Field(
        default=False, description="whether both classes of an endpoint weigh the same, however rare one is"
    )

    def most_epochs(self, *, classes_alone: bool) -> int:
        """Most epochs: as asked, else by what the endpoints are."""
        return self.epochs or (EPOCHS_OF_CLASSES if classes_alone else EPOCHS)


class ReplicatesParams(Section):
    """How many replicates to train, and how sure to be that they are enough."""

    tolerance: str | Positive = Field(
        default="0.05 sd",
        description="how far apart two independently trained ensembles may be (root mean square): a number "
        "in "
        "the endpoint's unit, '0.1 sd' (SD of its values) or '1 noise' (SD of repeated measurements)",
    )
    confidence: Confidence = Field(default=0.95, description="how sure the statement is")
    min: Annotated[int, Field(ge=4)] = Field(default=8, description="smallest number of replicates")
    max: Annotated[int, Field(ge=4)] = Field(default=128, description="largest number of replicates")
    count: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="train exactly this many (default: as many as the tolerance takes)"
    )
    rows: Literal["all", "bootstrap"] = Field(
        default="all",
        description="which training molecules a replicate trains on: all, or its own bootstrap draw of them "
        "(as many, with replacement, in whole groups where the split keeps groups together). With bootstrap, "
        "split.valid may be 0: each training molecule is new to about a third of the replicates",
    )
    seed: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="replays the same random numbers, for debugging; it cures nothing: the randomness is "
        "still "
        "there, only hidden (default: fresh random numbers)",
    )

    @model_validator(mode="after")
    def ordered(self) -> "ReplicatesParams":
        """Refuse a smallest number of replicates above the largest."""
        if self.min > self.max:
            raise ValueError(
                f"replicates.min: {self.min} is over replicates.max {self.max}; lower min or raise max"
            )
        return self


class EnsembleParams(Section):
    """How the replicates become one model."""

    average: Literal["mean", "median", "trimmed"] = Field(
        default="mean", description="how the replicates' predictions of a molecule become one"
    )
    class_average: Literal["probability", "logit"] = Field(
        default="probability", description="for classifications: what is averaged"
    )
