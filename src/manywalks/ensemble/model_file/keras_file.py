"""Write a Keras model to a file: the same model gives the same bytes in any process at any time."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manywalks import files

if TYPE_CHECKING:
    import keras

# member of the .keras archive that says what the stack was made of; Keras passes over it
ABOUT = "manywalks.json"


def save_keras(model: "keras.Model", path: Path, *, about: dict[str, Any] | None = None) -> None:
    """Write a .keras file.

    Args:
        model: any Keras model.
        path: ends with .keras.
        about: what `keras_stack.describe` gave; StackedPredictor needs it.
    """
    with files.atomic_path(path) as temporary:
        model.save(temporary)
        temporary.write_bytes(_canonical(temporary.read_bytes(), about))


def _canonical(archive: bytes, about: dict[str, Any] | None) -> bytes:
    """A .keras archive without the times and memory addresses that Keras writes into it."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(written, "w") as target:
        members = {name: source.read(name) for name in sorted(source.namelist())}
        metadata = json.loads(members["metadata.json"])
        members["metadata.json"] = json.dumps({**metadata, "date_saved": "1980-01-01@00:00:00"}).encode()
        members["config.json"] = _renumbered(members["config.json"])
        if about is not None:
            members[ABOUT] = json.dumps(about).encode()
        for name, content in members.items():
            # a ZipInfo of its own: fixed time and mode, stored, so that weights can be read in place
            target.writestr(zipfile.ZipInfo(name), content)
    return written.getvalue()


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
