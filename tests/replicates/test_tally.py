"""The replicates' bar: its share is what its count says, and it is full only at the end."""

import random

import pytest

from manywalks.replicates.tally import MOST, Tally


class Told:
    """What a bar was told."""

    def __init__(self) -> None:
        self.done: list[float] = []
        self.notes: list[str] = []
        self.totals: list[float] = []

    def __call__(self, done: float, total: float, note: str = "") -> None:
        self.done.append(done)
        self.totals.append(total)
        self.notes.append(note)


def train(tally: Tally, have: int, until: int) -> None:
    """Two packs train the replicates from `have` to `until`."""
    for pack in range(2):
        tell = tally.of(pack)
        for done in range((until - have) // 2 + 1):
            tell(done, (until - have) / 2, "")


@pytest.mark.parametrize("seed", range(20))
def test_share_and_count_say_the_same(seed: int) -> None:
    draw = random.Random(seed)
    told = Told()
    tally = Tally(told)
    have = draw.choice([0, 0, 2, 6])
    for _ in range(draw.randint(1, 5)):
        more = 2 * draw.randint(1, 30)
        tally.look(have, have + more + draw.randint(0, 40))
        train(tally, have, have + more)
        have += more
        assert told.done[-1] < told.totals[-1]
    tally.look(have, have)
    assert told.done[-1] == told.totals[-1] == have
    for done, total, note in zip(told.done, told.totals, told.notes, strict=True):
        counted, of = map(int, note.removesuffix(" replicates").split("/"))
        assert of == total
        assert done == (have if counted == of == have == done else min(counted, MOST * of))


def test_within_a_look_nothing_falls() -> None:
    told = Told()
    tally = Tally(told)
    tally.look(0, 112)
    tells = [tally.of(pack) for pack in range(2)]
    for done in (10, 46, 1):  # one that has ended, and says so in whatever unit
        for tell in tells:
            tell(done, 46, "")
    assert told.done == sorted(told.done)
    assert told.notes[-1] == "92/112 replicates"


def test_no_number_is_promised_before_the_first_look() -> None:
    told = Told()
    tally = Tally(told)
    tally.look(0, None)
    train(tally, 0, 8)
    tally.look(8, 128)
    assert told.notes == [*(f"{n} replicates" for n in (0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8)), "8/128 replicates"]
    assert set(told.totals[:-1]) == {0.0}


def test_a_fixed_number_is_a_share_of_it() -> None:
    told = Told()
    tally = Tally(told)
    tally.look(4, 16)
    train(tally, 4, 10)
    assert (told.done[0], told.done[-1]) == (4, 10)
    assert set(told.totals) == {16}


def test_a_pack_that_starts_again_does_not_move_the_bar_back() -> None:
    told = Told()
    tally = Tally(told)
    tally.look(0, 8)
    tell = tally.of(0)
    tell(3, 4, "")
    tell(0, 4, "")
    assert told.done[-1] == told.done[-2] == 3
