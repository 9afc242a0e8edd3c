"""The report: what it says is what was found, and a real browser shows it without a fault."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manywalks.evaluate.sentences import accuracy_sentences
from manywalks.report import drawing
from manywalks.report.figures import infinite_score
from manywalks.report.model_card import model_card
from manywalks.report.page import ReportInputs, page, sample, views_of
from tests.support import chromium, report_case

POINTS = r"M([\d.]+) ([\d.]+)"
CARD = "document.getElementById('card')"


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
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:)", html)
    assert "url(" not in html
    assert "@import" not in html


def test_words_of_the_data_are_escaped(html: str) -> None:
    assert "A &lt;b&gt;bold&lt;/b&gt; title" in html
    assert "valence &lt;of&gt; 5" in html
    assert "</script" not in json.dumps(store(html))


def test_both_sentences_stand_in_the_page(found: ReportInputs, html: str) -> None:
    for name, statement in found.statements.items():
        for key in ("sentence", "single_replicate"):
            words = (
                statement[key].removeprefix(f"{name}: ")[1:].replace("'", "&#39;").replace(" %", "\u00a0%")
            )
            assert words in html


def test_a_class_is_shown_calibrated_and_what_is_not_is_labelled(found: ReportInputs, html: str) -> None:
    own = pd.DataFrame(found.predictions[found.predictions["endpoint"] == "active"])
    test = own[(own["subset"] == "test") & own["observed"].notna()]
    shown = {row[2 + 1] for row in store(html)["endpoints"][1]["rows"]}
    assert shown == {float(f"{value:.4g}") for value in test["predicted"]}
    turned = 100 * np.mean(test["flip"] > 0)
    assert f"{turned:.1f} % of the test molecules get another class" in html
    section = html[html.index('id="e1"') :]
    for label in (
        "will differ from this one before calibration, root mean square",
        "of calibrated probabilities</caption>",
        "sure, before calibration. Single replicates go through",
        "valid and test subsets, in probability before calibration</caption>",
        "Brier score, and which molecules are chosen, before calibration</caption>",
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
        rows = tables[int(figure.group(1))]["rows"]
        for path in re.finditer(r'data-first="(\d+)" d="([^"]*)"', figure.group(0)):
            assert int(path.group(1)) + len(re.findall(POINTS, path.group(2))) <= len(rows)


def test_observed_against_predicted_shows_every_measured_test_molecule(
    found: ReportInputs, html: str
) -> None:
    own = found.predictions
    own = own[(own["endpoint"] == "logS") & (own["subset"] == "test") & own["observed"].notna()]
    table = store(html)["endpoints"][0]
    assert sorted(row[2] for row in table["rows"]) == pytest.approx(sorted(own["observed"]), rel=1e-3)
    first = re.search(r'<figure class="hovers".*?</figure>', html, re.S)
    assert first
    paths = re.findall(r'data-first="(\d+)" d="([^"]*)"', first.group(0))
    counts = [len(re.findall(POINTS, data)) for _, data in paths]
    assert [int(start) for start, _ in paths] == [0, counts[0]]
    assert sum(counts) == len(own)


def test_a_molecule_of_two_endpoints_is_drawn_once(found: ReportInputs, html: str) -> None:
    kept = store(html)
    test = found.predictions[(found.predictions["subset"] == "test") & found.predictions["observed"].notna()]
    assert len(kept["drawings"]) == len(set(test["row"]))
    assert len(kept["ids"]) == len(kept["smiles"]) == len(kept["drawings"])


def test_many_molecules_are_sampled_and_the_page_says_so(found: ReportInputs) -> None:
    html = page(found, most=40)
    assert len(store(html)["drawings"]) <= 40
    assert "molecules are drawn, chosen at random; scores are over all" in html
    assert sample(found.predictions, 40) == sample(found.predictions, 40)


def test_where_nothing_can_be_drawn_the_page_says_so(
    found: ReportInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "why_not", lambda: "no libXrender")
    html = page(found)
    assert "Molecules are not drawn: no libXrender" in html
    assert not any(store(html)["drawings"])


def test_the_projection_is_the_ambiguity_identity() -> None:
    """MSE of infinitely many replicates, unbiased from pairs of replicates, equals what the page draws."""
    found = report_case.found(censored=0)
    view = views_of(found, most=10**6)[0]
    limit = infinite_score(view)
    assert limit
    observed = view.rows["observed"].to_numpy()
    assert np.isclose(
        limit.at(np.array([float(report_case.REPLICATES)]))[0], view.metrics["ensemble"]["rmse"]
    )
    mean_square = np.mean(view.replicates**2)
    assert np.isclose(limit.at(np.array([1.0]))[0] ** 2, mean_square)
    assert len(observed) == view.metrics["n_test"]


def test_a_test_part_without_measurements_still_makes_a_page(found: ReportInputs) -> None:
    bare = found.predictions.assign(observed=np.nan, similarity=np.nan)
    nothing = {"ensemble": None, "replicates": None}
    metrics = {}
    for name, entry in found.metrics.items():
        empty = dict.fromkeys(entry["ensemble"])
        spread = {metric: dict.fromkeys(("mean", "sd", "min", "max")) for metric in empty}
        about = {"fitted_on": 0, "molecules": 0, "notes": ["no valid molecule was measured"]}
        unjudged = {"n_test": 0, "baselines": {}, "verdict": {"word": "unknown"}}
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


def test_predictions_without_ids_are_named_by_row(found: ReportInputs) -> None:
    nameless = found.predictions.assign(id=pd.Series([None] * len(found.predictions), dtype=object))
    assert store(page(replace(found, predictions=nameless)))["ids"][0].startswith("row ")


@pytest.fixture(scope="module")
def shown(html: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[chromium.Browser, Path]]:
    if chromium.executable() is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    folder = tmp_path_factory.mktemp("browser")
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    with chromium.browser(folder / "profile") as browser:
        yield browser, path


def place_of(browser: chromium.Browser, figure: int, dot: int) -> tuple[float, float]:
    """Scroll to a hovering figure; where one of its dots stands in the window."""
    script = f"""(() => {{
      const chart = document.querySelectorAll('.hovers')[{figure}].querySelector('.chart');
      chart.scrollIntoView({{block: 'center', behavior: 'instant'}});
      const box = chart.getBoundingClientRect();
      const data = chart.querySelector('[data-first]').getAttribute('d');
      const found = [...data.matchAll(/M([\\d.]+) ([\\d.]+)/g)][{dot}];
      const scale = box.width / chart.viewBox.baseVal.width;
      return [box.left + found[1] * scale, box.top + found[2] * scale];
    }})()"""
    x, y = browser.ask(script)
    return x, y


def test_the_page_opens_fast_and_quietly(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path)
    browser.said.clear()
    browser.requests.clear()
    seconds = browser.open(path)
    assert seconds < 2
    assert browser.said == []
    assert set(browser.requests) == {path.resolve().as_uri()}


@pytest.mark.parametrize("figure", range(6))
def test_pointing_at_a_dot_shows_its_molecule(shown: tuple[chromium.Browser, Path], figure: int) -> None:
    browser, path = shown
    browser.open(path)
    x, y = place_of(browser, figure, 5)
    assert browser.ask(f"{CARD}.hidden")
    browser.point(x, y)
    assert not browser.ask(f"{CARD}.hidden")
    assert browser.ask(f"{CARD}.querySelectorAll('svg path').length") > 0
    assert "spread of replicates" in browser.ask(f"{CARD}.textContent")
    box = browser.ask(f"(() => {{ const b = {CARD}.getBoundingClientRect(); return [b.left, b.right] }})()")
    assert box[0] >= 0
    assert box[1] <= 1280
    browser.point(2, 2)
    assert browser.ask(f"{CARD}.hidden")


def test_a_click_holds_the_molecule_and_escape_lets_it_go(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path)
    browser.point(*place_of(browser, 0, 3), click=True)
    browser.point(2, 2)
    assert not browser.ask(f"{CARD}.hidden")
    browser.press("Escape")
    assert browser.ask(f"{CARD}.hidden")


def test_arrow_keys_step_through_the_molecules(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path)
    browser.ask("document.querySelector('.hovers').focus()")
    browser.press("ArrowRight")
    first = browser.ask(f"{CARD}.textContent")
    browser.press("ArrowRight")
    assert browser.ask(f"{CARD}.textContent") not in ("", first)


def test_a_phone_shows_it_without_scrolling_sideways(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path, width=390, height=844)
    assert browser.ask("document.documentElement.scrollWidth") <= 390
    smallest = """Math.min(...[...document.querySelectorAll('.chart text')].map(text =>
      parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getBoundingClientRect().width
      / text.ownerSVGElement.viewBox.baseVal.width))"""
    assert browser.ask(smallest) > 9
    browser.point(*place_of(browser, 0, 2), click=True)
    box = browser.ask(f"(() => {{ const b = {CARD}.getBoundingClientRect(); return [b.left, b.right] }})()")
    assert box[0] >= 0
    assert box[1] <= 390


def test_pictures_have_words_and_controls_have_names(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path)
    nameless = (
        "[...document.querySelectorAll('svg[role=img]')].filter(s => !s.getAttribute('aria-label')).length"
    )
    assert browser.ask(nameless) == 0
    assert browser.ask("document.querySelectorAll('svg.chart:not([role=img])').length") == 0
    assert browser.ask("document.documentElement.lang") == "en"
    assert browser.ask("document.querySelectorAll('[tabindex]:not([aria-label])').length") == 0


def test_it_prints(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path)
    assert browser.pages().startswith(b"%PDF")
    assert browser.ask("[...document.querySelectorAll('details')].every(d => d.open)")


def test_the_dot_that_was_pointed_at_is_not_printed(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path)
    browser.point(*place_of(browser, 0, 3), click=True)
    assert browser.ask("document.querySelectorAll('.lit').length") == 1
    browser.pages()
    assert browser.ask("document.querySelectorAll('.lit').length") == 0
