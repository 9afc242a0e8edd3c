"""The pipeline as a whole, with a real Prefect server and a real DVC repository."""

import shutil
import time
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from manywalks import files
from tests.conftest import command, copy_repository, run
from tests.support.prefect_server import server

OUTPUTS = (
    "data/curated.parquet", "data/rejected.csv", "data/features.npz",
    "data/not_featurized.csv", "data/split.parquet",
    "models/ensemble/model.keras", "models/ensemble/manifest.json", "reports/metrics.json",
    "reports/statement.json", "reports/predictions.parquet", "reports/report.html",
)  # fmt: skip


def test_a_run_leaves_every_file_of_the_design(trained: Path) -> None:
    assert [name for name in OUTPUTS if not (trained / name).is_file()] == []
    assert not list(trained.rglob(".tmp-*"))


def test_every_record_is_kept_merged_or_rejected(trained: Path) -> None:
    kept = pd.read_parquet(trained / "data/curated.parquet")
    rejected = pd.read_csv(trained / "data/rejected.csv")
    read = len(pd.read_csv(trained / "table.csv"))
    assert int(kept["records"].to_numpy().sum()) + len(rejected) == read


def test_the_model_predicts_what_the_replicates_predicted(trained: Path) -> None:
    from manywalks.ensemble.model import Ensemble

    predictions = pd.read_parquet(trained / "reports/predictions.parquet")
    found = Ensemble.load(trained / "models/ensemble").predict(predictions["smiles"].tolist(), cores=1)
    np.testing.assert_allclose(found["logS"], predictions["predicted"], atol=1e-4)
    np.testing.assert_allclose(found["logS:spread"], predictions["spread"], atol=1e-4)
    assert set(found["rejected"]) == {""}


def test_a_second_run_says_that_nothing_changed(trained: Path) -> None:
    before = {name: (trained / name).stat().st_mtime_ns for name in OUTPUTS}
    done = command("train", "--workspace", str(trained))
    assert done.returncode == 0
    assert "Nothing changed" in done.stdout
    assert {name: (trained / name).stat().st_mtime_ns for name in OUTPUTS} == before


def test_the_last_words_are_a_table_and_a_sentence(trained: Path) -> None:
    said = command("train", "--workspace", str(trained)).stdout
    assert "logS" in said
    assert "±" in said
    assert "log10 mol/L" in said
    assert "report.html" in said


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> tuple[Path, Path]:
    """Two equal repositories, one brought up to date by `dvc repro`, one by the flow."""
    by_dvc = copy_repository(tmp_path_factory.mktemp("dvc"), demo_table)
    by_flow = tmp_path_factory.mktemp("flow") / "copy"
    shutil.copytree(by_dvc, by_flow)
    done = run(["dvc", "repro", "-q"], cwd=by_dvc)
    assert done.returncode == 0, done.stdout + done.stderr
    done = command("train", cwd=by_flow)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dvc.lock" not in done.stdout + done.stderr
    return by_dvc, by_flow


def test_both_orchestrators_end_with_the_same_record(repositories: tuple[Path, Path]) -> None:
    by_dvc, by_flow = repositories
    assert (by_flow / "dvc.lock").read_text() == (by_dvc / "dvc.lock").read_text()


def test_prefect_knows_from_which_data_version_a_model_came(repositories: tuple[Path, Path]) -> None:
    """Read back over the API: what was made, and from what; the server keeps events some seconds later."""
    _, by_flow = repositories
    root = f"file://{by_flow}"
    version = files.md5_file(by_flow / "table.csv")
    made: dict[str, dict] = {}
    for _ in range(60):
        made = {one["resource"]["prefect.resource.id"]: one for one in materialized(root)}
        if len(made) == 3:
            break
        time.sleep(0.5)
    model = made[f"{root}/models/ensemble"]
    sources = [one["prefect.resource.id"] for one in model["related"]]
    assert len(sources) == len(set(sources))
    assert set(sources) >= {f"{root}/table.csv@{version}", f"{root}/data/features.npz"}
    assert {one["payload"]["data version"] for one in made.values()} == {version}
    assert made[f"{root}/data/features.npz"]["payload"]["md5"] == files.md5_file(
        by_flow / "data/features.npz"
    )
    assert model["resource"]["prefect.resource.name"] == "model"


def test_the_scores_in_prefect_say_which_data_it_was(repositories: tuple[Path, Path]) -> None:
    _, by_flow = repositories
    data = files.read_json(by_flow / "models/ensemble/manifest.json")["data"]
    assert (data["path"], data["rows"], data["rev"]) == ("table.csv", 161, None)
    answer = httpx.post(
        f"{server.url()}/artifacts/filter", json={"artifacts": {"key": {"like_": "-model"}}, "limit": 50}
    )
    answer.raise_for_status()
    said = [one["data"].replace("\\", "") for one in answer.json()]
    assert any(f"table.csv, 161 rows, md5 {data['md5']}" in text for text in said)


def materialized(root: str) -> list[dict]:
    """Events of assets of a workspace that were made."""
    wanted = {"event": {"name": ["prefect.asset.materialization.succeeded"]}}
    answer = httpx.post(f"{server.url()}/events/filter", json={"filter": wanted, "limit": 50})
    answer.raise_for_status()
    return [one for one in answer.json()["events"] if one["resource"]["prefect.resource.id"].startswith(root)]


def test_after_dvc_the_flow_has_nothing_to_do(repositories: tuple[Path, Path]) -> None:
    by_dvc, _ = repositories
    before = (by_dvc / "dvc.lock").read_bytes()
    done = command("train", cwd=by_dvc)
    assert "Nothing changed" in done.stdout, done.stdout + done.stderr
    assert (by_dvc / "dvc.lock").read_bytes() == before


def test_after_the_flow_dvc_has_nothing_to_do(repositories: tuple[Path, Path]) -> None:
    _, by_flow = repositories
    before = (by_flow / "dvc.lock").read_bytes()
    done = run(["dvc", "repro"], cwd=by_flow)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Data and pipelines are up to date" in done.stdout + done.stderr
    assert (by_flow / "dvc.lock").read_bytes() == before


def test_a_deleted_output_is_made_again_and_only_that(repositories: tuple[Path, Path]) -> None:
    _, by_flow = repositories
    (by_flow / "reports/report.html").unlink()
    untouched = by_flow / "models/ensemble/model.keras"
    before = untouched.stat().st_mtime_ns
    done = command("train", cwd=by_flow)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (by_flow / "reports/report.html").is_file()
    assert untouched.stat().st_mtime_ns == before


def test_other_parameters_never_touch_the_record(repositories: tuple[Path, Path], tmp_path: Path) -> None:
    _, by_flow = repositories
    before = (by_flow / "dvc.lock").read_bytes()
    other = tmp_path / "other.yaml"
    text = (by_flow / "params.yaml").read_text(encoding="utf-8")
    other.write_text(text.replace("epochs: 4", "epochs: 2"), encoding="utf-8")
    done = command("train", "--params", str(other), cwd=by_flow)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (by_flow / "dvc.lock").read_bytes() == before
    found = list((by_flow / "runs").glob("other-*/reports/metrics.json"))
    assert len(found) == 1
    assert files.read_json(found[0]) != files.read_json(by_flow / "reports/metrics.json")
