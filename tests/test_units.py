"""Units and their conversion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manywalks import units

AMOUNTS = ["M", "mM", "uM", "nM", "pM", "log10 mol/L", "-log10 M", "pIC50", "log uM"]
MASSES = ["g/L", "mg/mL", "ug/mL", "ng/mL", "log10 mg/mL"]


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1.0, "uM", "nM", 1000.0),
        (100.0, "nM", "-log10 M", 7.0),
        (6.0, "pIC50", "uM", 1.0),
        (1.0, "mg/mL", "mM", 10.0),
        (10.0, "mM", "mg/mL", 1.0),
        (-3.0, "log10 mol/L", "mM", 1.0),
        (50.0, "%", "fraction", 0.5),
        (2.0, "10^3nM", "uM", 2.0),
        (5.0, "ug.mL-1", "mg/L", 5.0),
        (5.0, "µM", "umol/L", 5.0),
        (1.0, "log uM", "log10 nM", 4.0),
    ],
)
def test_known_conversions(value, source, target, expected):
    found = units.convert(np.array([value]), source, target, molar_mass=100.0)
    assert found == pytest.approx([expected], rel=1e-12)


@given(
    st.floats(-12, 3),
    st.sampled_from(AMOUNTS + MASSES),
    st.sampled_from(AMOUNTS + MASSES),
    st.floats(10, 2000),
)
def test_there_and_back_is_the_same(exponent, source, target, mass):
    linear = units.convert(np.array([10.0**exponent]), "M", source, molar_mass=mass)
    there = units.convert(linear, source, target, molar_mass=mass)
    back = units.convert(there, target, source, molar_mass=mass)
    assert back == pytest.approx(linear, rel=1e-9, abs=1e-12)


def test_a_logarithm_of_nothing_is_nan():
    assert np.isnan(units.convert(np.array([0.0, -1.0]), "nM", "-log10 M")).all()


def test_offset_gives_zero_a_logarithm():
    assert units.convert(np.array([0.0]), "uM", "log10 uM", offset=1.0) == pytest.approx([0.0])


def test_bounds_flip_where_the_sign_does():
    assert units.flips("nM", "-log10 M")
    assert units.flips("pIC50", "nM")
    assert not units.flips("pIC50", "-log10 M")
    assert not units.flips("nM", "log10 M")


def test_unknown_units_convert_to_themselves_alone():
    assert units.convertible("uL/min/mg", "uL/min/mg")
    assert units.convertible("uL/min/mg", "log10 uL/min/mg")
    assert units.convert(np.array([10.0]), "uL/min/mg", "-log10 uL/min/mg") == pytest.approx([-1])
    assert not units.convertible("uL/min/mg", "log10 mL/min/kg")
    assert not units.convertible("uL/min/mg", "nM")
    assert not units.convertible("%", "nM")
    with pytest.raises(ValueError, match="'furlong' cannot be converted to 'nM'"):
        units.convert(np.array([1.0]), "furlong", "nM")


@pytest.mark.parametrize(
    "text", ["nM", "nm", "nmol", "µmol/l", "nanomolar", "micro molar", "mol", "mg/kg", "%"]
)
def test_amounts_in_any_spelling_are_no_logarithms(text):
    assert units.is_linear(text)


@pytest.mark.parametrize(
    "text", ["", "pIC50", "-log10 M", "logS", "pMIC", "pGI50", "M (log10)", "log units", "MIC"]
)
def test_labels_and_logarithms_are_no_amounts(text):
    assert not units.is_linear(text)


def test_every_unit_of_the_table_is_read():
    for symbol, (dimension, size) in units.UNITS.items():
        assert units.parse_unit(symbol) == units.Unit(dimension, size)
        assert units.parse_unit(f"log10 {symbol}") == units.Unit(dimension, size, 1)


def test_pint_agrees():
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry()
    names = {"M": "mol/L", "mM": "mmol/L", "uM": "umol/L", "nM": "nmol/L", "pM": "pmol/L", "fM": "fmol/L"}
    for symbol, (dimension, size) in units.UNITS.items():
        if dimension in ("amount", "mass"):
            base = {"amount": "mol/L", "mass": "g/L"}[dimension]
            quantity = registry.Quantity(1.0, names.get(symbol, symbol.replace("m3", "m**3")))
            assert quantity.to(base).magnitude == pytest.approx(size), symbol
