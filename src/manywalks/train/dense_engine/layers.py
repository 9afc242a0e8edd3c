"""A hidden layer's elementwise parts, compiled: activation, dropout, normalization, and the losses.

Each works in place on float32 (b, width) and leaves behind what its way back needs.
"""

import math

import numpy as np
from numba import njit

from manywalks.train.dense_engine.adam import FAST
from manywalks.train.weights import BATCH_MOMENTUM, NORMALIZATION_EPSILON

ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "elu", "selu", "softplus")
NORMALIZATIONS = ("none", "layer", "batch")
LOSSES = ("mse", "huber", "cross_entropy")
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _exp(x):
    """exp in float32, within 2e-7 relative; unlike libm's it vectorises (8 times faster)."""
    x = min(max(x, np.float32(-87)), np.float32(88))
    n = np.float32(np.floor(x * np.float32(1.44269504) + np.float32(0.5)))
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    y = np.float32(1.9875691500e-4)
    y = y * r + np.float32(1.3981999507e-3)
    y = y * r + np.float32(8.3334519073e-3)
    y = y * r + np.float32(4.1665795894e-2)
    y = y * r + np.float32(1.6666665459e-1)
    y = y * r + np.float32(5.0000001201e-1)
    y = y * r * r + r + np.float32(1)
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23))
    return y * power.view(np.float32)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _erf(x):
    """erf in float32, within 2e-7 (Abramowitz and Stegun 7.1.26, fitted error 1.5e-7)."""
    a = abs(x)
    t = np.float32(1) / (np.float32(1) + np.float32(0.3275911) * a)
    y = np.float32(1.061405429) * t + np.float32(-1.453152027)
    y = y * t + np.float32(1.421413741)
    y = y * t + np.float32(-0.284496736)
    y = y * t + np.float32(0.254829592)
    y = np.float32(1) - y * t * _exp(-a * a)
    return y if x >= 0 else -y


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def activate(kind, z, slope):
    """z -> activation(z) in place, its derivative into slope; both flat."""
    one, zero = np.float32(1), np.float32(0)
    if kind == 0:
        for i in range(z.size):
            slope[i] = one if z[i] > zero else zero
            # not max(): a NaN must stay one
            z[i] = zero if z[i] <= zero else z[i]
    elif kind == 1:
        for i in range(z.size):
            x = z[i]
            p = np.float32(0.5) * (one + _erf(x * np.float32(0.7071067811865476)))
            slope[i] = p + x * np.float32(0.3989422804014327) * _exp(np.float32(-0.5) * x * x)
            z[i] = x * p
    elif kind == 2:
        for i in range(z.size):
            p = one / (one + _exp(-z[i]))
            slope[i] = p * (one + z[i] * (one - p))
            z[i] *= p
    elif kind == 3:
        for i in range(z.size):
            # through exp(-2|z|): no loss of figures but near 0, where a polynomial is used
            x = abs(z[i])
            e = _exp(np.float32(-2) * x)
            y = (one - e) / (one + e)
            s = x * x
            small = x * (one + s * (np.float32(-1 / 3) + s * (np.float32(2 / 15) - s * np.float32(17 / 315))))
            y = small if x < np.float32(0.15) else y
            slope[i] = one - y * y
            z[i] = y if z[i] >= zero else -y
    elif kind == 4 or kind == 5:
        scale = np.float32(SELU_SCALE) if kind == 5 else one
        alpha = np.float32(SELU_ALPHA) if kind == 5 else one
        for i in range(z.size):
            e = scale * alpha * _exp(min(z[i], zero))
            slope[i] = scale if z[i] > zero else e
            z[i] = scale * z[i] if z[i] > zero else e - scale * alpha
    else:
        for i in range(z.size):
            x = z[i]
            slope[i] = one / (one + _exp(-x))
            z[i] = max(x, zero) + np.log1p(_exp(-abs(x)))


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def drop(a, slope, rate, key, counter):
    """Dropout in place on activations and slopes, both flat; returns the counter for the next call.

    The numbers are SplitMix64's, which counts instead of carrying a state and so vectorises;
    each gives the draws of two units.
    """
    threshold = np.uint64(rate * 4294967296.0)
    scale = np.float32(1.0 / (1.0 - rate))
    half = (a.size + 1) // 2
    for i in range(half):
        x = key + (counter + np.uint64(i)) * GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
        keep = scale if (x & np.uint64(0xFFFFFFFF)) >= threshold else np.float32(0)
        a[i] *= keep
        slope[i] *= keep
        # the middle unit of an odd number would be drawn twice
        if half + i < a.size:
            keep = scale if (x >> np.uint64(32)) >= threshold else np.float32(0)
            a[half + i] *= keep
            slope[half + i] *= keep
    return counter + np.uint64(half)


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def normalize_layer(z, xhat, inverse, gamma, beta):
    """Layer normalization of z (b, w) in place; xhat (b, w) and inverse (b,) are kept for the way back."""
    w = np.float32(z.shape[1])
    for i in range(z.shape[0]):
        mean, variance = np.float32(0), np.float32(0)
        for j in range(z.shape[1]):
            mean += z[i, j]
        mean /= w
        for j in range(z.shape[1]):
            variance += (z[i, j] - mean) * (z[i, j] - mean)
        inverse[i] = np.float32(1) / np.sqrt(variance / w + np.float32(NORMALIZATION_EPSILON))
        for j in range(z.shape[1]):
            xhat[i, j] = (z[i, j] - mean) * inverse[i]
            z[i, j] = xhat[i, j] * gamma[j] + beta[j]


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def normalize_layer_back(d, xhat, inverse, gamma):
    """Gradient of the loss by the output (b, w) -> by the input, in place."""
    w = np.float32(d.shape[1])
    for i in range(d.shape[0]):
        total, along = np.float32(0), np.float32(0)
        for j in range(d.shape[1]):
            total += d[i, j] * gamma[j]
            along += d[i, j] * gamma[j] * xhat[i, j]
        total /= w
        along /= w
        for j in range(d.shape[1]):
            d[i, j] = (d[i, j] * gamma[j] - total - xhat[i, j] * along) * inverse[i]


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def batch_moments(z, mean, variance):
    """Mean and (biased) variance of each column of z (b, w)."""
    b = np.float32(z.shape[0])
    mean[:] = 0
    variance[:] = 0
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            mean[j] += z[i, j]
    for j in range(z.shape[1]):
        mean[j] /= b
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            variance[j] += (z[i, j] - mean[j]) * (z[i, j] - mean[j])
    for j in range(z.shape[1]):
        variance[j] /= b


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def normalize_batch(z, xhat, inverse, mean, variance, gamma, beta):
    """Batch normalization of z (b, w) in place by the given moments; xhat and inverse (w,) are kept."""
    for j in range(z.shape[1]):
        inverse[j] = np.float32(1) / np.sqrt(variance[j] + np.float32(NORMALIZATION_EPSILON))
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            xhat[i, j] = (z[i, j] - mean[j]) * inverse[j]
            z[i, j] = xhat[i, j] * gamma[j] + beta[j]


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def normalize_batch_back(d, xhat, inverse, gamma, g_gamma, g_beta):
    """Gradient by the output (b, w) -> by the input, in place, given those of gamma and beta (w,)."""
    b = np.float32(d.shape[0])
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            centred = d[i, j] - (g_beta[j] + xhat[i, j] * g_gamma[j]) / b
            d[i, j] = centred * gamma[j] * inverse[j]


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def move_towards(moving, new):
    """A moving average of Keras's BatchNormalization, in place."""
    for j in range(moving.size):
        moving[j] = moving[j] * np.float32(BATCH_MOMENTUM) + new[j] * np.float32(1 - BATCH_MOMENTUM)


@njit(nogil=True, error_model="numpy", cache=True)
def loss_and_slope(kind, side, z, y):
    """Loss of one prediction z and its derivative; side 1: the truth is above y, -1: below, 0: y itself."""
    if kind == 2:
        e = math.exp(-abs(z))
        p = 1.0 / (1.0 + e) if z >= 0 else e / (1.0 + e)
        return max(z, 0.0) - z * y + math.log1p(e), p - y
    error = z - y
    if error * side > 0:
        return 0.0, 0.0
    if kind == 1 and abs(error) > 1:
        return abs(error) - 0.5, math.copysign(1.0, error)
    if kind == 1:
        return 0.5 * error * error, error
    return error * error, 2 * error
