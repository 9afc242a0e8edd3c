"""Code that numba compiles at first use: one process compiles it, and the others wait for what it keeps."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def compiled_once(name: str) -> Iterator[None]:
    """Around a first call of what `name` stands for: of several processes one is in it, until it is compiled.

    Two workers that compile the same take the processor time of two (28 s each).
    """
    folder = Path(os.environ["NUMBA_CACHE_DIR"])  # of this content of the compiled files (manywalks/__init__)
    done = folder / f"{name}.done"
    if done.exists() or not _is_made(folder):
        yield
        return
    from filelock import FileLock  # 20 ms, which no later process needs

    with FileLock(folder / f"{name}.lock"):
        yield
        done.touch()


def is_compiled(name: str) -> bool:
    """Whether what `name` stands for, words with - between them, was compiled before, perhaps with more."""
    done = Path(os.environ["NUMBA_CACHE_DIR"]).glob("*.done")
    return any(set(name.split("-")) <= set(one.stem.split("-")) for one in done)


def _is_made(folder: Path) -> bool:
    """Whether a folder is there, now at least, and can be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
