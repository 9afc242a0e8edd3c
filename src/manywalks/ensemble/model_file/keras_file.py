"""Write a Keras model to a file: the same model gives the same bytes in any process at any time."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manywalks import files

if TYPE_CHECKING:
    import keras

# member of the .keras archive that says what the stack was made of; Keras passes over it
ABOUT = "manywalks.json"
# bytes that are copied at a time
PIECE = 1 << 20


def save_keras(model: "keras.Model", path: Path, *, about: dict[str, Any] | None = None) -> None:
    """Write a .keras file.

    Args:
        model: any Keras model.
        path: ends with .keras.
        about: what `keras_stack.describe` gave; StackedPredictor needs it.
    """
    with files.atomic_path(path) as temporary:
        raw = temporary.with_name(f"{temporary.stem}-raw{temporary.suffix}")
        try:
            model.save(raw)
            _make_canonical(raw, temporary, about)
        finally:
            raw.unlink(missing_ok=True)


def _make_canonical(source: Path, target: Path, about: dict[str, Any] | None) -> None:
    """Copy a .keras archive without the times and memory addresses that Keras writes into it."""
    with zipfile.ZipFile(source) as one, zipfile.ZipFile(target, "w") as other:
        for name in sorted(one.namelist()):
            if name == "metadata.json":
                metadata = json.loads(one.read(name))
                other.writestr(_member(name), json.dumps({**metadata, "date_saved": "1980-01-01@00:00:00"}))
            elif name == "config.json":
                other.writestr(_member(name), _renumbered(one.read(name)))
            else:  # the weights, as large as memory may be: piece by piece
                with one.open(name) as content, other.open(_member(name, one.getinfo(name)), "w") as copy:
                    shutil.copyfileobj(content, copy, PIECE)
        if about is not None:
            other.writestr(_member(ABOUT), json.dumps(about))


def _member(name: str, of: zipfile.ZipInfo | None = None) -> zipfile.ZipInfo:
    """A member with a fixed time and mode, stored, so that weights can be read in place."""
    made = zipfile.ZipInfo(name)
    made.file_size = 0 if of is None else of.file_size  # decides whether the archive needs 64 bits
    return made


def _renumbered(config: bytes) -> bytes:
    """The config with shared objects numbered in the order they come, in place of memory addresses."""
    content = json.loads(config)
    numbers: dict[int, int] = {}
    for node in _objects(content):
        if "shared_object_id" in node:
            address = node["shared_object_id"]
            node["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
    return json.dumps(content).encode()


def _objects(content: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in it, outer ones first."""
    if isinstance(content, dict):
        yield content
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _objects(part)
