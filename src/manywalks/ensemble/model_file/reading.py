"""Read an ensemble's model.keras without Keras: what it was made of, and its weights."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from manywalks.ensemble.model_file.keras_file import ABOUT


def read_about(path: Path) -> dict[str, Any]:
    """What an ensemble's model.keras says that it was made of: families, mode."""
    return read_model(path)[0]


def read_model(path: Path) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """What the model was made of, and the weights of its layers by name."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; run `manywalks train`")
    try:
        with zipfile.ZipFile(path) as archive:
            if ABOUT not in archive.namelist():
                raise ValueError(f"{path}: is not an ensemble of manywalks (no {ABOUT} in it)")
            about = json.loads(archive.read(ABOUT))
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
                return _with_families(about), _by_name(weights)
    except (zipfile.BadZipFile, KeyError, OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: is damaged ({error}); delete it and run again") from None


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


def _by_name(weights: h5py.File) -> dict[str, list[np.ndarray]]:
    """The arrays of each layer, by the layer's name."""
    found: dict[str, list[np.ndarray]] = {}

    def look(_: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and "name" in item.attrs:
            found[str(item.attrs["name"])] = [np.asarray(item[str(k)]) for k in range(len(item))]

    weights.visititems(look)
    return found
