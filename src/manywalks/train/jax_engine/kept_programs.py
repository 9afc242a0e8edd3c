"""Where compiled programs are kept for the next process: with the user's caches, or nowhere of note."""

import os
import tempfile
from pathlib import Path


def folder() -> Path:
    """A folder that can be written; JAX names each program in it after its content and the versions."""
    asked = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if asked:
        return Path(asked)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    wanted = base / "manywalks" / "jax"
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError:  # a container whose home may not be written
        return Path(tempfile.gettempdir()) / f"manywalks-jax-{os.getuid()}"
    return wanted
