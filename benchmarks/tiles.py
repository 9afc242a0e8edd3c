"""A hidden kernel's products for one batch of 32: tiles of our own beside BLAS, on one thread.

    python -m benchmarks.tiles

Forward: the batch times the kernel. Back: the gradient below, the kernel's own, and Adam. NumPy's BLAS and
SciPy's (which numba's `np.dot` calls) are two builds; Adam beside them is the compiled loop that the engine
uses for vectors.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

from benchmarks.results import table, write_section
from manywalks.train.dense_engine.adam import adam
from manywalks.train.dense_engine.gather import COLUMNS
from manywalks.train.dense_engine.panels import back_panels, forward_panels, transpose

BATCH, TURNS = 32, 40
KERNELS = ((2048, 1024), (512, 128), (256, 128))
PUSH, NOTHING = np.float32(1e-6), np.float32(0)


@njit(nogil=True)
def dot_forward(a, kernel, z):
    """z = a times kernel, by numba's BLAS."""
    np.dot(a, kernel, z)


@njit(nogil=True)
def dot_back(a, kernel, d, below, g):
    """Both gradients, by numba's BLAS."""
    np.dot(d, kernel.T, below)
    np.dot(a.T, d, g)


def ms(work: Callable[[], object]) -> list[float]:
    """Milliseconds of each transpose, after one that compiles."""
    work()
    found = []
    for _ in range(TURNS):
        start = perf_counter()
        work()
        found.append(1000 * (perf_counter() - start))
    return found


def spread(found: list[float]) -> str:
    """Median (least)."""
    return f"{np.median(found):.3f} ({min(found):.3f})"


def measure(n: int, w: int) -> list[list[str]]:
    """Two rows: forward and back."""
    rng = np.random.default_rng(0)
    a, d = (rng.standard_normal((BATCH, size)).astype(np.float32) for size in (n, w))
    kernel = (0.02 * rng.standard_normal((n, w))).astype(np.float32)
    z, below, g = np.empty_like(d), np.empty_like(a), np.empty_like(kernel)
    m, v = np.zeros(n * w, np.float32), np.zeros(n * w, np.float32)
    panels = np.ascontiguousarray(kernel.reshape(n, w // COLUMNS, COLUMNS).transpose(1, 0, 2)).ravel()
    across, part, turned = np.empty(n * BATCH, np.float32), *np.empty((2, COLUMNS * BATCH), np.float32)
    out, bias = np.empty(n * BATCH, np.float32), np.zeros(w, np.float32)

    def tiles_forward() -> None:
        transpose(a, 0, n, across, BATCH)
        forward_panels(across, BATCH, panels, n, bias, part, z)

    def tiles_back() -> None:
        back_panels(d, panels, m, v, n, across, BATCH, part, turned, out, NOTHING, PUSH, NOTHING)

    def numpy_back() -> None:
        np.matmul(d, kernel.T, out=below)
        np.matmul(a.T, d, out=g)
        adam(kernel.ravel(), m, v, g.ravel(), PUSH, NOTHING)

    def numba_back() -> None:
        dot_back(a, kernel, d, below, g)
        adam(kernel.ravel(), m, v, g.ravel(), PUSH, NOTHING)

    tiles_forward()
    np.testing.assert_allclose(z, a @ kernel, rtol=1e-3, atol=1e-4)
    ways: dict[str, list[Callable[[], object]]] = {
        "forward": [lambda: np.matmul(a, kernel, out=z), lambda: dot_forward(a, kernel, z), tiles_forward],
        "back, with Adam": [numpy_back, numba_back, tiles_back],
    }
    return [[f"{n} x {w}", way, *(spread(ms(work)) for work in works)] for way, works in ways.items()]


def main() -> None:
    """Measure, print, write the section."""
    with threadpool_limits(1, user_api="blas"):
        rows = [row for n, w in KERNELS for row in measure(n, w)]
    header = ["kernel", "ms", "NumPy's BLAS", "numba's BLAS", "tiles"]
    text = (
        f"## Products tile by tile\n\n`python -m benchmarks.tiles`: {BATCH} molecules, one thread, median "
        f"(least) of {TURNS} turns.\n\n{table(header, rows)}"
    )
    print(text)
    write_section("tiles", text)


if __name__ == "__main__":
    main()
