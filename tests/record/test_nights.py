"""models/record: kept once, read by anyone, whatever was lost and whoever else wrote."""

import threading
from pathlib import Path

import pytest

from manywalks.record import nights
from manywalks.record.page import write
from manywalks.workspace import Workspace
from tests.record.case import came, night

ACYCLIC = ["C" * size for size in range(1, 30)]


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    """A workspace; its record needs no parameters."""
    return Workspace(tmp_path)


def test_nights_come_back_in_time_with_their_measurements(work: Workspace) -> None:
    nights.keep(work, night(1), came(["CCO"], 0.5))
    nights.keep(work, night(0), came(["CCC", "CCN"]))
    found = nights.read(work)
    assert [one["molecules"] for one in found.nights] == [500, 501]
    assert found.judged["smiles"].tolist() == ["CCC", "CCN", "CCO"]
    assert found.judged["observed"].tolist() == [1.0, 1.0, 1.5]


def test_two_runs_at_once_lose_nothing_and_count_nothing_twice(work: Workspace) -> None:
    both = [
        threading.Thread(target=nights.keep, args=(work, night(0), came(["CCO", *ACYCLIC[:place]])))
        for place in range(1, 9)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    found = nights.read(work)
    assert len(found.nights) == 8
    assert sorted(found.judged["smiles"]) == sorted(["CCO", *ACYCLIC[:8]])


def test_a_measurement_is_the_earlier_nights(work: Workspace) -> None:
    nights.keep(work, night(3), came(["CCO"], 0.9))
    nights.keep(work, night(2), came(["CCO"], 0.1))
    assert nights.read(work).judged["observed"].tolist() == [1.1]


@pytest.mark.parametrize("name", [nights.NIGHT, nights.JUDGED])
@pytest.mark.parametrize("content", [b"PAR1 cut off", b"{}", b"[]"])
def test_a_damaged_night_is_named_and_the_others_stay(work: Workspace, name: str, content: bytes) -> None:
    nights.keep(work, night(0), came(["CCO"]))
    lost = nights.keep(work, night(1), came(["CCN"]))
    (nights.folder_of(work) / lost / name).write_bytes(content)
    found = nights.read(work)
    assert found.damaged == [lost]
    assert [one["molecules"] for one in found.nights] == [500]
    write(work)
    assert lost in (work.reports / "record.html").read_text(encoding="utf-8")


def test_what_was_begun_and_not_finished_is_no_night(work: Workspace) -> None:
    nights.keep(work, night(0), came(["CCO"]))
    (nights.folder_of(work) / ".tmp-1").mkdir()
    found = nights.read(work)
    assert len(found.nights) == 1 and found.damaged == []


def test_a_run_that_was_made_again_is_told_once(work: Workspace) -> None:
    nights.keep(work, night(0), came(["CCO"]))
    nights.keep(work, night(0, rebuilt=True), came(["CCO"]))
    nights.keep(work, night(1, rebuilt=True), came(["CCN"]))
    nights.keep(work, night(1, rebuilt=True), came(["CCN"]))
    found = nights.read(work)
    assert [(one["molecules"], one["rebuilt"]) for one in found.nights] == [(500, False), (501, True)]


def test_lost_reports_are_made_again_the_same(work: Workspace) -> None:
    for number in range(4):
        nights.keep(work, night(number), came(ACYCLIC[7 * number : 7 * number + 7], 0.2))
    write(work)
    before = [(work.reports / name).read_bytes() for name in ("record.html", "record.parquet")]
    for name in ("record.html", "record.parquet"):
        (work.reports / name).unlink()
    write(work)
    assert [(work.reports / name).read_bytes() for name in ("record.html", "record.parquet")] == before
