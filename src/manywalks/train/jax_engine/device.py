"""The accelerators that there are, and how much memory the one in use has left."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from manywalks.runtime.resources import free_bytes

# Names the device that a worker uses, by its number.
DEVICE = "MANYWALKS_DEVICE"
# Between two looks for a device that is free.
WAIT_S = 0.5
# Where a processor trains (tests, and who asks for the engine by name), so much is taken for free.
UNKNOWN_BYTES = 2**31
PROBE = "import jax; print(*(d.device_kind for d in jax.devices() if d.platform != 'cpu'), sep='\\n')"
SIGNS = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/accel0", "/dev/vfio/0", "/dev/dxg")


@cache
def accelerators() -> tuple[str, ...]:
    """Names of the accelerators that JAX sees, such as "NVIDIA H100 80GB HBM3".

    Asked in a process of its own, since JAX takes a device's memory in the process that asks.
    """
    if os.environ.get("JAX_PLATFORMS") == "cpu":
        return ()
    # starting JAX takes seconds: not where the system has no device that it could see
    if not any(Path(sign).exists() for sign in SIGNS):
        return ()
    asked = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return tuple(asked.stdout.splitlines()) if asked.returncode == 0 else ()


@contextmanager
def one_device() -> Iterator[int]:
    """The number of a device that no other pack of this user uses; waits until there is one."""
    count = max(1, len(accelerators()))
    if count == 1:
        yield 0
        return
    folder = Path(tempfile.gettempdir()) / f"manywalks-devices-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    while True:
        for number in range(count):
            lock = FileLock(folder / str(number), timeout=0)
            try:
                lock.acquire()
            except Timeout:
                continue
            with lock:
                yield number
            return
        time.sleep(WAIT_S)


def free_memory() -> int:
    """Bytes that this process may still take of the device that JAX uses."""
    import jax

    # where the default device puts it
    known = next(iter(jax.numpy.zeros(1).devices())).memory_stats()
    if known and "bytes_limit" in known:
        return known["bytes_limit"] - known["bytes_in_use"]
    return (free_bytes() or UNKNOWN_BYTES) // 2
