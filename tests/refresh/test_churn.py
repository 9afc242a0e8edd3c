"""Churn of two models, and what refresh does and says of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manywalks import files
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.params.load import parse_params
from manywalks.refresh import refresh
from manywalks.refresh.churn import Molecules, churn_of, churn_of_table, moved_too_far
from manywalks.refresh.model_view import ModelView
from manywalks.refresh.text import text_of
from manywalks.report.churn import page
from tests.conftest import command

N = 120
PARAMS = parse_params(
    {
        "data": {
            "path": "t.csv",
            "endpoints": {
                "logS": {"unit": "log10 mol/L"},
                "active": {"kind": "classification"},
                "new": {"unit": "mg"},
            },
        }
    }
)


def view(seed: int, moved: np.ndarray | float = 0.0, m: int = 10) -> ModelView:
    """A model of two endpoints at N molecules."""
    rng = np.random.default_rng(seed)
    true = np.random.default_rng(0).normal(size=N)
    logs = true + moved + 0.1 * rng.normal(size=(m, N))
    classes = 1 / (1 + np.exp(-(true + 0.1 * rng.normal(size=(m, N)))))
    dumped = PARAMS.model_dump(mode="json")
    dumped["data"]["endpoints"].pop("new")
    about = {
        "params": dumped,
        "calibration": {
            "logS": Calibration("regression", 50).to_json(),
            "active": Calibration("classification", 50, slope=2.0).to_json(),
        },
    }
    return ModelView(np.stack([logs, classes], axis=-1), about, pd.DataFrame(index=range(N)))


@pytest.fixture
def molecules() -> Molecules:
    return Molecules([f"m{k}" for k in range(N)], ["C" * (k % 9 + 1) + "O" for k in range(N)], {})


def test_only_endpoints_that_both_predict_are_compared(molecules: Molecules) -> None:
    found = churn_of([view(1), view(2)], molecules, PARAMS)
    assert list(found) == ["logS", "active"]
    assert found["logS"]["flips"] is None and found["active"]["flips"]["cut"] == ">= 0.5"
    assert "before calibration" in found["active"]["sentences"][0]


def test_molecules_that_moved_are_named_on_page_and_in_the_text(molecules: Molecules) -> None:
    moved = np.zeros(N)
    moved[[7, 40]] = 3.0
    found = churn_of([view(1), view(2, moved)], molecules, PARAMS)
    assert {one["id"] for one in found["logS"]["beyond"]["named"]} >= {"m7", "m40"}
    assert {one["id"] for one in found["logS"]["moved_most"][:2]} == {"m7", "m40"}
    html = page({"former": "a", "new": "b", "endpoints": found}, "2026-11-26")
    assert html.count('<svg class="mol"') == 20 and "beyond luck</span>" in html
    report = {"when": "now", "champion": "a", "challenger": "b", "promoted": False, "reason": "why",
              "endpoints": {}, "churn": found, "drift": None, "warnings": []}  # fmt: skip
    said = text_of(report)
    assert "## Churn" in said and "| m7 |" in said and found["logS"]["sentences"][0] in said


def test_names_of_molecules_are_no_markup(molecules: Molecules) -> None:
    strange = molecules._replace(ids=["<b>x</b>"] * N)
    found = churn_of([view(1), view(2)], strange, PARAMS)
    assert "<b>x</b>" not in page({"former": "a", "new": "b", "endpoints": found})


@given(st.sampled_from(["better", "not_worse"]), st.sampled_from(["better", "equivalent"]))
def test_a_model_that_is_no_better_and_moves_far_is_not_promoted(rule: str, verdict: str) -> None:
    churned = {"y": {"molecules": 50, "rms_change": 0.3, "sd": 1.0}}
    asked = {"y": {"verdict": verdict, "difference": 0.0, "champion": 1.0}}
    far = moved_too_far(churned, 0.2)
    assert moved_too_far(churned, 0.4) == moved_too_far(churned, None) == []
    rises, reason = refresh.decide(asked, rule, moved=far)
    without, _ = refresh.decide(asked, rule)
    assert rises == (without and verdict == "better")
    if without and not rises:
        assert "predictions moved by y 0.30 sd" in reason and "refresh.max_churn" in reason


def test_a_model_beside_itself_has_not_changed(trained: Path, tmp_path: Path) -> None:
    """Through the command; a row that is no molecule is counted and left out."""
    table = pd.read_csv(trained / "table.csv", dtype=str).head(60)
    table.loc[len(table)] = {"smiles": "no molecule"}
    table.to_csv(tmp_path / "in.csv", index=False)
    model = str(trained / "models/ensemble")
    done = command("churn", model, model, str(tmp_path / "in.csv"), "--output", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    found = files.read_json(tmp_path / "out/churn.json")
    one = found["endpoints"]["logS"]
    assert (found["rows"], found["left_out"], one["rms_change"]) == (61, 1, 0.0)
    assert one["luck_rms"] > 0 and one["beyond"]["molecules"] == 0
    assert "No single molecule moved beyond luck." in done.stdout
    assert (tmp_path / "out/churn.html").is_file()
    with pytest.raises(ValueError, match="no column 'structure'"):
        churn_of_table(Path(model), Path(model), tmp_path / "in.csv", smiles="structure")
