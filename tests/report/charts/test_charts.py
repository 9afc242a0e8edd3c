"""Charts: ticks, marks and numbers, against their plain meaning; drawings of molecules."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manywalks.formatting import number
from manywalks.report import drawing
from manywalks.report.charts.charts import LEFT, RIGHT, WIDTH, Plane, axis, fixed_axis, log_axis, round_places

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(finite, st.floats(1e-3, 1e6))
def test_ticks_are_few_even_and_inside(low: float, width: float) -> None:
    places = round_places(low, low + width)
    assert 2 <= len(places) <= 14
    assert all(low - 1e-6 * width <= place <= low + width + 1e-6 * width for place in places)
    gaps = np.diff(places)
    assert np.allclose(gaps, gaps[0], rtol=1e-6, atol=1e-9 * (abs(low) + width))


@given(st.lists(finite, min_size=1, max_size=20))
def test_an_axis_holds_its_values(values: list[float]) -> None:
    made = axis("x", np.array(values))
    assert made.low <= min(values)
    assert max(values) <= made.high
    shares = made.share(np.array(values))
    assert ((shares >= 0) & (shares <= 1)).all()


def test_an_axis_of_nothing_is_still_an_axis() -> None:
    assert axis("x", np.array([np.nan])).high > axis("x", np.array([np.nan])).low
    assert log_axis("x", np.array([0.0, -1.0])).ticks


def test_a_log_axis_puts_equal_factors_at_equal_distances() -> None:
    places = log_axis("x", np.array([1.0, 100.0])).share(np.array([1.0, 10.0, 100.0]))
    assert np.isclose(places[1] - places[0], places[2] - places[1])


def test_numbers_have_a_true_minus_and_keep_zeros_where_asked() -> None:
    assert number(-0.5) == "\u22120.5"
    assert number(0.68, 3, keep_zeros=True) == "0.680"
    assert number(12.0, 2, keep_zeros=True) == "12"


def test_a_dot_stands_where_its_values_say() -> None:
    plane = Plane(fixed_axis("x", 0, 1, [0, 1]), fixed_axis("y", 0, 1, [0, 1]))
    drawn = plane.dots(np.array([0.0, 1.0]), np.array([0.0, 1.0]), first=3)
    xs = [float(x) for x, _ in re.findall(r"M([\d.]+) ([\d.]+)", drawn)]
    assert xs == [LEFT, WIDTH - RIGHT]
    assert 'data-first="3"' in drawn


def test_a_chart_is_well_formed_whatever_its_words() -> None:
    plane = Plane(axis("<x> & y", np.arange(3.0)), axis('"y"', np.arange(3.0)))
    marks = [plane.upright(1.0, "a < b"), plane.level(1.0, "&"), plane.diagonal()]
    ElementTree.fromstring(plane.svg(marks, 'says "this" & <that>'))


ODD = (
    "C",
    "[Na+].[Cl-]",
    "c1ccccc1[N+](=O)[O-]",
    "C[C@H](F)Cl",
    "[13CH4]",
    "*CC",
    "C/C=C\\C",
    "[SeH2]",
    "[U]",
)


@pytest.mark.parametrize("smiles", [*ODD, "CC(C)(C)(C)C", "c1cccc1"])
def test_any_molecule_is_drawn_as_well_formed_svg(smiles: str) -> None:
    inside = drawing.draw(smiles)
    assert inside
    ElementTree.fromstring(drawing.framed(inside, smiles))


@pytest.mark.parametrize("smiles", ["", "not a molecule", "C1CC"])
def test_what_is_no_molecule_is_not_drawn(smiles: str) -> None:
    assert drawing.draw(smiles) == ""
    assert "not drawn" in drawing.framed("", "x")


def test_a_drawing_is_small_and_the_same_each_time() -> None:
    steroid = "C[C@]12CC[C@H]3[C@H]([C@@H]1CC[C@@H]2O)CCC4=CC(=O)CC[C@]34C"
    assert drawing.draw(steroid) == drawing.draw(steroid)
    assert len(drawing.draw(steroid)) < 2000


@pytest.mark.parametrize(("letters", "kept"), [(20, True), (55, True), (90, False)])
def test_a_long_title_gets_smaller_letters_before_it_is_cut(letters: int, kept: bool) -> None:
    label = "y" * letters
    drawn = Plane(fixed_axis("x", 0, 1, [0, 1]), fixed_axis(label, 0, 1, [0, 1])).svg([], "")
    assert (f">{label}</text>" in drawn) == kept
    assert ("font-size" in drawn) == (letters == 55)


@pytest.mark.parametrize(("low", "smaller"), [(-0.011, True), (-0.11, False)])
def test_long_numbers_leave_room_for_the_title_beside_them(low: float, smaller: bool) -> None:
    drawn = Plane(axis("x", np.arange(3.0)), axis("gain", np.array([low, 0.0]))).svg([], "")
    sizes = re.findall(r'class="tick y"[^>]*font-size:([\d.]+)px', drawn)
    assert bool(sizes) == smaller
    assert all(9 <= float(size) < 13 for size in sizes)
