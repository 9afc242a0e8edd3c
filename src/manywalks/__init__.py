"""Replicate ensembles of Keras models for molecular property prediction.

>>> from manywalks import Ensemble
>>> Ensemble.load("models/ensemble").predict(["CCO", "c1ccccc1O"])
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manywalks.ensemble.model import Ensemble

    __version__: str

__all__ = ["Ensemble", "__version__"]


def _keep_compiled_code() -> None:
    """Compiled code goes where it can be written: in containers neither the package nor HOME may be.

    Numba ends with an error where it finds no such place; child processes take over what is set here.
    """
    here = os.path.dirname(__file__)  # noqa: PTH120
    if os.access(here, os.W_OK) or os.access(_existing(os.path.expanduser("~/.cache")), os.W_OK):  # noqa: PTH111
        return
    import tempfile

    own = f"{tempfile.gettempdir()}/manywalks-{os.getuid()}"
    os.environ.setdefault("NUMBA_CACHE_DIR", f"{own}/numba")
    os.environ.setdefault("PREFECT_HOME", f"{own}/prefect")


def _existing(path: str) -> str:
    """A path, or the nearest folder above it that is there."""
    while path != "/" and not os.path.exists(path):  # noqa: PTH110
        path = os.path.dirname(path)  # noqa: PTH120
    return path


_keep_compiled_code()


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
