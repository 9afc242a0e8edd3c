"""How large the molecules of a table are."""

from manywalks.data.sizes import LEAST, MOST, slots_for


def test_nearly_all_molecules_get_a_slot_for_each_atom() -> None:
    table = ["C" * (30 + k % 11) for k in range(990)] + ["C" * 90, "C" * 80]
    assert slots_for(table) == 40


def test_salts_do_not_count() -> None:
    assert slots_for(["C" * 33 + ".Cl.Cl.Cl.Cl.Cl"]) == 36


def test_small_and_huge_molecules_stay_within_limits() -> None:
    assert slots_for(["C", None, "no molecule"]) == LEAST
    assert slots_for(["C" * 400]) == MOST
    assert slots_for(["no molecule"]) == MOST
