"""Series and best predictions on the report, held to what the statement says of them."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from manywalks.formatting import percent, short
from manywalks.report.page import ReportInputs, page
from tests.support import report_case


@pytest.fixture(scope="module")
def found() -> ReportInputs:
    return report_case.found()


def section(html: str, place: int) -> str:
    """One endpoint's section."""
    start = html.index(f'<section id="e{place}"')
    return html[start : html.index("</section>", start)]


def test_series_stand_on_the_page_worst_first(found: ReportInputs) -> None:
    html = page(found)
    for place, statement in enumerate(found.statements.values()):
        shown = section(html, place)
        table = shown[shown.index("<h3>Series, worst first</h3>") :].split("</table>")[0]
        assert re.findall(r'<th scope="row" title="([^"]*)"', table) == [
            one["scaffold"] or "no ring" for one in statement["by_series"]["worst"]
        ]
        for one in statement["by_series"]["worst"]:
            assert f"<b>{short(one['error_rms'])}</b>" in table
            assert short(one["difference_bound"], 2) in table
            assert one["covered"] is None or percent(one["covered"]) in table
        assert f"{statement['by_series']['series']:,} series by their Murcko scaffold" in shown
    assert "within the interval</th>" not in section(html, 1)  # a class has none


def test_a_run_without_series_has_no_empty_table(found: ReportInputs) -> None:
    statements = json.loads(json.dumps(found.statements))
    for statement in statements.values():
        statement["by_series"]["worst"] = []
    assert "Series, worst first" not in page(replace(found, statements=statements))


@pytest.mark.parametrize(
    ("asked", "title", "best"),
    [
        ({"want": "high"}, "Highest predictions", lambda values: values),
        ({"want": "low"}, "Lowest predictions", lambda values: -values),
        (
            {"want": "range", "range": [-0.5, 0.5]},
            "Predicted best",
            lambda values: np.minimum(values + 0.5, 0.5 - values),
        ),
    ],
)
def test_the_best_predictions_are_drawn_where_it_is_said_what_is_wanted(found, asked, title, best) -> None:
    about = json.loads(json.dumps(found.about))
    about["params"]["data"]["endpoints"]["logS"].update(asked)
    html = section(page(replace(found, about=about)), 0)
    gallery = html[html.index(f"<h3>{title}") :].split("</ul>")[0]
    own = found.predictions[found.predictions["endpoint"] == "logS"]
    values = own["predicted"].to_numpy()
    chosen = values[np.argsort(-best(values), kind="stable")[:6]]
    assert re.findall(r"<dt>predicted</dt><dd>([^<]*)</dd>", gallery) == [short(value) for value in chosen]
    assert title not in page(found)
