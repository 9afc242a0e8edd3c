"""`manywalks compare` as a whole."""

from pathlib import Path

import pandas as pd
import pytest

from manywalks import files
from tests.conftest import SMALL, command


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Path:
    """A workspace after `manywalks compare` of two sizes."""
    folder = tmp_path_factory.mktemp("compared")
    demo_table.iloc[::12].to_csv(folder / "table.csv", index=False)
    (folder / "params.yaml").write_text(SMALL, encoding="utf-8")
    done = _compare(folder, "--set", "network.widths=[2],[32]")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _compare(folder: Path, *more: str):
    return command(
        "compare", "--workspace", str(folder), "--repeats", "2", "--folds", "3", "--replicates", "4", *more
    )


def test_the_report_has_scores_and_verdicts(compared: Path) -> None:
    found = files.read_json(compared / "reports/compare.json")
    endpoint = found["endpoints"]["logS"]
    assert [row["name"] for row in endpoint["scores"]] == ["widths=2", "widths=32"]
    assert endpoint["scores"][0]["infinite"] < endpoint["scores"][0]["ensemble"]
    assert endpoint["pairs"][0]["verdict"] in ("better", "equivalent", "worse", "undecided")
    assert [one["differs"]["network.widths"] for one in found["configurations"]] == [[2], [32]]
    page = (compared / "reports/compare.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "widths=32" in page


def test_adding_a_configuration_trains_only_that(compared: Path) -> None:
    fold_stores = {
        path: path.stat().st_mtime_ns for path in (compared / ".manywalks/compare").glob("*/*-*.npz")
    }
    assert len(fold_stores) in (9, 12)  # two configurations on two repeats of three folds, or one stopped
    done = _compare(compared, "--set", "network.widths=[2],[32],[8]")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(path.stat().st_mtime_ns == before for path, before in fold_stores.items())
    found = files.read_json(compared / "reports/compare.json")
    assert len(found["endpoints"]["logS"]["pairs"]) == 3


def test_shares_of_the_variance_add_up(compared: Path) -> None:
    done = _compare(compared, "--variance", "--repeats", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    found = files.read_json(compared / "reports/compare-variance.json")["variance"]["logS"]
    assert set(found["parts"]) == {"split", "weights", "order", "dropout"}
    assert sum(subset["value"] for subset in found["parts"].values()) == pytest.approx(1)
    assert found["alone"]["numerics"]["value"] < found["alone"]["weights"]["value"]


def test_other_data_is_refused_in_one_line(compared: Path) -> None:
    other = compared / "other.yaml"
    other.write_text(SMALL.replace("test: 0.25", "test: 0.3"), encoding="utf-8")
    done = _compare(compared, str(compared / "params.yaml"), str(other))
    assert done.returncode == 2
    assert done.stderr.strip().startswith("compare: params and other differ in split.test")
    assert len(done.stderr.strip().splitlines()) == 1
