"""Read an ensemble's model.keras without Keras: what it was made of, and its weights."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from manywalks.ensemble.model_file.keras_file import ABOUT


def read_about(path: Path) -> dict[str, Any]:
    """What an ensemble's model.keras says that it was made of: families, mode."""
    with _opened(path) as archive:
        return _about(archive)


def read_model(path: Path) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """What the model was made of, and the weights of its layers by name."""
    with _opened(path) as archive:
        about = _about(archive)
        # no second name for the bytes, or `getbuffer` would copy them
        content = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(content, "r") as weights:
            return about, _by_name(weights, content)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """An ensemble's model.keras; a ValueError where it is missing, another file or damaged."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; run `manywalks train`")
    try:
        with zipfile.ZipFile(path) as archive:
            if ABOUT not in archive.namelist():
                raise ValueError(f"{path}: is not an ensemble of manywalks (no {ABOUT} in it)")
            yield archive
    except (zipfile.BadZipFile, KeyError, OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: is damaged ({error}); delete it and run again") from None


def _about(archive: zipfile.ZipFile) -> dict[str, Any]:
    """What the model was made of."""
    return _with_families(json.loads(archive.read(ABOUT)))


def _with_families(about: dict[str, Any]) -> dict[str, Any]:
    """What models of before say, which had one network: as one family."""
    if "families" in about:
        return about
    one = {name: about[name] for name in ("network", "transform")} | {
        "name": "",
        "columns": None,
        "weight": 1.0,
    }
    return {"families": [one], "mode": about["mode"], "classes": about["classes"]}


def _by_name(weights: h5py.File, content: io.BytesIO) -> dict[str, list[np.ndarray]]:
    """The arrays of each layer, by the layer's name; `content` is the file that `weights` reads."""
    memory = content.getbuffer()
    found: dict[str, list[np.ndarray]] = {}

    def look(_: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and "name" in item.attrs:
            found[str(item.attrs["name"])] = [_array(item[str(k)], memory) for k in range(len(item))]

    weights.visititems(look)
    return found


def _array(stored: Any, memory: memoryview) -> np.ndarray:
    """An array of the file where it is in memory, without a copy; copied where it is stored otherwise."""
    place = stored.id.get_offset()  # None where it is stored in pieces
    if place is None or place % stored.dtype.itemsize or not stored.size:
        return np.asarray(stored)
    return np.frombuffer(memory, stored.dtype, stored.size, place).reshape(stored.shape)
