"""Replicate ensembles of Keras models for molecular property prediction.

>>> from manywalks import Ensemble
>>> Ensemble.load("models/ensemble").predict(["CCO", "c1ccccc1O"])
"""

import contextlib
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manywalks.ensemble.model import Ensemble

    __version__: str

__all__ = ["Ensemble", "__version__"]


# what numba compiles, and where its constants are from
_COMPILED = (
    "similarity.py", "ensemble/stacks", "featurize/circular.py", "featurize/erg.py", "featurize/pairs.py",
    "featurize/patterns", "featurize/rdkit2d", "train/dense_engine", "train/weights.py",
)  # fmt: skip
_FOLDER = "compiled-"


def _keep_compiled_code() -> None:
    """Compiled code goes where it can be written: in containers neither the package nor HOME may be.

    Its folder is named after the content of all compiled files. Numba itself looks at a function's own file
    alone, and would go on with what another file, called from there, was before an upgrade. Child processes
    take over what is set here.
    """
    here = os.path.dirname(__file__)  # noqa: PTH120
    above = os.environ.get("NUMBA_CACHE_DIR", "")
    if os.path.basename(above).startswith(_FOLDER):  # noqa: PTH119  (of the process that started this one)
        above = os.path.dirname(above)  # noqa: PTH120
    cache = os.path.expanduser("~/.cache")  # noqa: PTH111
    if not above and os.access(here, os.W_OK):
        above = f"{here}/__pycache__"
    elif not above and os.access(_existing(cache), os.W_OK):
        above = f"{cache}/manywalks"
    elif not above:
        own = _temporary()
        os.environ.setdefault("PREFECT_HOME", f"{own}/prefect")
        above = f"{own}/numba"
    os.environ["NUMBA_CACHE_DIR"] = f"{above}/{_FOLDER}{_digest(here)}"


def _temporary() -> str:
    """A folder of this user's among the temporary ones; a new one where another user made that of our name.

    What lies in it is run, so nobody else may write there.
    """
    import tempfile

    own = f"{tempfile.gettempdir()}/manywalks-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        os.mkdir(own, 0o700)  # noqa: PTH102
    found = os.lstat(own)
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return own if ours else tempfile.mkdtemp(prefix="manywalks-")


def _digest(here: str) -> str:
    """Twelve digits that tell one content of the compiled files from another; reading them takes 2 ms."""
    found = hashlib.sha256()
    for name in _COMPILED:
        path = f"{here}/{name}"
        for file in [path] if name.endswith(".py") else sorted(entry.path for entry in os.scandir(path)):
            if file.endswith(".py"):
                with open(file, "rb") as content:  # noqa: PTH123
                    found.update(content.read())
    return found.hexdigest()[:12]


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
