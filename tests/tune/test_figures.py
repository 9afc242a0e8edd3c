"""Figures of a search: words keep clear of each other however many keys there are."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manywalks.report.html import template_text
from manywalks.tune.report.figures import in_order
from manywalks.tune.report.parallel import SIDE_BY_SIDE, parallel
from tests.support import chromium

BLOCKS = ("morgan_feature_count", "erg", "atom_pair_count", "torsion_count", "avalon_count", "ionization")
SPACE: list[dict[str, Any]] = [
    {"key": "transform.targets", "choices": ["auto", "standard", "normal_scores"]},
    {"key": "train.learning_rate", "low": 0.0002, "high": 0.005, "log": True},
    {"key": "train.batch_size", "choices": [64, 32, 128]},
    {"key": "network.widths", "choices": [[256, 128], [64], [1024, 512, 256, 128], [512, 256]]},
    {"key": "network.dropout", "low": 0.0, "high": 0.6, "log": False},
    {"key": "families.paths.weight", "low": 0.25, "high": 4.0, "log": True},
    *({"key": f"featurize.blocks.{name}.use", "choices": [True, False]} for name in BLOCKS),
]


def drawn(rng: np.random.Generator, key: dict[str, Any]) -> Any:
    """A value of a key."""
    if "choices" in key:
        return key["choices"][rng.integers(len(key["choices"]))]
    return rng.uniform(key["low"], key["high"])


def found(trials: int = 20) -> dict[str, Any]:
    """A search of many keys; its second trial is hopeless."""
    rng = np.random.default_rng(3)
    made = [
        {"number": n, "state": "done", "gain": gain, "low": gain - 0.01, "high": gain + 0.01,
         "values": {key["key"]: drawn(rng, key) for key in SPACE}}
        for n, gain in enumerate(rng.normal(0, 0.01, trials), start=1)
    ]  # fmt: skip
    made[1] |= {"state": "beaten", "gain": -5.0, "low": -5.01, "high": -4.99}
    return {
        "cost": None,
        "space": SPACE,
        "trials": made,
        "winner": {**made[0]},
        "metric": {"name": "RMSE", "unit": ""},
    }


@pytest.mark.parametrize("width", [1280, 800])
def test_words_of_many_keys_do_not_overlap(width: int, tmp_path: Path) -> None:
    if chromium.executable() is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    style = template_text("report.css") + template_text("study.css")
    path = tmp_path / "figure.html"
    path.write_text(
        f"<meta charset=utf-8><style>{style}</style><main><figure>{parallel(found()).svg}</figure></main>",
        encoding="utf-8",
    )
    with chromium.browser(tmp_path / "profile") as browser:
        browser.open(path, width=width)
        overlaps = browser.ask(
            """(() => {
              const boxes = [...document.querySelectorAll('.parallel text')].map(t => [t.textContent,
                t.getBoundingClientRect()]);
              return boxes.flatMap(([a, p], n) => boxes.slice(n + 1).filter(([b, q]) => p.left < q.right - 1
                && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
                .map(([b]) => a + ' / ' + b));
            })()"""
        )
        assert overlaps == []
        assert browser.ask("document.documentElement.scrollWidth") <= width


def test_keys_are_dealt_to_rows_that_each_end_with_the_gain() -> None:
    svg = parallel(found()).svg
    rows = svg.split("<g transform")[1:]
    assert len(rows) == -(-len(SPACE) // SIDE_BY_SIDE)
    assert all(row.count('class="title"') <= SIDE_BY_SIDE + 1 for row in rows)
    assert all(re.findall(r'class="title"[^>]*>([^<]*)', row)[-1] == "gain" for row in rows)
    assert svg.count("<polyline") == len(rows) * 20


def test_choices_are_in_the_order_of_their_size() -> None:
    svg = parallel(found()).svg
    texts = re.findall(r'class="tick"[^>]*>([^<]*)', svg)
    place = texts.index("32")
    assert texts[place : place + 3] == ["32", "64", "128"]
    assert texts.count("in") == texts.count("out") == len(BLOCKS)


def test_a_hopeless_trial_is_a_triangle_at_the_foot() -> None:
    svg = in_order(found()).svg
    assert svg.count('class="arrows"') == 1
    assert "≤ " in parallel(found()).svg


def test_trials_are_counted_in_whole_numbers() -> None:
    svg = in_order(found(trials=12)).svg
    assert re.findall(r'class="tick x"[^>]*>([^<]*)', svg) == ["0", "5", "10"]
