"""What MLflow runs to load a model and predict: a list of SMILES in, the table of `Ensemble.predict` out."""

from typing import Any

import mlflow  # pyright: ignore[reportMissingImports]
import pandas as pd

from manywalks.ensemble.model import Ensemble


class EnsembleModel(mlflow.pyfunc.PythonModel):
    """An ensemble, from its archive among the model's artifacts."""

    def load_context(self, context: Any) -> None:
        """Load the archive once."""
        self.ensemble = Ensemble.load(context.artifacts["model"])

    def predict(self, context: Any, model_input: list[str]) -> pd.DataFrame:
        """One row for each SMILES; `rejected` says why one has no prediction."""
        return self.ensemble.predict(model_input)


mlflow.models.set_model(EnsembleModel())
