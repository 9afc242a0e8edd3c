"""Units of measurement: a table you can see whole, and the conversion between any two that agree.

A unit is a factor of a base (mol/L, g/L, a fraction), or the logarithm of one: `log10 uM`, `-log10 M`.
Amount and mass concentrations convert into each other through the molecule's molar mass. A unit that the
table does not list converts to itself and to its own logarithm alone.
"""

import re
from dataclasses import dataclass

import numpy as np

# symbol -> (dimension, size in the dimension's base: mol/L, g/L, a fraction of 1)
UNITS = {
    "M": ("amount", 1.0), "mM": ("amount", 1e-3), "uM": ("amount", 1e-6),
    "nM": ("amount", 1e-9), "pM": ("amount", 1e-12), "fM": ("amount", 1e-15),
    "mol/L": ("amount", 1.0), "mmol/L": ("amount", 1e-3), "umol/L": ("amount", 1e-6),
    "nmol/L": ("amount", 1e-9), "pmol/L": ("amount", 1e-12), "mol/m3": ("amount", 1e-3),
    "g/L": ("mass", 1.0), "mg/L": ("mass", 1e-3), "ug/L": ("mass", 1e-6), "ng/L": ("mass", 1e-9),
    "g/mL": ("mass", 1e3), "mg/mL": ("mass", 1.0), "ug/mL": ("mass", 1e-3), "ng/mL": ("mass", 1e-6),
    "pg/mL": ("mass", 1e-9), "ng/uL": ("mass", 1e-3), "ug/uL": ("mass", 1.0), "mg/dL": ("mass", 1e-2),
    "%": ("fraction", 1e-2), "percent": ("fraction", 1e-2), "fraction": ("fraction", 1.0),
    "ppm": ("fraction", 1e-6),
}  # fmt: skip
LOGARITHMS = {"log10": 1, "log": 1, "-log10": -1, "-log": -1}
# what people write for amounts and masses that the table does not list
_LIKE_AN_AMOUNT = re.compile(
    r"([numpfk]|nano|micro|milli|pico|femto|kilo)?[ -]?(mol|moles?|molar|M|g|grams?)(\s*[/ ](?!.*log).*)?",
    re.IGNORECASE,
)
# names for a negative logarithm of mol/L that assay tables use as if they were units
P_NAMES = ("pIC50", "pEC50", "pKi", "pKd", "pKB", "pXC50", "pAC50", "pChEMBL", "pA2", "pPotency")
# hardly an assay measures potencies over 10 mM or under 1 pM: then a quarter of the values tells a wrong unit
WEAKEST, STRONGEST = 2.0, 12.0


@dataclass(frozen=True)
class Unit:
    """A unit: `sign` 0 is linear, 1 log10 of it, -1 its negative; `size` in the dimension's base."""

    dimension: str
    size: float
    sign: int = 0


def parse_unit(text: str) -> Unit | None:
    """The unit that a cell or a parameter names; None where the table does not know it."""
    text = _plain(text)
    if text.lower() in {name.lower() for name in P_NAMES}:
        return Unit("amount", 1.0, -1)
    sign, text = _parts(text)
    factor = 1.0
    if match := re.fullmatch(r"10\^?(-?\d+)\s*([A-Za-z%].*)", text):  # ChEMBL writes 10^3nM
        factor, text = 10.0 ** int(match.group(1)), match.group(2)
    known = _lookup(text)
    return None if known is None else Unit(known[0], factor * known[1], sign)


def _parts(text: str) -> tuple[int, str]:
    """The sign of the logarithm that a text names (0 where it names none), and what it is taken of."""
    if match := re.fullmatch(r"(-?log(?:10)?)[ (]+([^()]+)\)?", text, flags=re.IGNORECASE):
        return LOGARITHMS[match.group(1).lower()], match.group(2).strip()
    return 0, text


def _unit(text: str) -> Unit:
    """The unit that a text names; one that the table does not list is a dimension of its own."""
    sign, symbol = _parts(_plain(text))
    return parse_unit(text) or Unit(f"unlisted {symbol}", 1.0, sign)


def is_unit(text: str) -> bool:
    """Whether a text surely names a unit: the table lists it, or it is a logarithm (logS is a mere label)."""
    return parse_unit(text) is not None or _parts(_plain(text))[0] != 0


