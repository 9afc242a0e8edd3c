"""The replicates' bar: it never falls, whatever the looks say, and ends full."""

import random

import pytest

from manywalks.replicates.tally import Tally


class Told:
    """What a bar was told."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.notes: list[str] = []
        self.totals: list[float] = []

    def __call__(self, done: float, total: float, note: str = "") -> None:
        self.shares.append(done)
        self.totals.append(total)
        self.notes.append(note)


def train(tally: Tally, have: int, until: int) -> None:
    """Two packs train the replicates from `have` to `until`."""
    for pack in range(2):
        tell = tally.of(pack)
        for done in range((until - have) // 2 + 1):
            tell(done, (until - have) / 2, "")


@pytest.mark.parametrize("seed", range(20))
def test_the_share_never_falls_and_ends_at_one(seed: int) -> None:
    draw = random.Random(seed)
    told = Told()
    tally = Tally(told)
    have = draw.choice([0, 0, 2, 6])
    for look in range(draw.randint(1, 5)):
        more = 2 * draw.randint(1, 30)
        expected = None if look == 0 and have < 4 else have + more + draw.randint(0, 40)
        tally.look(have, expected, is_last=False)
        train(tally, have, have + more)
        have += more
        assert told.shares[-1] < 1
    tally.look(have, have)
    assert told.shares == sorted(told.shares)
    assert (told.shares[-1], told.totals[-1]) == (1.0, 1.0)


def test_no_number_is_promised_before_the_first_look() -> None:
    told = Told()
    tally = Tally(told)
    tally.look(0, None, is_last=False)
    train(tally, 0, 8)
    tally.look(8, 128, is_last=False)
    assert told.notes == [*(f"{n} replicates" for n in (0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8)), "8/128 replicates"]
    assert set(told.totals[:-1]) == {0.0}


def test_a_fixed_number_is_a_share_of_it() -> None:
    told = Told()
    tally = Tally(told)
    tally.look(4, 16)
    train(tally, 4, 10)
    assert told.shares[0] == 0.25
    assert told.shares[-1] == 10 / 16


def test_a_pack_that_starts_again_does_not_move_the_bar_back() -> None:
    told = Told()
    tally = Tally(told)
    tally.look(0, 8)
    tell = tally.of(0)
    tell(3, 4, "")
    tell(0, 4, "")
    assert told.shares[-1] == told.shares[-2] == 3 / 8
