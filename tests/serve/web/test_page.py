"""The page in a real browser: ask, sort, filter, look closer, download; by keys, on a phone, in the dark."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from manywalks.report.drawing import STYLE
from manywalks.serve.web.app import STATIC
from tests.support import chromium
from tests.support.chromium import Browser
from tests.support.service import Served

pytestmark = pytest.mark.skipif(chromium.executable() is None, reason="there is no Chromium here")

ROWS = "[...document.querySelectorAll('#table tbody tr')]"
NAMES = f"{ROWS}.map(row => row.cells[1].textContent)"
DRAWN = f"{ROWS}.length == 6 && document.querySelectorAll('#table .picture svg').length == 5"


def until(page: Browser, true: str) -> None:
    """Wait for the page."""
    start = time.monotonic()
    # an element's value is an empty object
    while not page.ask(f"!!({true})"):
        assert time.monotonic() - start < 60, f"{true}; the page says {page.ask('document.body.innerText')}"
        time.sleep(0.1)


def visit(page: Browser, url: str, *, width: int = 1200, dark: bool = False) -> None:
    """Open an address and wait for its models."""
    page.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
    )
    wanted = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    page.call("Emulation.setEmulatedMedia", features=wanted)
    page.call("Page.navigate", url=url)
    until(page, "document.readyState == 'complete' && document.querySelector('#model option')")


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium.browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def page(window: Browser, service: Served) -> Iterator[Browser]:
    """The page with its example predicted."""
    visit(window, service.url)
    window.ask("document.getElementById('example').click()")
    until(window, DRAWN)
    yield window
    assert window.said == []
    hosts = [one for one in window.requests if not one.startswith((service.url, "data:", "blob:", "about:"))]
    assert hosts == []


def put(page: Browser, field: str, value: str) -> None:
    """Write into a field as a user does."""
    page.ask(
        f"(() => {{ const one = document.getElementById('{field}'); one.value = {json.dumps(value)};"
        "one.dispatchEvent(new Event('input')); one.dispatchEvent(new Event('change')); })()"
    )


def test_the_statement_stands_at_the_top_and_a_bad_molecule_says_why(page: Browser) -> None:
    said = page.ask("document.getElementById('promise').textContent")
    # the error first, or the agreement would be taken for it
    assert 0 < said.index("RMSE on") < said.index("a retrained ensemble of 4 will agree")
    assert "not predicted: unparsable" in page.ask(f"{ROWS}[5].textContent")
    assert "1 of them not predicted" in page.ask("document.getElementById('state').textContent")


def test_each_of_several_endpoints_is_a_line_that_opens(window: Browser, service: Served) -> None:
    visit(window, service.url)
    window.ask(
        "(() => { const one = models[0]; one.endpoints['CL (mL)'] = one.endpoints.logS;"
        "one.accuracy['CL (mL)'] = 'CL (mL): weak. RMSE on 9 test molecules: 2 mL (the mean: 3).';"
        "one.statement['CL (mL)'] = 'CL (mL): agrees.'; tell(); })()"
    )
    lines = window.ask("[...document.querySelectorAll('#promise summary')].map(one => one.textContent)")
    assert len(lines) == 2 and lines[1] == "CL (mL): weak. RMSE on 9 test molecules: 2 mL"
    full = window.ask("document.querySelectorAll('#promise details p')[1].textContent")
    assert full.endswith("(the mean: 3). CL (mL): agrees.")


def test_a_limit_of_the_nearest_training_molecule_is_shown_as_one(window: Browser, service: Served) -> None:
    visit(window, service.url)
    near = "nearest({nearest: {smiles: 'CCO', measured: {logS: 100}, relation: {logS: '%s'}}}).textContent"
    assert window.ask(near % ">") == ">100CCO"
    assert window.ask(near % "=") == "100CCO"


def test_it_sorts_both_ways_and_rows_without_a_value_come_last(page: Browser) -> None:
    head = "document.querySelectorAll('#table th')[2]"
    value = f"{ROWS}.slice(0, 5).map(row => +row.cells[2].textContent.replace('\\u2212', '-'))"
    for turn, order in enumerate(("ascending", "descending")):
        page.ask(f"{head}.firstChild.click()")
        assert page.ask(f"{head}.getAttribute('aria-sort')") == order
        found = page.ask(value)
        assert found == sorted(found, reverse=turn == 1)
        assert "not a molecule" in page.ask(NAMES)[-1]


def test_it_filters_by_substructure_value_and_similarity(page: Browser) -> None:
    put(page, "smarts", "[CX3](=O)[OX2H]")
    until(page, f"{ROWS}.length == 2")
    assert page.ask(NAMES) == ["aspirin", "ibuprofen"]
    assert page.ask("document.getElementById('count').textContent") == "2 of 6 molecules"
    put(page, "smarts", "")
    until(page, f"{ROWS}.length == 6")
    put(page, "near", "0.999")
    assert 0 < page.ask(f"{ROWS}.length") < 5
    put(page, "near", "")
    put(page, "most", "-100")
    assert page.ask(f"{ROWS}.length") == 0


def test_a_molecule_opens_with_the_keyboard_and_closes(page: Browser) -> None:
    page.ask("document.querySelector('#table .picture').focus()")
    page.call(
        "Input.dispatchKeyEvent",
        type="keyDown",
        key="Enter",
        code="Enter",
        windowsVirtualKeyCode=13,
        text="\r",
    )
    until(page, "document.querySelectorAll('#detail .near svg').length == 8")
    assert page.ask("document.querySelector('#detail img').naturalWidth") > 100
    assert "logS" in page.ask("document.querySelector('#detail img').alt")
    assert "similarity" in page.ask("document.querySelector('#detail .near').textContent")
    page.press("Escape")
    page.ask("document.getElementById('close').click()")
    assert page.ask("document.getElementById('detail').open") is False


def test_a_dropped_sdf_is_predicted_and_shown_rows_are_downloaded(page: Browser, tmp_path: Path) -> None:
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.ask("document.querySelector('[data-format=sdf]').click()")
    kept = tmp_path / "predictions.sdf"
    start = time.monotonic()
    while not kept.exists() and time.monotonic() - start < 30:
        time.sleep(0.1)
    text = kept.read_text()
    assert text.count("$$$$") == 6 and ">  <logS>" in text
    page.ask(
        "(() => { const files = new DataTransfer();"
        f"files.items.add(new File([{json.dumps(text)}], 'a.sdf'));"
        "document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true})); })()"
    )
    until(page, f"{ROWS}.length == 6 && {NAMES}[0] == 'aspirin' && !document.getElementById('go').disabled")


def test_a_drawn_molecule_joins_the_list(page: Browser) -> None:
    put(page, "smiles", "CCO ethanol")
    page.ask("document.getElementById('draw').click()")
    until(page, "typeof editor == 'object' && editor !== null")
    page.ask("document.getElementById('take').click()")
    assert page.ask("document.getElementById('smiles').value") == "CCO ethanol\nc1ccccc1"
    page.ask("document.getElementById('go').click()")
    until(page, f"{ROWS}.length == 2")


def test_a_phone_in_the_dark_scrolls_one_way(window: Browser, service: Served) -> None:
    visit(window, service.url, width=390, dark=True)
    window.ask("document.getElementById('example').click()")
    until(window, DRAWN)
    assert window.ask("document.documentElement.scrollWidth") <= 390
    colour = window.ask("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(20, 24, 28)"


def test_the_api_page_runs_its_examples(window: Browser, service: Served) -> None:
    visit(window, f"{service.url}/docs")
    until(window, "document.querySelectorAll('.call').length >= 10")
    window.ask("document.querySelectorAll('.call button').forEach(one => one.click())")
    until(window, "[...document.querySelectorAll('.call button + pre')].every(one => one.textContent)")
    answers = window.ask(
        "[...document.querySelectorAll('.call button + pre')].map(one => one.textContent.slice(0, 3))"
    )
    assert set(answers) == {"200"}
    assert window.said == []


def test_the_page_draws_molecules_as_the_report_does() -> None:
    assert STYLE in (STATIC / "page.css").read_text()
