"""Adam and AdamW as Keras computes them, compiled, with the steps that a row sat out folded into one.

Keras 3 (`Adam.update_step`, `_apply_weight_decay`), at step t with learning rate r_t and decay w:
    p -= w r_t p;  m += (1 - b1)(g - m);  v += (1 - b2)(g^2 - v);  p -= a_t m / (sqrt(v) + epsilon)
where a_t = r_t sqrt(1 - b2^t) / (1 - b1^t). The decay falls on every weight, biases included.

A first-layer row whose feature no molecule of the batch has gets no gradient, but still moves. Over k such
steps m shrinks by b1^k and v by b2^k, so u = m / (sqrt(v) + epsilon) shrinks by q = b1 / sqrt(b2) a step and
    p -> (1 - shrink_k) p - push_k u,
with step_size and decay known beforehand for all rows. The data order is known too, so a row takes its step
and those it will sit out afterwards at once: it is read and written only when it is used. This is exact but
for epsilon, which shrinks with sqrt(v) (by 3 % over 64 steps; epsilon is 1e-7).
"""

import numpy as np
from numba import njit

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7
TINY = np.float32(1e-30)
# No "nnan" or "ninf": a diverged replicate must be seen. error_model="numpy" leaves out the test for
# division by zero, without which Adam does not vectorise (5 times slower).
FAST = {"reassoc", "contract", "arcp", "nsz"}


def step_sizes(rates: np.ndarray) -> np.ndarray:
    """a_t for each step's learning rate, float64 (steps,)."""
    t = np.arange(1, len(rates) + 1)
    return rates * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def adam(p, m, v, g, step_size, decay):
    """One step of flat weights p with gradient g, in place: p -= decay p + step_size u."""
    c1, c2, epsilon = np.float32(1 - BETA_1), np.float32(1 - BETA_2), np.float32(EPSILON)
    for i in range(p.size):
        m_i = m[i] + (g[i] - m[i]) * c1
        v_i = v[i] + (g[i] * g[i] - v[i]) * c2
        m[i] = m_i
        v[i] = v_i
        p[i] -= decay * p[i] + step_size * m_i / (np.sqrt(v_i) + epsilon)


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def skip_steps(p, m, v, step_size, decay, fade_1, fade_2):
    """Only steps without a gradient."""
    epsilon = np.float32(EPSILON)
    for i in range(p.size):
        p[i] -= decay * p[i] + step_size * m[i] / (np.sqrt(v[i]) + epsilon)
        # a denormal m would slow every later step down
        m[i] = m[i] * fade_1 if abs(m[i]) > TINY else np.float32(0)
        v[i] *= fade_2


@njit(nogil=True, cache=True)
def steps_ahead(sizes, decays, s, step_size, decay):
    """Fill step_size[k], decay[k]: step s of a window and the k steps after it, for every k that fits.

    Args:
        sizes: a_t of the window's steps, float64.
        decays: w r_t of the window's steps, float64.
        s: the step with a gradient; -1 for none, then entry k holds the first k steps of the window.
        step_size: float32, filled.
        decay: float32, filled.
    """
    total, kept, q = 0.0, 1.0, 1.0
    if s >= 0:
        total, kept = sizes[s], 1.0 - decays[s]
    step_size[0], decay[0] = total, 1.0 - kept
    for k in range(1, sizes.size - s):
        q *= BETA_1 / np.sqrt(BETA_2)
        total = total * (1.0 - decays[s + k]) + sizes[s + k] * q
        kept *= 1.0 - decays[s + k]
        step_size[k], decay[k] = total, 1.0 - kept
