"""How params.yaml says that the replicates of an endpoint become one prediction."""

from manywalks.tasks.between import Combining
from manywalks.tasks.params_model import EnsembleParams


def combining_of(kind: str, ensemble: EnsembleParams) -> Combining:
    """The way of combining for an endpoint of this kind, "regression" or "classification"."""
    return Combining(ensemble.mode, logits=kind == "classification" and ensemble.classes == "logit")
