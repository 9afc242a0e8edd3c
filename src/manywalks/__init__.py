"""Replicate ensembles of Keras models for molecular property prediction.

>>> from manywalks import Ensemble
>>> Ensemble.load("models/ensemble").predict(["CCO", "c1ccccc1O"])
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manywalks.ensemble.model import Ensemble

    __version__: str

__all__ = ["Ensemble", "__version__"]


def __getattr__(name: str) -> Any:
    """Public names on first use: `import manywalks` alone takes neither RDKit nor TensorFlow nor Prefect."""
    if name == "Ensemble":
        from manywalks.ensemble.model import Ensemble

        return Ensemble
    if name == "__version__":
        from importlib import metadata  # 30 ms, which no worker process needs

        return metadata.version("manywalks")
    raise AttributeError(f"module 'manywalks' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What can be imported from here."""
    return sorted(__all__)
