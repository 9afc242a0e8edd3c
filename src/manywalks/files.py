"""The only file access: whole files or none, and a checksum for each."""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well.

    A reader sees the former file or the whole new one. What fails leaves the former one as it was.
    The temporary name keeps the suffix, since writers choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
    except OSError as error:  # read-only, no room: it is the file that the user knows, not the temporary one
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes files for the owner alone; outputs follow the user's umask
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if error.filename is not None and error.filename != name:
            raise
        # a full disk is told without a name, or with the temporary one's: say which file could not be written
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask (it can only be read by setting it)."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file or none."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a whole UTF-8 text file or none."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write JSON, sorted as given, without NaN (JSON has none: say null)."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; a ValueError names the file when it is not there or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; run the step that makes it") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: is damaged ({error}); make it again, or copy it again") from None


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as an uncompressed .npz; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(arrays))  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as one .npz, whole or not at all."""
    write_bytes(path, npz_bytes(arrays))


def read_npz(path: Path, *, only: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz, all or those named; a ValueError names a missing or damaged file."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
            return {name: archive[name] for name in only or archive.files}
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; run the step that makes it") from None
    except Exception as error:  # zipfile, zlib and NumPy each have their own for a damaged archive
        raise ValueError(f"{path}: is damaged ({error}); delete it and run again") from None


def md5_file(path: Path) -> str:
    """MD5 of a file's content, as hexadecimal (DVC's own rule for a file)."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal; the content is not held in memory."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of bytes, as hexadecimal."""
    return hashlib.sha256(content).hexdigest()
