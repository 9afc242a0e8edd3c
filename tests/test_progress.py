"""What a person sees while a step works: how far, how fast, how long still."""

import io

import pytest
from rich.console import Console

from manywalks.tasks import progress


def test_molecules_are_told_with_their_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([98.0, 100.0, 102.0, 104.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    told: list[tuple[float, float, str]] = []
    count = progress.counting(lambda *one: told.append(one))
    for done in (50, 2050, 6050):
        count(done, 10_000)
    assert told == [
        (50, 10_000, "25 molecules/s"),
        (2050, 10_000, "1,000 molecules/s"),
        (6050, 10_000, "1,500 molecules/s"),
    ]


def test_a_bar_fits_into_80_columns_and_a_finished_one_keeps_its_rate() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=80, color_system=None)
    with progress.bar(console) as shown:
        task = shown.add_task("build the ensemble", total=None, note="")
        progress.update(shown, task, 50, 100, "12,345 molecules/s")
        progress.update(shown, task, 1, 1, "")
    last = [line for line in text.getvalue().splitlines() if "%" in line][-1]
    assert "100% 12,345 molecules/s" in last
    assert "…" not in last
