"""Compiled programs are kept for the next process: with the user's caches, or nowhere of note."""

import hashlib
import os
import tempfile
from pathlib import Path

import llvmlite.binding as llvm

# Compiling anything else is sooner done than read.
LEAST_SECONDS = 0.5
# About a thousand programs; those that were used long ago make room. With a limit, JAX also locks the folder,
# so that no process reads what another is still writing.
MOST_BYTES = 2**28


def keep_programs() -> None:
    """Let JAX keep what it compiles; it names each program after its content and the versions."""
    import jax

    asked = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if not asked:
        jax.config.update("jax_compilation_cache_dir", str(folder()))
        jax.config.update("jax_compilation_cache_max_size", MOST_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_SECONDS)


def folder() -> Path:
    """A folder that can be written.

    Each kind of processor has its own: machines that share a home may not know each other's instructions.
    """
    own = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    wanted = base / "manywalks" / "jax" / hashlib.sha256(own.encode()).hexdigest()[:8]
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError:  # a container whose home may not be written
        return Path(tempfile.gettempdir()) / f"manywalks-jax-{os.getuid()}"
    return wanted
