"""Numbers as people read them."""

import math

import numpy as np


def number(value: float, digits: int = 6, *, keep_zeros: bool = False) -> str:
    """A number as a person writes it, with a true minus sign."""
    text = f"{value:#.{digits}g}".rstrip(".") if keep_zeros else f"{value:.{digits}g}"
    return text.replace("-", "\u2212")


def two_digits(value: float) -> str:
    """Two significant digits, without an exponent where that stays readable: 0.087, 1.2, 340."""
    text = f"{value:.2g}"
    return f"{value:.0f}" if "e+" in text else text


def short(value: float | None, digits: int = 3) -> str:
    """A few significant digits, zeros at the end among them; a dash where there is no value."""
    if value is None or not np.isfinite(value):
        return "–"
    if abs(value) >= 10**digits or value == 0:
        return number(round(float(value)))
    return number(float(value), digits, keep_zeros=True)


def with_error(value: float, error: float) -> str:
    """A value and its error, both to the error's second figure, four decimals at most."""
    if not (math.isfinite(error) and error > 0):
        return f"{value:.4f}"
    digits = min(4, max(0, 1 - math.floor(math.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def percent(value: float | None, digits: int = 0) -> str:
    """A share in percent; a dash where there is no value."""
    return "–" if value is None else f"{100 * value:.{digits}f}\u00a0%"


def whole(value: float) -> str:
    """A count with thin spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f")
