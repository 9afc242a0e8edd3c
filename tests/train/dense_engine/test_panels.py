"""Products over panels of 64 columns against NumPy's, at sizes that fill tiles and sizes that do not."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding

from manywalks.train.dense_engine.adam import adam
from manywalks.train.dense_engine.gather import COLUMNS
from manywalks.train.dense_engine.layout import _from_panels, _to_panels
from manywalks.train.dense_engine.panels import back_panels, forward_panels, transpose, transpose_times

CAPACITY = 64
SIZES = [(1, 1, 1), (5, 9, 64), (32, 128, 65), (33, 200, 130), (64, 300, 20), (7, 8, 200)]


def filled(rows: int) -> int:
    return -(-rows // 8) * 8


def drawn(b: int, n: int, w: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Activations (b, n), kernel (n, w), gradient (b, w), and the activations turned round and filled up."""
    rng = np.random.default_rng(b + n + w)
    a, kernel, d = (rng.standard_normal(size).astype(np.float32) for size in ((b, n), (n, w), (b, w)))
    across = np.zeros(filled(n) * CAPACITY, np.float32)
    transpose(a, 0, n, across, CAPACITY)
    return a, kernel, d, across


def scratch() -> np.ndarray:
    return np.full(COLUMNS * CAPACITY, np.nan, np.float32)


@pytest.mark.parametrize(("b", "n", "w"), SIZES)
def test_forward_is_the_product_plus_bias(b: int, n: int, w: int) -> None:
    a, kernel, d, across = drawn(b, n, w)
    z, panels = np.empty((b, w), np.float32), _to_panels(kernel, filled(n)).ravel()
    forward_panels(across, CAPACITY, panels, filled(n), d[0], scratch(), z)
    np.testing.assert_allclose(z, a.astype(np.float64) @ kernel + d[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("penalty", [0.0, 0.5])
@pytest.mark.parametrize(("b", "n", "w"), SIZES)
def test_back_is_the_product_with_the_old_kernel_and_then_adam(
    b: int, n: int, w: int, penalty: float
) -> None:
    a, kernel, d, across = drawn(b, n, w)
    panels = _to_panels(kernel, filled(n))
    p, m, v = panels.ravel(), np.full(panels.size, 0.1, np.float32), np.full(panels.size, 0.2, np.float32)
    below, slope = np.full(filled(n) * CAPACITY, np.nan, np.float32), np.linspace(0.5, 2, b * n, dtype="f4")
    step_size, decay = np.float32(0.01), np.float32(0.001)
    back_panels(
        d, p, m, v, filled(n), across, CAPACITY, scratch(), scratch(), below,
        np.float32(penalty), step_size, decay,
    )  # fmt: skip
    out = np.empty((b, n), np.float32)
    transpose_times(below, CAPACITY, slope.reshape(b, n), out)
    expected = (d.astype(np.float64) @ kernel.T) * slope.reshape(b, n)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)

    slow = kernel.ravel().copy(), np.full(n * w, 0.1, np.float32), np.full(n * w, 0.2, np.float32)
    adam(*slow, (a.T @ d + np.float32(penalty) * kernel).ravel(), step_size, decay)
    for ours, by_loop in zip((p, m, v), slow, strict=True):
        back = _from_panels(ours.reshape(panels.shape), (n, w))
        np.testing.assert_allclose(back, by_loop.reshape(n, w), rtol=1e-4, atol=1e-5)


def test_what_fills_a_panel_up_stays_zero() -> None:
    _, kernel, d, across = drawn(5, 9, 70)
    panels = _to_panels(kernel, 16)
    p, m, v = panels.ravel(), np.zeros(panels.size, np.float32), np.zeros(panels.size, np.float32)
    back_panels(
        d, p, m, v, 16, across, CAPACITY, scratch(), scratch(), np.empty(0, np.float32),
        np.float32(0.5), np.float32(0.01), np.float32(0.001),
    )  # fmt: skip
    rest = p.reshape(panels.shape).copy()
    rest[:, :9, :][0], rest[1, :9, :6] = 0, 0
    np.testing.assert_array_equal(rest, 0)


def test_narrow_registers_will_do(tmp_path: Path) -> None:
    features = binding.get_host_cpu_features()
    if not features.get("avx512f"):
        pytest.skip("this processor's registers are narrow: the tests above are on them")
    narrow = {name: has and "avx512" not in name for name, has in features.items()}
    asked = ",".join(f"{'+' if has else '-'}{name}" for name, has in narrow.items())
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": "x86-64-v3",
        "NUMBA_CPU_FEATURES": asked,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    code = (
        "import sys, pytest\nfrom manywalks.train.dense_engine.tiles import TILE\nassert TILE == 16\n"
        "sys.exit(pytest.main(['-p', 'no:cacheprovider', '-k', 'not narrow', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, __file__], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
