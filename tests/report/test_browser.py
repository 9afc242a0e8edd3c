"""The report in a real browser: it opens without a fault and without a request, and every control works."""

import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from manywalks.report.page import page
from tests.support import chromium, report_case

CARD = "document.getElementById('card')"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[chromium.Browser, Path]]:
    if chromium.executable() is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    folder = tmp_path_factory.mktemp("browser")
    path = folder / "report.html"
    path.write_text(page(report_case.found()), encoding="utf-8")
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


def test_what_another_sample_would_do_is_read_beside_what_retraining_does(
    shown: tuple[chromium.Browser, Path],
) -> None:
    browser, path = shown
    browser.open(path)
    words = "document.querySelectorAll('.endpoint .statement .words')[1]"
    said = browser.ask(f"{words}.innerText")
    assert "a retrained ensemble of 12 will agree" in said.replace("A retrained", "a retrained")
    assert "rained on another sample of as many molecules of this kind" in said
    box = browser.ask(f"(() => {{ const b = {words}.getBoundingClientRect(); return [b.left, b.right] }})()")
    assert 0 <= box[0] < box[1] <= 1280


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


PANEL = "document.getElementById('molecules')"
ROWS = f"[...{PANEL}.querySelectorAll('tr.molecule')].map(r => [...r.cells].map(c => c.textContent))"


def with_table(shown: tuple[chromium.Browser, Path]) -> chromium.Browser:
    """The page with its table in sight, and downloads caught in `saved`."""
    browser, path = shown
    browser.open(path)
    browser.ask(f"{PANEL}.scrollIntoView({{behavior: 'instant'}})")
    browser.ask(
        "new Promise(done => { const look = () => document.querySelector('tr.molecule') ? done() :"
        " setTimeout(look, 20); look(); })",
        wait=True,
    )
    browser.call("Browser.setDownloadBehavior", behavior="deny")
    browser.ask(
        "window.saved = []; const real = URL.createObjectURL;"
        " URL.createObjectURL = blob => { saved.push(blob); return real.call(URL, blob); }; 0"
    )
    return browser


def saved(browser: chromium.Browser, click: str) -> str:
    """The text of the file that a button gives."""
    browser.ask(f"saved.length = 0; document.querySelector({click!r}).click()")
    return browser.ask(
        "new Promise(done => { const look = () => saved.length ? saved[0].text().then(done) :"
        " setTimeout(look, 20); look(); })",
        wait=True,
    )


def choose(browser: chromium.Browser, name: str, value: str) -> None:
    """Set one of the table's filters, as a hand would."""
    browser.ask(
        f"(() => {{ const one = {PANEL}.querySelector('[name={name}]'); one.value = {value!r};"
        " one.dispatchEvent(new Event('input')); })()"
    )


def test_the_table_begins_with_the_largest_errors_and_sorts(shown: tuple[chromium.Browser, Path]) -> None:
    browser = with_table(shown)
    own = report_case.found().predictions
    own = own[own["endpoint"] == "logS"].set_index("id")
    rows = browser.ask(ROWS)
    assert len(rows) == 25
    exact = own.loc[own["relation"] == "="]
    assert rows[0][0] == (exact["observed"] - exact["predicted"]).abs().idxmax()
    browser.ask(
        f"[...{PANEL}.querySelectorAll('thead button')].find(b => b.textContent == 'predicted').click()"
    )
    assert browser.ask(ROWS)[0][0] == own["predicted"].idxmax()
    browser.ask(
        f"[...{PANEL}.querySelectorAll('thead button')].find(b => b.textContent.startsWith('pred')).click()"
    )
    assert browser.ask(ROWS)[0][0] == own["predicted"].idxmin()


def test_the_table_is_filtered_and_searched(shown: tuple[chromium.Browser, Path]) -> None:
    browser = with_table(shown)
    every = report_case.found().predictions.drop_duplicates("row")
    count = f"{PANEL}.querySelector('.pager').textContent"
    choose(browser, "subset", "valid")
    assert f"of {(every['subset'] == 'valid').sum()} " in browser.ask(count)
    choose(browser, "domain", "outside")
    both = every[(every["subset"] == "valid") & ~every["in_domain"]]
    assert sorted(row[0] for row in browser.ask(ROWS)) == sorted(both["id"])
    choose(browser, "subset", "")
    choose(browser, "domain", "")
    choose(browser, "text", "M17")
    assert {row[0] for row in browser.ask(ROWS)} == {i for i in every["id"] if "M17" in i}
    choose(browser, "text", "cs(=o)")
    assert f"of {every['smiles'].str.contains('CS(=O)', regex=False).sum()} " in browser.ask(count)


