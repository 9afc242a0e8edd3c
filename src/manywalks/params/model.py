"""params.yaml, about the model: from the section featurize to evaluate."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from manywalks.params.base import Count, Fraction, Name, Positive, Section

EPOCHS = 50


"""Epochs of training, where the parameters name no number."""


# From 300 molecules to 6,000, cross-entropy learns the labels' errors after that: with 50 epochs Ames loses
# 0.02 of its AUROC, Tox21's SR-ARE 0.05, and no table gains over 0.001 (python -m benchmarks.epochs).
EPOCHS_OF_CLASSES = 8


"""The same where every endpoint is a class."""


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
    n_bits: Annotated[int, Field(ge=16, le=65536)] = Field(
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


class TransformParams(Section):
    """Scaling of features and targets, fitted on the train subset alone."""

    counts: Literal["log1p", "none", "binary"] = Field(default="log1p", description="counts and bits")
    count_scale: Positive = Field(
        default=0.5,
        description="counts and bits are then multiplied by it: the smaller, the less they matter",
    )
    descriptors: Literal["quantile", "standard", "none"] = Field(
        default="quantile", description="real-valued columns"
    )
    clip: Positive = Field(default=3.0, description="scaled descriptors are held within -clip .. clip")
    targets: Literal["auto", "standard", "log", "normal_scores", "none"] = Field(
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

    engine: Literal["auto", "numba", "keras", "stacked"] = Field(
        default="auto", description="what trains (auto: the fastest that can)"
    )
    loss: Literal["auto", "mse", "huber", "cross_entropy"] = Field(
        default="huber",
        description="of regression (auto: mse); a class is always trained by cross_entropy",
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
    epochs: Count | None = Field(
        default=None,
        description=f"epochs, at most (default: {EPOCHS}; {EPOCHS_OF_CLASSES} if all endpoints are classes)",
    )
    batch_size: Count = Field(default=64, description="molecules a step")
    early_stopping: Count | None = Field(
        default=None,
        description="stop after so many epochs without a better valid loss, and keep the best weights "
        "(default: never)",
    )
    class_balance: bool = Field(default=False, description="weigh the classes of an endpoint equally")

    def most_epochs(self, *, classes_alone: bool) -> int:
        """Epochs at most: as asked, else by what the endpoints are."""
        return self.epochs or (EPOCHS_OF_CLASSES if classes_alone else EPOCHS)


class ReplicatesParams(Section):
    """How many replicates, and how sure."""

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
    seed: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="replays the same random streams, for debugging; it cures nothing (default: from the "
        "operating system)",
    )

    @model_validator(mode="after")
    def ordered(self) -> "ReplicatesParams":
        """The least number of replicates cannot exceed the largest."""
        if self.min > self.max:
            raise ValueError(f"replicates.min: {self.min} is over replicates.max {self.max}; lower it")
        return self


class EnsembleParams(Section):
    """How the replicates become one model."""

    average: Literal["mean", "median", "trimmed"] = Field(
        default="mean", description="over the replicates, at each molecule"
    )
    class_average: Literal["probability", "logit"] = Field(
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
        description="classes: how probabilities are calibrated on the valid subset (auto: the lower "
        "cross-fitted log-loss)",
    )
