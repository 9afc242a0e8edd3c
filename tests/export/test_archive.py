"""One .zip is the whole model: predict and serve take it as it is, and no damage goes unseen."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.model_file.archive import pack, unpack
from manywalks.export.archive import write_zip
from tests.conftest import command
from tests.support.service import served

SMILES = ["CCO", "c1ccccc1O", "not one"]


@pytest.fixture(scope="module")
def archive(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "solubility.zip"
    done = command("export", str(trained), "--zip", str(path))
    assert done.returncode == 0, done.stderr
    return path


def test_predict_takes_it(archive: Path, trained: Path, tmp_path: Path) -> None:
    pd.DataFrame({"smiles": SMILES}).to_csv(tmp_path / "in.csv")
    for model, output in ((archive, "zip.csv"), (trained / "models/ensemble", "folder.csv")):
        done = command("predict", str(model), str(tmp_path / "in.csv"), str(tmp_path / output))
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "zip.csv").read_bytes() == (tmp_path / "folder.csv").read_bytes()


def test_the_python_api_takes_it(archive: Path, trained: Path) -> None:
    known = Ensemble.load(trained / "models/ensemble").predict(SMILES, cores=1)
    pd.testing.assert_frame_equal(Ensemble.load(archive).predict(SMILES, cores=1), known)


def test_serve_takes_it_and_knows_all_that_the_workspace_knew(archive: Path, tmp_path: Path) -> None:
    with served(tmp_path, str(archive)) as running, running.client() as client:
        (one,) = client.get("/v1/models").json()["models"]
        assert one["model"] == "solubility" and one["knows_training_molecules"]
        assert client.get("/v1/models/solubility/card").status_code == 200
        assert client.get("/v1/models/solubility/statement").status_code == 200
        assert client.post("/v1/models/solubility/predict", json=SMILES).status_code == 200


def test_training_molecules_can_be_left_out(trained: Path, tmp_path: Path) -> None:
    write_zip(trained / "models/ensemble", tmp_path / "m.zip", training=False)
    with zipfile.ZipFile(tmp_path / "m.zip") as found:
        assert "seen.parquet" not in found.namelist() and "statement.json" in found.namelist()


def test_damage_is_seen(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "m.zip").write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        Ensemble.load(tmp_path / "m.zip")


def test_an_archive_writes_nothing_outside_of_its_folder(tmp_path: Path) -> None:
    for name in ("../evil", "/tmp/evil", "a\\..\\evil"):
        pack({name: b"x"}, tmp_path / "m.zip")
        with pytest.raises(ValueError, match="outside"):
            unpack(tmp_path / "m.zip", tmp_path / "there")


def test_another_zip_is_no_model(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as other:
        other.writestr("a.txt", "x")
    with pytest.raises(ValueError, match="is no model of manywalks"):
        Ensemble.load(tmp_path / "m.zip")


def test_the_same_model_is_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_zip(trained / "models/ensemble", tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_what_was_unpacked_is_gone_after_an_interruption(tmp_path: Path) -> None:
    pack({"model/manifest.json": b"{}"}, tmp_path / "m.zip")
    code = (
        "import os, signal, sys, time; from pathlib import Path; from manywalks.runtime import interrupt;"
        "from manywalks.ensemble.model_file.archive import model_folder; interrupt.watch();"
        "opened = model_folder(Path(sys.argv[1])); folder = opened.__enter__();"
        "assert (folder / 'manifest.json').is_file(); os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    program = [sys.executable, "-c", code, str(tmp_path / "m.zip")]
    done = subprocess.run(program, env={**os.environ, "TMPDIR": str(scratch)}, timeout=60)
    assert done.returncode == 130
    assert list(scratch.iterdir()) == []
