"""record.html and record.parquet: what a reader finds there."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manywalks.record import nights
from manywalks.record.figures import day_of, time_axis
from manywalks.record.page import write
from manywalks.record.prospective import nothing, unseen
from manywalks.record.summary import how_they_did
from manywalks.workspace import Workspace
from tests.record.case import came, night


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    """Twenty nights: a new champion on the eleventh, values 1.5 sd too high from then on."""
    work = Workspace(tmp_path)
    for number in range(20):
        smiles = ["C" * (1 + 6 * number + place) for place in range(6)]
        late = number >= 10
        kept = night(number, "2026-01-11-bbbbbb" if late else "2026-01-01-aaaaaa", promoted=number == 10)
        spread = [came([one], (place - 2.5) / 5 + 0.9 * late) for place, one in enumerate(smiles)]
        nights.keep(work, kept, pd.concat(spread, ignore_index=True))
    return work


def test_a_row_for_each_night_says_how_the_former_predictions_did(work: Workspace) -> None:
    found = write(work)
    table = pd.read_parquet(work.reports / "record.parquet")
    assert len(table) == 20
    first = table.iloc[0]
    assert first["judged"] == 6 and first["covered"] == 1.0 and first["in_domain"] == 1.0
    assert first["error_rms"] == pytest.approx(np.sqrt(np.mean([((p - 2.5) / 5) ** 2 for p in range(6)])))
    assert (first["score"], first["bound"], first["churn"]) == (0.6, 0.04, 0.1)
    assert len(found.judged["logS"]) == 120


def test_the_page_warns_marks_the_champions_and_shows_numbers_on_hover(work: Workspace) -> None:
    found = write(work)
    page = (work.reports / "record.html").read_text(encoding="utf-8")
    assert "above their predictions on average" in page and found.latest()
    assert "<title>2026-01-11-bbbbbb: logS equivalent</title>" in page
    hovers = re.findall(r"<title>(2026-01-05: 6 measurements, error [^<]*)</title>", page)
    assert hovers and "100\u00a0% in the domain" in hovers[0]
    assert "By month" in page and "By model" in page
    assert not re.search(r"(src|href)=\"https?:", page)


def test_a_promotion_by_hand_is_marked_too(tmp_path: Path) -> None:
    work = Workspace(tmp_path)
    nights.keep(work, night(0, "one"), nothing())
    nights.keep(work, night(1, "two"), nothing())
    write(work)
    assert "two: made the champion by hand" in (work.reports / "record.html").read_text(encoding="utf-8")


def test_a_record_of_nothing_is_a_page(tmp_path: Path) -> None:
    found = write(Workspace(tmp_path))
    assert found.runs == [] and found.latest() == []
    page = (tmp_path / "reports/record.html").read_text(encoding="utf-8")
    assert "No nightly run yet" in page and "report.html" not in page


def test_the_report_is_linked_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/report.html").touch()
    write(Workspace(tmp_path))
    page = (tmp_path / "reports/record.html").read_text(encoding="utf-8")
    assert '<a href="report.html">Report</a>' in page and "churn.html" not in page


def test_nobody_did_well_where_nobody_was_judged() -> None:
    assert how_they_did(nothing()) == {
        "judged": 0, "judged_series": 0, "error_rms": None, "error_mean": None, "covered": None,
        "in_domain": None,
    }  # fmt: skip


@pytest.mark.parametrize("days", [0, 3, 20, 90, 250, 900])
def test_dates_stand_along_the_axis_in_order(days: int) -> None:
    start = day_of("2026-01-20T02:00:00+00:00")
    found = time_axis(np.array([start, start + days]))
    places = [place for place, _ in found.ticks]
    assert places == sorted(places) and 1 <= len(places) <= 12
    assert found.low < start and found.high > start + days


def test_unseen_is_what_was_measured_since() -> None:
    curated = pd.DataFrame(
        {
            "smiles": ["C", "CC", "CCC", "CCCC", "CCCCC"],
            "logS": [1.0, 2.0, 3.0, np.nan, 5.0],
            "logS:relation": ["=", "=", "=", "=", "<"],
        }
    )
    seen = pd.DataFrame({"smiles": ["C", "CC"], "logS": [1.0, np.nan]})
    assert unseen(curated, seen, "logS").tolist() == [False, True, True, False, False]
    assert not unseen(curated, seen.drop(columns="logS"), "logS").any()
