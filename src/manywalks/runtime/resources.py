"""How much of the machine a run may use."""

import contextlib
import os
import resource
from pathlib import Path

from manywalks.workspace import Workspace

# A pack's process on its own: Python, NumPy, SciPy, Numba's compiler (measured: 0.35 GB), with room.
PROCESS_BYTES = 500 * 2**20
# Features as read, scaled, as rows of the train subset, and the engine's layout of them.
FEATURES_TIMES = 4
NO_DASK = (
    "orchestrate.runner: dask is not installed; pip install 'manywalks[dask]' (in a checkout: "
    "pip install '.[dask]')"
)


def cores_of(workspace: Workspace) -> int:
    """Cores that the run may use: those that its parameters ask for, or all that there are."""
    return usable_cores(workspace.params.orchestrate.cores)


def usable_cores(asked: int | None = None) -> int:
    """Cores that may be used: those asked for, at most those this process may run on."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(asked or allowed, allowed)


def processes_of(workspace: Workspace) -> int:
    """Packs that may run side by side: one per core, as far as memory goes, and at least one."""
    size = workspace.features.stat().st_size if workspace.features.is_file() else 0
    return fitting(cores_of(workspace), free_bytes(), PROCESS_BYTES + FEATURES_TIMES * size)


def fitting(cores: int, free: int | None, each: int) -> int:
    """Processes of `each` bytes that `cores` and `free` bytes have room for, one at least."""
    return cores if free is None else max(1, min(cores, free // each))


def free_bytes() -> int | None:
    """Memory that may be taken now, None where the system does not say (it is not Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    known = dict(line.split(":", 1) for line in lines)
    free = int(known["MemAvailable"].split()[0]) * 1024
    limit, used = (_number(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))
    return free if limit is None or used is None else min(free, max(0, limit - used))


def peak_bytes() -> int:
    """The largest memory that this process has taken since it began, or since `forget_peak`.

    Not ru_maxrss, which a process takes over from the one that started it.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def forget_peak() -> None:
    """Let `peak_bytes` count from now on, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _number(path: Path) -> int | None:
    """A number in a file; None where there is no file or no number ("max")."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def allowed_threads() -> int:
    """Threads this process may use, as whoever started it said."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))
