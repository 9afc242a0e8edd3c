"""A real MLflow server, in an environment of its own: MLflow does not fit beside requirements.lock."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from manywalks.ensemble.model import Ensemble
from tests.conftest import REPOSITORY, run

pytestmark = pytest.mark.long

SMILES = ["CCO", "c1ccccc1O", "not one"]
LOOK = """
import json, sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
found = mlflow.pyfunc.load_model("models:/logS/1").predict(json.loads(sys.argv[2]))
run = mlflow.search_runs(experiment_names=["manywalks"]).iloc[0]
files = sorted(one.path for one in mlflow.artifacts.list_artifacts(run_id=run["run_id"]))
values = found["logS"].astype(object).where(found["logS"].notna(), None).tolist()
rows = {"logS": values, "rejected": found["rejected"].tolist()}
print("FOUND" + json.dumps([rows, files, run["params.network.widths"], run["metrics.logS.test.rmse"]]))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """This environment with MLflow, and the versions that it wants, before it on the path."""
    folder = tmp_path_factory.mktemp("mlflow") / "packages"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    numpy = f"numpy=={np.__version__}"
    install = [uv, "pip", "install", "--python"] if uv else [sys.executable, "-m", "pip", "install"]
    command = [*install, *([sys.executable] if uv else []), "--target", str(folder), "mlflow>=3.1,<4", numpy]
    done = run(command)
    if done.returncode != 0:
        pytest.skip(f"MLflow cannot be installed here: {done.stderr[-300:]}")
    path = os.pathsep.join([str(folder), str(REPOSITORY / "src")])
    return {"PYTHONPATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


@pytest.fixture(scope="module")
def server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a fresh MLflow server listens."""
    folder = tmp_path_factory.mktemp("server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/db.sqlite", "--artifacts-destination", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *stores, "--port", str(port), "--workers", "1"],
        env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url, start = f"http://127.0.0.1:{port}", time.monotonic()
    try:
        while True:
            assert process.poll() is None and time.monotonic() - start < 300
            try:
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def test_a_registered_model_predicts_from_smiles(
    server: str, environment: dict[str, str], trained: Path, tmp_path: Path
) -> None:
    code = "from manywalks.cli.start import main; main()"
    done = run([sys.executable, "-c", code, "export", str(trained), "--mlflow", server], None, **environment)
    assert done.returncode == 0 and "logS, version 1" in done.stdout, done.stdout + done.stderr
    seen = run([sys.executable, "-c", LOOK, server, json.dumps(SMILES)], None, **environment)
    assert seen.returncode == 0, seen.stderr
    line = next(line for line in seen.stdout.splitlines() if line.startswith("FOUND"))
    rows, files, widths, rmse = json.loads(line.removeprefix("FOUND"))
    known = Ensemble.load(trained / "models/ensemble").predict(SMILES, cores=1)
    np.testing.assert_allclose(rows["logS"][:2], known["logS"].to_numpy()[:2], rtol=1e-5)
    assert rows["logS"][2] is None and rows["rejected"] == known["rejected"].tolist()
    assert files == ["card.md", "metrics.json", "report.html", "statement.json"]
    assert "16" in widths
    assert rmse == pytest.approx(
        json.loads((trained / "reports/metrics.json").read_text())["logS"]["ensemble"]["rmse"]
    )
