"""A storage root that driver and workers both reach: an fsspec URL (s3://bucket/path, file:///shared, …)."""

from uuid import uuid4

import fsspec


def put(root: str, name: str, content: bytes) -> None:
    """Write one object, whole or not at all."""
    system, path = _at(root, name)
    system.makedirs(path.rpartition("/")[0], exist_ok=True)
    if "file" not in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)):
        system.pipe_file(path, content)  # object stores show an object when all of it is there
        return
    half = f"{path}.tmp-{uuid4().hex}"
    system.pipe_file(half, content)
    system.mv(half, path)


def get(root: str, name: str) -> bytes:
    """Read one object; a ValueError says that it is not there."""
    system, path = _at(root, name)
    try:
        return bytes(system.cat_file(path))  # pyright: ignore[reportArgumentType]
    except FileNotFoundError:
        raise ValueError(
            f"{root}: holds no {name}; driver and workers need the same orchestrate.storage"
        ) from None


def names(root: str, folder: str) -> list[str]:
    """Names of the objects in a folder, those being written left out; empty where there is no folder."""
    system, path = _at(root, folder)
    try:
        found = system.ls(path, detail=False, refresh=True)
    except FileNotFoundError:
        return []
    return sorted(one.rpartition("/")[2] for one in found if ".tmp-" not in one)


def remove(root: str, folder: str) -> None:
    """Remove a folder and all in it, where it is there."""
    system, path = _at(root, folder)
    if system.exists(path):
        system.rm(path, recursive=True)


def _at(root: str, name: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system and the path in it."""
    try:
        return fsspec.core.url_to_fs(f"{root.rstrip('/')}/{name}")
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"orchestrate.storage: {root!r} cannot be used ({error}); give an fsspec URL such as "
            "s3://bucket/folder (pip install 'manywalks[s3]') or a folder"
        ) from None
