"""Numbers as people read them."""

import math

import numpy as np


def number(value: float, digits: int = 6, *, keep_zeros: bool = False) -> str:
    """A number as a person writes it, with a true minus sign."""
    text = f"{value:#.{digits}g}".rstrip(".") if keep_zeros else f"{value:.{digits}g}"
    return text.replace("-", "\u2212")


def two_digits(value: float) -> str:
    """Two significant digits, without an exponent where that stays readable: 0.087, 1.2, 340."""
    return _digits(value, 2)


def told_apart(value: float, limit: float) -> tuple[str, str]:
    """Both with as many digits as it takes to see which is larger: 1.04 and 1, not 1 and 1."""
    for digits in range(2, 18):
        one, other = _digits(value, digits), _digits(limit, digits)
        if float(one) != float(other):
            break
    else:
        return two_digits(value), two_digits(limit)
    return one, two_digits(limit) if float(two_digits(limit)) == limit else other


def count(number: int, noun: str) -> str:
    """A count with its noun: 1 molecule, 2 molecules, 1,283 molecules."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _digits(value: float, digits: int) -> str:
    """So many significant digits, without an exponent where that stays readable."""
    text = f"{value:.{digits}g}"
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


def duration(seconds: float) -> str:
    """A time in the unit that suits it: 24 seconds, 3.5 minutes, 1.2 hours."""
    if round(seconds) < 60:
        return count(round(seconds), "second")
    value, unit = (seconds / 60, "minutes") if seconds < 3600 else (seconds / 3600, "hours")
    return f"{value:.1f} {unit}"