def test_a_row_shows_the_molecule_beside_its_nearest_training_molecule(
    shown: tuple[chromium.Browser, Path],
) -> None:
    browser = with_table(shown)
    browser.ask(f"{PANEL}.querySelector('.open').click()")
    text = browser.ask(f"{PANEL}.querySelector('tr.detail').textContent")
    for words in (
        "observed",
        "predicted",
        "90 % interval",
        "domain",
        "nearest training molecule: T",
        "log10 mol/L",
    ):
        assert words in text
    assert browser.ask(f"{PANEL}.querySelectorAll('tr.detail svg.mol path').length") > 2
    browser.ask(f"{PANEL}.querySelector('.open').click()")
    assert browser.ask(f"{PANEL}.querySelector('tr.detail')") is None


def test_the_csv_holds_what_the_filters_leave_for_every_endpoint(
    shown: tuple[chromium.Browser, Path],
) -> None:
    browser = with_table(shown)
    choose(browser, "subset", "test")
    table = pd.read_csv(io.StringIO(saved(browser, ".csv").removeprefix("\ufeff")))
    own = report_case.found().predictions
    own = own.loc[own["subset"] == "test"]
    logs = own.loc[own["endpoint"] == "logS"].set_index("id")
    assert sorted(table["id"]) == sorted(logs.index)
    found = table.set_index("id")["logS (log10 mol/L) predicted"]
    np.testing.assert_allclose(found, logs.loc[found.index, "predicted"], rtol=1e-3)
    assert set(table["active observed"].dropna()) == {"No", "Yes"}
    assert (table["domain"].to_numpy() == "outside").sum() == (~logs["in_domain"]).sum()


def test_rdkit_reads_the_sdf_and_finds_the_same_molecules(shown: tuple[chromium.Browser, Path]) -> None:
    browser = with_table(shown)
    text = saved(browser, ".sdf")
    every = report_case.found().predictions.drop_duplicates("row").set_index("id")
    supplier = Chem.SDMolSupplier()
    supplier.SetData(text)
    found = {mol.GetProp("_Name"): mol for mol in supplier}
    assert sorted(found) == sorted(every.index)
    for name, mol in found.items():
        assert Chem.MolToSmiles(mol) == Chem.CanonSmiles(every.loc[name, "smiles"])
        assert mol.GetProp("subset") == every.loc[name, "subset"]


def drag(browser: chromium.Browser, figure: int, start: float, end: float) -> None:
    """Draw a box over a part of a chart, as shares of its frame from the left, over its whole height."""
    sides = browser.ask(f"""(() => {{
      const chart = document.querySelectorAll('.hovers')[{figure}].querySelector('.chart');
      chart.scrollIntoView({{block: 'center', behavior: 'instant'}});
      const box = chart.getBoundingClientRect();
      const scale = box.width / chart.viewBox.baseVal.width;
      const [x, y, w, h] = chart.querySelector('.area').getAttribute('viewBox').split(' ').map(Number);
      return [box.left + x * scale, box.top + y * scale, w * scale, h * scale];
    }})()""")
    x, y, wide, high = sides
    mouse = "Input.dispatchMouseEvent"
    browser.call(mouse, type="mousePressed", x=x + start * wide, y=y + 1, button="left", clickCount=1)
    for at in (start + 0.02, end):
        browser.call(mouse, type="mouseMoved", x=x + at * wide, y=y + high - 1, button="left", buttons=1)
    browser.call(mouse, type="mouseReleased", x=x + end * wide, y=y + high - 1, button="left", clickCount=1)


