"""Tables of results on the terminal: nothing of them is cut, however narrow it is."""

import io

import pytest
from rich.console import Console

from manywalks.cli.show.tables import fitted_table
from manywalks.compare.report.undecided import undecided

HEADER = ["task", "metric", "best on the leaderboard"]
ROWS = [["caco2_wang", "mae ↓", "0.256 CaliciBoost"], ["ames", "auroc ↑", "0.871 ZairaChem"]]


@pytest.mark.parametrize("width", [43, 44, 120])
def test_every_word_is_shown(width: int) -> None:
    out = io.StringIO()
    Console(file=out, width=width).print(fitted_table(HEADER, ROWS, width))
    shown = out.getvalue()
    words = " ".join([*HEADER[1:], *(cell for row in ROWS for cell in row)]).split()
    assert all(word in shown for word in words)
    assert max(map(len, shown.splitlines())) <= width


def test_a_table_is_a_list_of_rows_only_where_it_does_not_fit() -> None:
    natural = len("caco2_wang") + len("auroc ↑") + len("best on the leaderboard") + 4
    assert fitted_table(HEADER, ROWS, natural).show_header
    assert not fitted_table(HEADER, ROWS, natural - 1).show_header


def test_undecided_pairs_say_what_each_of_them_can_do() -> None:
    none = {"splits": None, "replicates": None, "molecules": None}
    ends = {"low": -0.1, "high": 0.2, "p": 0.3}
    pairs = [{"needs": none, **ends}, {"needs": {**none, "splits": 50}, **ends}]
    design = {"splits": 5, "replicates": 2}
    both, hopeless = undecided(pairs, design, 0.95), undecided(pairs[:1] * 2, design, 0.95)
    assert "(--repeats)" in both
    assert "Where nothing is named: Neither more splits" in both
    assert "(--repeats)" not in hopeless
    assert "cannot tell. Neither more splits" in hopeless
    assert undecided(pairs[1:], design, 0.95).endswith("If the estimates stay as they are, 50 splits would.")
    apart = "Where the interval does not contain 0, the two surely differ"
    assert apart not in both
    assert apart in undecided([{**pairs[0], "low": 0.01, "p": 0.02}, pairs[1]], design, 0.95)
    assert apart not in undecided([{**pairs[0], "low": 0.01}, pairs[1]], design, 0.95)
