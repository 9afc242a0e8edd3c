"""The report: what it says is what was found, and a real browser shows it without a fault."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from manywalks.evaluate.statement.sentences import accuracy_sentences
from manywalks.formatting import short
from manywalks.report import drawing
from manywalks.report.charts.figures import score_of
from manywalks.report.model_card import model_card
from manywalks.report.molecules import store as molecules_of
from manywalks.report.page import ReportInputs, page, sample, views_of
from tests.support import report_case

POINTS = r"M([\d.]+) ([\d.]+)"


@pytest.fixture(scope="module")
def found() -> ReportInputs:
    return report_case.found()


@pytest.fixture(scope="module")
def html(found: ReportInputs) -> str:
    return page(found)


def store(html: str) -> dict:
    """What the page keeps for hovering."""
    text = re.search(r'id="store">(.*?)</script>', html, re.S)
    assert text
    return json.loads(text.group(1))


def test_the_same_run_gives_the_same_page(found: ReportInputs, html: str) -> None:
    assert page(found) == html


def test_nothing_is_fetched(html: str) -> None:
    assert not re.findall(r"src=|<link[^>]*href=[\"'](?!data:)", html)
    # what lies beside the page, for whoever follows it
    assert not re.findall(r"href=[\"'](?:https?|file|/)", html)
    assert "url(" not in html
    assert "@import" not in html


def test_words_of_the_data_are_escaped(html: str) -> None:
    assert "A &lt;b&gt;bold&lt;/b&gt; title" in html
    assert "valence &lt;of&gt; 5" in html
    assert "</script" not in json.dumps(store(html))


def test_all_sentences_stand_in_the_page_and_the_card(found: ReportInputs, html: str) -> None:
    card = model_card(found)
    for name, statement in found.statements.items():
        for said in (
            statement["sentence"],
            statement["single_replicate"],
            statement["data_draws"]["sentence"],
        ):
            words = said.removeprefix(f"{name}: ")[1:].replace("'", "&#39;").replace(" %", "\u00a0%")
            assert words in html
            assert said in card


def test_the_card_says_of_series_what_the_report_shows(found: ReportInputs) -> None:
    def card(worst: list[dict[str, str]]) -> str:
        statements = {name: {**one, "by_series": {"worst": worst}} for name, one in found.statements.items()}
        return model_card(replace(found, statements=statements))

    assert "Not looked at: laboratories and conditions." in card([{"scaffold": "c1ccccc1"}])
    assert "Not looked at: single series, laboratories and conditions." in card([])


def test_a_class_is_shown_calibrated_and_what_is_not_is_labelled(found: ReportInputs, html: str) -> None:
    own = pd.DataFrame(found.predictions[found.predictions["endpoint"] == "active"])
    test = own[(own["subset"] == "test") & own["observed"].notna()]
    endpoint = store(html)["endpoints"][1]
    shown = {endpoint["predicted"][place] for place in endpoint["dots"]}
    assert shown == {float(f"{value:.4g}") for value in test["predicted"]}
    turned = 100 * np.mean(test["flip"] > 0)
    assert f"{turned:.1f}\u00a0% of the test molecules get another class" in html
    section = html[html.index('id="e1"') :]
    for label in (
        "will differ from this one before calibration, root mean square",
        "of calibrated probabilities</caption>",
        "sure, before calibration. Single replicates go through",
        "valid and test molecules, in probability before calibration</caption>",
        "and which molecules are chosen, before calibration</caption>",
    ):
        assert label in section
        assert label not in html[: html.index('id="e1"')]


def test_what_the_bound_is_of_stands_beside_it(html: str) -> None:
    assert html.count("root mean square over molecules, 95\u00a0% sure</p>") == 2
    assert (
        html.count("how far the score of a retrained ensemble will be from this one, at most, 95\u00a0% sure")
        == 2
    )


def test_accuracy_comes_before_agreement(found: ReportInputs, html: str) -> None:
    for place, (name, metrics) in enumerate(found.metrics.items()):
        section = html[html.index(f'<section id="e{place}"') :]
        said = accuracy_sentences(metrics, name).removeprefix(f"{name}: ")[1:].replace(" %", "\u00a0%")
        assert 0 < section.index(said) < section.index("a retrained ensemble will differ from this one")


def test_few_molecules_are_named_and_nothing_is_said_of_their_top(found: ReportInputs) -> None:
    html = page(report_case.found(n=12, censored=0))
    assert "Only 9 test molecules: do not trust the verdict" in html
    assert "Only 6 valid molecules: do not trust" in html
    assert "that two ensembles share" not in html


def test_classes_are_called_what_the_table_calls_them(found: ReportInputs) -> None:
    about = json.loads(json.dumps(found.about))
    about["params"]["data"]["endpoints"]["active"].update(positive="toxic", negative=["safe"])
    html = page(replace(found, about=about))
    assert "calibrated probability of toxic" in html
    assert store(html)["endpoints"][1]["answers"] == ["safe", "toxic"]
    assert "class 1" not in html


def test_each_dot_has_its_row(found: ReportInputs, html: str) -> None:
    """Dots of every hovering chart, in their order, are the rows that the chart is drawn from."""
    tables = store(html)["endpoints"]
    figures = re.findall(r'<figure class="hovers" data-endpoint="(\d)".*?</figure>', html, re.S)
    assert len(figures) == 6
    for figure in re.finditer(r'<figure class="hovers" data-endpoint="(\d)".*?</figure>', html, re.S):
        rows = tables[int(figure.group(1))]["dots"]
        for path in re.finditer(r'data-first="(\d+)" d="([^"]*)"', figure.group(0)):
            assert int(path.group(1)) + len(re.findall(POINTS, path.group(2))) <= len(rows)


def test_observed_against_predicted_shows_every_measured_test_molecule(
    found: ReportInputs, html: str
) -> None:
    own = found.predictions
    own = own[(own["endpoint"] == "logS") & (own["subset"] == "test") & own["observed"].notna()]
    table = store(html)["endpoints"][0]
    shown = [table["observed"][place] for place in table["dots"]]
    assert sorted(shown) == pytest.approx(sorted(own["observed"]), rel=1e-3)
    first = re.search(r'<figure class="hovers".*?</figure>', html, re.S)
    assert first
    paths = re.findall(r'data-first="(\d+)" d="([^"]*)"', first.group(0))
    counts = [len(re.findall(POINTS, data)) for _, data in paths]
    assert [int(start) for start, _ in paths] == np.cumsum([0, *counts[:-1]]).tolist()
    assert sum(counts) == len(own)


def test_marks_outside_the_domain_are_crosses(found: ReportInputs, html: str) -> None:
    own = found.predictions
    own = own[(own["endpoint"] == "logS") & (own["subset"] == "test") & (own["relation"] == "=")]
    first = re.search(r'<figure class="hovers".*?</figure>', html, re.S)
    assert first
    crosses = re.search(r'class="crosses" data-first="\d+" d="([^"]*)"', first.group(0))
    assert crosses
    assert len(re.findall(POINTS, crosses.group(1))) == (~own["in_domain"]).sum()
    assert "Orange crosses lie outside the model" in first.group(0)


def test_a_molecule_of_two_endpoints_is_drawn_once(found: ReportInputs, html: str) -> None:
    molecules = store(html)["molecules"]
    assert len(molecules["drawing"]) == len(set(found.predictions["row"]))
    assert {len(column) for column in molecules.values()} == {len(molecules["id"])}


def test_many_molecules_are_sampled_and_the_page_says_so(found: ReportInputs) -> None:
    html = page(found, most=40)
    molecules = store(html)["molecules"]
    every = found.predictions.drop_duplicates("row")
    assert len(molecules["id"]) == len(every)
    drawn = [name for name, one in zip(molecules["id"], molecules["drawing"], strict=True) if one]
    assert len(drawn) < len(every)
    assert f"{len(drawn)} of them are drawn" in html
    assert "molecules are drawn, chosen at random; scores are over all" in html
    assert sample(found.predictions, 40) == sample(found.predictions, 40)
    test = every.loc[every["subset"] == "test"]
    measured = test.loc[test["observed"].notna() & (test["relation"] == "=")]
    worst = measured.loc[(measured["observed"] - measured["predicted"]).abs().idxmax(), "id"]
    assert worst in drawn
    assert every.loc[every["similarity"].idxmin(), "id"] in drawn


def test_a_table_of_more_molecules_than_it_holds_says_so(found: ReportInputs) -> None:
    views = views_of(found, 40)
    held = molecules_of(views, found.predictions, 40, rows=90)
    assert 90 <= len(held["molecules"]["id"]) < held["all"] == found.predictions["row"].nunique()
    places = [place for endpoint in held["endpoints"] for place in endpoint["dots"]]
    assert max(places) < len(held["molecules"]["id"])


def test_each_molecule_has_its_nearest_training_molecule(found: ReportInputs, html: str) -> None:
    kept = store(html)
    near = dict(zip(found.predictions["id"], found.predictions["nearest_id"], strict=True))
    for name, place in zip(kept["molecules"]["id"], kept["molecules"]["nearest"], strict=True):
        assert kept["training"]["id"][place] == near[name]


def test_where_a_retrained_ensemble_differs_most_is_beside_the_bound(found: ReportInputs, html: str) -> None:
    for statement in found.statements.values():
        quarters = [short(one["difference_bound"]) for one in statement["by_distance"]]
        assert all(f": {text}<" in html for text in quarters)
        assert f"differ by {short(statement['worst_molecules']['expected'], 2)}" in html
        assert f"Dashed: the tolerance, {short(statement['tolerance'])}." in html


@pytest.mark.parametrize(("farthest", "said"), [(0.3, True), (0.1, False)])
def test_far_molecules_are_said_to_differ_most_only_where_they_do(
    found: ReportInputs, farthest: float, said: bool
) -> None:
    ends = {"similarity_low": 0.1, "similarity_high": 0.2}
    statements = {
        name: one | {"by_distance": [ends | {"difference_bound": bound} for bound in (farthest, 0.2)]}
        for name, one in found.statements.items()
    }
    html = page(replace(found, statements=statements))
    assert ("differs most from this one where no training molecule is near" in html) == said


def test_where_nothing_can_be_drawn_the_page_says_so(
    found: ReportInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "why_not", lambda: "no libXrender")
    html = page(found)
    assert "Molecules are not drawn: no libXrender" in html
    assert not any(store(html)["molecules"]["drawing"])


def test_the_curve_goes_through_single_replicates_this_ensemble_and_infinitely_many() -> None:
    """Mean squared error of k replicates = that of infinitely many + variance / k."""
    found = report_case.found(censored=0)
    view = views_of(found, most=10**6)[0]
    ends = score_of(np.array([1.0, report_case.REPLICATES, np.inf]), view)
    assert ends[0] ** 2 == pytest.approx(np.mean(view.replicates**2))
    assert ends[1] == pytest.approx(view.metrics["ensemble"]["rmse"])
    assert ends[2] == pytest.approx(view.metrics["infinite"]["score"])


def test_a_test_part_without_measurements_still_makes_a_page(found: ReportInputs) -> None:
    bare = found.predictions.assign(observed=np.nan, similarity=np.nan)
    nothing = {"ensemble": None, "replicates": None}
    metrics = {}
    for name, entry in found.metrics.items():
        empty = dict.fromkeys(entry["ensemble"])
        spread = {metric: dict.fromkeys(("mean", "sd", "min", "max")) for metric in empty}
        about = {"fitted_on": 0, "molecules": 0, "notes": ["no valid molecule was measured"]}
        unjudged = {"n_test": 0, "baselines": {}, "verdict": {"word": "unknown"}, "infinite": None}
        metrics[name] = {
            **entry,
            **nothing,
            **unjudged,
            "ensemble": empty,
            "replicates": spread,
            "calibration": about,
        }
    none = found.counts.iloc[:0]
    case = replace(
        found, predictions=bare, metrics=metrics, counts=none, replicates=found.replicates.iloc[:0]
    )
    assert "<h2" in page(case)
    assert "OECD 4" in model_card(case)


def test_page_and_card_say_which_data_it_was(found: ReportInputs, html: str) -> None:
    source = found.about["data"]
    for text in (html, model_card(found)):
        for key in ("path", "rev", "commit", "md5"):
            assert source[key] in text
        assert f"{source['rows']} rows" in text


def test_cells_that_were_left_out_are_told_with_an_example(html: str) -> None:
    assert "Cells ignored: 1 not_a_number; row 7: n=2 is no number." in html


def test_the_page_names_the_features_and_what_was_brought_from_elsewhere(found: ReportInputs) -> None:
    one = {
        "kind": "function",
        "name": "mine:embed",
        "version": "mine 1.2",
        "sha256": "c" * 64,
        "said": "trained on <x>",
    }
    text = page(replace(found, about=found.about | {"representations": [one]}))
    for kind in ("morgan_count", "rdkit2d"):
        assert kind in text
    assert "mine:embed</code> mine 1.2, sha256 <code>cccccccccccc</code>; trained on &lt;x&gt;" in text


def test_the_card_has_the_fit_the_counts_and_what_only_people_know(found: ReportInputs) -> None:
    card = model_card(replace(found, said={"owner": "Ada", "contact": None}))
    assert "| owner | Ada |" in card
    assert "| contact | not given (params.yaml: report.contact) |" in card
    assert "## Factors" in card
    assert "## Metrics" in card
    assert "| ensemble on train |" in card
    assert card.count("| 0.123 |") == sum(len(one["ensemble"]) for one in found.metrics.values())
    assert f"{found.split['train']} train, {found.split['valid']} valid, {found.split['test']} test." in card


def test_the_card_follows_the_five_principles(found: ReportInputs) -> None:
    card = model_card(found)
    assert re.findall(r"\(OECD (\d)\)", card) == ["1", "2", "3", "4", "5"]
    for statement in found.statements.values():
        assert statement["sentence"] in card
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def test_the_card_names_each_family_with_its_network(found: ReportInputs) -> None:
    families = [
        {"name": "one", "blocks": ["erg"], "weight": 2.0, "network": {}},
        {"name": "other", "blocks": ["rdkit2d"], "weight": 1.0, "network": {"widths": [7]}},
    ]
    params = found.about["params"] | {"families": families}
    card = model_card(replace(found, about=found.about | {"params": params}))
    assert "each the weighted mean of 2 Keras networks" in card
    assert "family other (weight 1): dense layers of 7 units" in card
    assert "one Keras network" not in card
    assert "one Keras network" in model_card(found)


def test_predictions_without_ids_are_named_by_row(found: ReportInputs) -> None:
    nameless = found.predictions.assign(id=pd.Series([None] * len(found.predictions), dtype=object))
    assert store(page(replace(found, predictions=nameless)))["molecules"]["id"][0].startswith("row ")


NASTY = "<b>x</b> | `a` *b* _c_"


def test_names_of_the_data_are_never_markup_in_the_card() -> None:
    card = model_card(report_case.found(names=(NASTY, "active"), unit="<i>|", title=NASTY))
    assert "<b>" not in card
    assert "<i>" not in card
    rows = [line for line in card.splitlines() if line.startswith("| ")]
    cells = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    assert set(cells) <= {3, 4, 5, 6}
    assert "\\*b\\*" in card


def test_names_of_the_data_are_never_markup_on_the_page() -> None:
    html = page(report_case.found(names=(NASTY, "active"), unit="<i>|", title=NASTY))
    outside = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert "<b>x" not in outside
    assert "<i>|" not in outside
    for chart in re.findall(r"<svg.*?</svg>", outside, re.S):
        assert "<b>" not in chart