def test_a_selection_filters_the_table(shown: tuple[chromium.Browser, Path]) -> None:
    browser = with_table(shown)
    drag(browser, 0, 0.0, 0.5)
    said = browser.ask("document.querySelector('.chosen').textContent")
    own = report_case.found().predictions
    own = own.loc[(own["endpoint"] == "logS") & (own["subset"] == "test") & own["observed"].notna()]
    both = np.concatenate([own["observed"], own["predicted"]])
    left, right = both.min(), both.max()
    middle = (own["observed"] <= (left + right) / 2).sum()
    assert said.startswith(f"{middle} molecules")
    browser.ask("document.querySelector('.chosen button').click()")
    assert f"of {middle} " in browser.ask(f"{PANEL}.querySelector('.pager').textContent")
    assert "selected in “Observed and predicted”" in browser.ask(
        f"{PANEL}.querySelector('.selected').textContent"
    )
    browser.ask(f"{PANEL}.querySelector('.selected button').click()")
    assert f"of {own['row'].nunique() + 3 + 60} " in browser.ask(
        f"{PANEL}.querySelector('.pager').textContent"
    )


def test_a_chart_zooms_and_its_dots_still_show_their_molecules(shown: tuple[chromium.Browser, Path]) -> None:
    browser, path = shown
    browser.open(path)
    figure = "document.querySelector('.hovers')"
    ticks = f"[...{figure}.querySelectorAll('.tick.x')].map(t => t.textContent)"
    before = browser.ask(ticks)
    drag(browser, 0, 0.4, 0.6)
    browser.ask("[...document.querySelectorAll('.chosen button')][1].click()")
    after = browser.ask(ticks)
    width = [
        abs(float(t[-1].replace("\u2212", "-")) - float(t[0].replace("\u2212", "-"))) for t in (before, after)
    ]
    assert width[1] < 0.35 * width[0]
    seen = browser.ask(f"""(() => {{
      const chart = {figure}.querySelector('.chart'), box = chart.getBoundingClientRect();
      const scale = box.width / chart.viewBox.baseVal.width;
      const [x, y, w, h] = chart.querySelector('.area').getAttribute('viewBox').split(' ').map(Number);
      for (const path of chart.querySelectorAll('.dots'))
        for (const at of path.getAttribute('d').matchAll(/M([\\d.-]+) ([\\d.-]+)/g))
          if (at[1] > x && at[1] < x + w && at[2] > y && at[2] < y + h)
            return [box.left + at[1] * scale, box.top + at[2] * scale];
    }})()""")
    browser.point(*seen)
    assert "predicted" in browser.ask(f"{CARD}.textContent")
    browser.ask(f"{figure}.querySelector('.chart').dispatchEvent(new Event('dblclick'))")
    assert browser.ask(ticks) == before


def test_a_chart_is_saved_as_svg_and_png(shown: tuple[chromium.Browser, Path]) -> None:
    browser = with_table(shown)
    text = saved(browser, ".tools button[aria-label$=SVG]")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in text
    assert "rgb(" in text
    browser.ask("saved.length = 0; document.querySelector('.tools button[aria-label$=PNG]').click()")
    first = "saved[0].arrayBuffer().then(b => done([...new Uint8Array(b.slice(0, 4))], saved[0].size))"
    head = browser.ask(
        "new Promise(done => { const look = () => saved.length ? "
        f"{first} : setTimeout(look, 20); look(); }})",
        wait=True,
    )
    assert bytes(head) == b"\x89PNG"
    assert browser.said == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_card_never_covers_its_dot(shown: tuple[chromium.Browser, Path], width: int) -> None:
    browser, path = shown
    browser.open(path, width=width)
    for figure in range(2):
        for dot in range(0, 40, 7):
            x, y = place_of(browser, figure, dot)
            browser.point(x, y, click=True)
            box = browser.ask(
                f"(() => {{ const b = {CARD}.getBoundingClientRect();"
                " return [b.left, b.right, b.top, b.bottom] })()"
            )
            lit = browser.ask(
                "(() => { const b = document.querySelector('.lit').getBoundingClientRect();"
                " return [b.left + b.width / 2, b.top + b.height / 2] })()"
            )
            assert not (box[0] < lit[0] < box[1] and box[2] < lit[1] < box[3])
            assert box[0] >= 0
            assert box[1] <= width
            browser.press("Escape")