def is_logarithm(text: str) -> bool:
    """Whether a text names a logarithm: log10 uM, pIC50."""
    known = parse_unit(text)
    return (known is not None and known.sign != 0) or _parts(_plain(text))[0] != 0


def is_linear(text: str) -> bool:
    """Whether a text names an amount or a mass, and no logarithm of one; in any spelling (nmol)."""
    known = parse_unit(text)
    return known.sign == 0 if known else _LIKE_AN_AMOUNT.fullmatch(_plain(text)) is not None


def unlike_potencies(unit: str, q1: float, q3: float) -> str:
    """What speaks against values in a unit such as pIC50 with the quartiles q1 and q3; "" if nothing does."""
    if _plain(unit).lower() not in {name.lower() for name in P_NAMES}:
        return ""
    if q1 < WEAKEST:
        return f"a quarter of the values are {q1:.2g} or less, which is {10 ** (3 - q1):,.0f} mM or more"
    if q3 > STRONGEST:
        return f"a quarter of the values are {q3:.2g} or more, which is {10 ** (12 - q3):.2g} pM or less"
    return ""


def inside_log10(text: str) -> str:
    """What the unit is the log10 of: "log10 uM" -> "uM"; "" where it is no such logarithm."""
    sign, symbol = _parts(_plain(text))
    return symbol if sign == 1 else ""


def _plain(text: str) -> str:
    """One way of writing: u for micro, / for "per", L for litre in any case of the letter."""
    text = " ".join(text.strip().replace("µ", "u").replace("μ", "u").split())
    text = re.sub(r"[ .·]?([mu]?)l(?:\^)?-1\b", r"/\1L", text, flags=re.IGNORECASE)
    return re.sub(r"/([mud]?)l\b", r"/\1L", text)


def _lookup(symbol: str) -> tuple[str, float] | None:
    """A symbol's row of the table; case counts, since mM and MM or pM and PM are not the same."""
    return UNITS.get(symbol)


def same_unit(one: str, other: str) -> bool:
    """Whether two texts name one unit, known to the table or not."""
    return _unit(one) == _unit(other)


def convertible(source: str, target: str) -> bool:
    """Whether values in `source` can become values in `target` (by molar mass where need be)."""
    one, other = _unit(source).dimension, _unit(target).dimension
    return one == other or {one, other} == {"amount", "mass"}


def needs_mass(source: str, target: str) -> bool:
    """Whether the conversion takes the molecule's molar mass."""
    return {_unit(source).dimension, _unit(target).dimension} == {"amount", "mass"}


def flips(source: str, target: str) -> bool:
    """Whether larger values become smaller ones: a bound from above is then one from below."""
    return (_unit(source).sign or 1) != (_unit(target).sign or 1)


def convert(
    values: np.ndarray,
    source: str,
    target: str,
    *,
    molar_mass: np.ndarray | float = np.nan,
    offset: float = 0.0,
) -> np.ndarray:
    """Convert values (n,) from `source` to `target`; a logarithm of zero or less is NaN.

    Args:
        molar_mass: g/mol, (n,) or one for all; needed between amount and mass concentrations alone.
        offset: in `target`'s linear unit, added before a logarithm is taken.
    """
    if not convertible(source, target):
        raise ValueError(f"unit {source!r} cannot be converted to {target!r}; known are {', '.join(UNITS)}")
    one, other = _unit(source), _unit(target)
    if one == other and not offset:
        return np.asarray(values, dtype=np.float64)
    # a logarithm shifts by that of the factor; going through the linear value would add rounding
    shift = _factor(one, other, molar_mass)
    if one.sign and other.sign and not offset:
        return other.sign * (one.sign * np.asarray(values, dtype=np.float64) + np.log10(shift))
    linear = np.asarray(values, dtype=np.float64)
    linear = (10.0 ** (one.sign * linear) if one.sign else linear) * shift + offset
    if not other.sign:
        return linear
    return other.sign * np.log10(linear, where=linear > 0, out=np.full(linear.shape, np.nan))


def _factor(one: Unit, other: Unit, molar_mass: np.ndarray | float) -> np.ndarray:
    """What a linear value in `one` is multiplied by to be in `other`."""
    factor = np.asarray(one.size / other.size)
    if one.dimension == other.dimension:
        return factor
    return np.asarray(factor / molar_mass if one.dimension == "mass" else factor * molar_mass)
