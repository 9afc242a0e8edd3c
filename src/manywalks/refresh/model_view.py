"""What a trained model says of molecules, by its own features."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.ensemble import manifest
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.featurize.featurize import featurize
from manywalks.featurize.foreign.representations import usable
from manywalks.params.sections.model import FeatureBlock
from manywalks.train.union import UnionScaler


class ModelView(NamedTuple):
    """What a model says of n molecules: replicates (m, n, t) in endpoint units, and where they lie."""

    replicates: np.ndarray
    about: dict[str, Any]
    nearness: pd.DataFrame

    def take(self, places: np.ndarray) -> "ModelView":
        """At some of the molecules."""
        return ModelView(self.replicates[:, places], self.about, self.nearness.iloc[places])


def blocks_of(model: Path) -> list[FeatureBlock]:
    """A model's features."""
    about = usable(manifest.read(model), model)
    return [FeatureBlock.model_validate(block) for block in about["params"]["featurize"]["blocks"]]


def predict_with(model: Path, smiles: list[str], cores: int) -> ModelView:
    """A model's replicates at standardized molecules, by its own features."""
    about = usable(manifest.read(model), model)
    raw = featurize(smiles, blocks_of(model), cores=cores)
    predictor = StackedPredictor.load(model / "model.keras")
    replicates = predictor.predict(UnionScaler.load(model / "scaler.npz").transform(raw))
    return ModelView(replicates.astype(np.float64), about, Domain.load(model / "domain.npz").assess(raw))
