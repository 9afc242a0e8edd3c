"""Scoring tables: every row in order, the same numbers as one by one, and nothing lost to a kill."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from manywalks import files
from manywalks.cli.predict import run_predict
from manywalks.ensemble import manifest
from manywalks.ensemble.model import Ensemble
from manywalks.predict import predict, stream
from manywalks.predict.columns import Record
from manywalks.predict.predict import predict_table
from manywalks.runtime import progress
from tests.conftest import command, run

BAD = ["not one", "", "[Na+].[Cl-]"]


@pytest.fixture(scope="module")
def model(trained: Path) -> Path:
    return trained / "models/ensemble"


@pytest.fixture(scope="module")
def molecules(demo_table: pd.DataFrame) -> list[str]:
    """400 rows: repeats near and far, and bad ones."""
    some = demo_table["smiles"].tolist()[:150]
    return [*some, *BAD, *some[:80], *some[::-1], "CCO", *BAD, *some[:13]]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "_chunk_rows", lambda ensemble: 40)
    monkeypatch.setattr(stream, "RECENT", 3)


def table_of(smiles: list[str], path: Path) -> Path:
    pd.DataFrame({"name": [f"n{i}" for i in range(len(smiles))], "smiles": smiles}).to_csv(path, index=False)
    return path


def test_closed_streams_are_named_where_the_rows_should_come_or_go(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ValueError, match="standard input is closed; name a table"):
        predict_table(model, Path("-"), tmp_path / "out.csv")
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(ValueError, match="standard output is closed; name a file"):
        run_predict(model, tmp_path / "in.csv", Path("-"), {})


def test_rows_that_repeat_a_molecule_are_told_before_the_number_of_molecules(
    model: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    rows = table_of(["CCO", "OCC", "not one", "CCN", "CCO"], tmp_path / "in.csv")
    predict_table(model, rows, tmp_path / "out.csv", say=said.append)
    (repeats,) = [line for line in said if "repeat" in line]
    assert repeats.startswith("2 of 4 predicted rows repeat a molecule")
    assert "these 2 molecules" in said[said.index(repeats) + 1]


def test_rows_are_those_of_predicting_all_at_once(
    model: Path, molecules: list[str], tmp_path: Path, small_chunks: None
) -> None:
    done = predict_table(model, table_of(molecules, tmp_path / "in.csv"), tmp_path / "out.parquet")
    assert done == (len(molecules), 2 * len(BAD))
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["id"].tolist() == [f"n{i}" for i in range(len(molecules))]
    assert found["smiles"].tolist() == molecules
    expected = Ensemble.load(model).predict(molecules, cores=1)
    assert found["rejected"].tolist() == expected["rejected"].tolist()
    assert found["standardized"].tolist() == expected["standardized"].where(
        expected["standardized"].notna(), None
    ).tolist()  # fmt: skip
    for name in ("logS", "logS:spread", "logS:low", "logS:high", "logS:bound", "similarity"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-6)
    assert list(found.columns) == [
        "id", "smiles", "standardized", "logS", "logS:spread", "logS:low", "logS:high", "logS:bound",
        "similarity", "in_domain", "rejected",
    ]  # fmt: skip
    assert not (tmp_path / "out.parquet.parts").exists()


def test_a_cluster_scores_the_same_rows(
    model: Path, molecules: list[str], tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of(molecules, tmp_path / "in.csv")
    here = predict_table(model, table, tmp_path / "here.parquet")
    asked = predict.orchestrate_of(model).model_copy(update={"runner": "dask", "address": None, "cores": 2})
    monkeypatch.setattr(predict, "orchestrate_of", lambda model: asked)
    assert predict_table(model, table, tmp_path / "far.parquet") == here
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "far.parquet"), pd.read_parquet(tmp_path / "here.parquet"), rtol=1e-4
    )


def test_a_molecule_costs_one_request_however_often_it_comes(
    model: Path, tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    add = stream.WorkerPool.add

    def noted(self, texts):
        asked.extend(texts)
        return add(self, texts)

    monkeypatch.setattr(stream.WorkerPool, "add", noted)
    smiles = ["OCC", "C(O)C", "CCN", "CCO"] * 50
    predict_table(model, table_of(smiles, tmp_path / "in.csv"), tmp_path / "out.csv")
    assert sorted(asked) == ["sC(O)C", "sCCN", "sCCO", "sOCC"]
    found = pd.read_csv(tmp_path / "out.csv")
    assert found.groupby("standardized")["logS"].nunique().to_dict() == {"CCN": 1, "CCO": 1}


@pytest.mark.parametrize("recent", [0, 1, 2, 5])
def test_rows_do_not_depend_on_how_much_is_remembered(model: Path, molecules: list[str], recent: int) -> None:
    ensemble = Ensemble.load(model)
    records = [Record(str(i), "smiles", text) for i, text in enumerate(molecules)]
    size = 30
    starts = range(0, len(records), size)
    chunks = [stream.Chunk(k, records[start : start + size], 1.0) for k, start in enumerate(starts)]
    made: dict[int, pa.Table] = {}
    with closing(stream.Stream(ensemble, 2, recent=recent)) as runner:
        runner.run(chunks, lambda chunk, table: made.update({chunk.number: table}))
    found = pa.concat_tables([made[k] for k in range(len(chunks))]).to_pandas()
    expected = ensemble.predict(molecules, cores=1)
    np.testing.assert_allclose(found["logS"].astype(float), expected["logS"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("keep", [[], ["name", "logS"]])
def test_csv_and_parquet_hold_the_same(model: Path, tmp_path: Path, keep: list[str]) -> None:
    frame = pd.DataFrame({"name": ["a", "b", "c"], "smiles": ["CCO", "x", "CC"], "logS": ["1", "", "2"]})
    frame.to_csv(tmp_path / "in.csv", index=False)
    for kind in ("csv", "parquet"):
        predict_table(model, tmp_path / "in.csv", tmp_path / f"out.{kind}", keep=keep)
    one = pd.read_csv(tmp_path / "out.csv", keep_default_na=False, dtype=str)
    other = pd.read_parquet(tmp_path / "out.parquet")
    assert list(one.columns) == list(other.columns)
    assert one["id"].tolist() == other["id"].tolist() == ["a", "b", "c"]
    assert one["logS"].tolist() == ["" if np.isnan(x) else str(np.float32(x)) for x in other["logS"]]
    if keep:
        assert one["input:logS"].tolist() == other["input:logS"].tolist() == ["1", "", "2"]


def test_an_sdf_and_standard_input_and_a_folder(model: Path, tmp_path: Path) -> None:
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("c1ccccc1O"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.sdf").write_text(f"{block}$$$$\nbroken\n\n\nnonsense\nM  END\n$$$$\n", encoding="utf-8")
    (tmp_path / "in/b.csv").write_text("smiles\nOc1ccccc1\n", encoding="utf-8")
    program = str(Path(sys.executable).with_name("manywalks"))
    text = (tmp_path / "in/b.csv").read_text()
    done = subprocess.run(
        [program, "predict", str(model), "-", str(tmp_path / "b.csv")],
        input=text,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    predict_table(model, tmp_path / "in", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False, dtype=str)
    assert found["id"].tolist() == ["1", "broken", "3"]
    assert found["standardized"].tolist() == ["Oc1ccccc1", "", "Oc1ccccc1"]
    assert found["rejected"].ne("").tolist() == [False, True, False]
    assert found["logS"].iloc[0] == found["logS"].iloc[2]
    assert found["logS"].iloc[0] == pd.read_csv(tmp_path / "b.csv", dtype=str)["logS"].iloc[0]
    assert not list(tmp_path.glob("*.parts"))


def test_a_table_without_rows_gives_one_without_rows(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,smiles\n", encoding="utf-8")
    assert predict_table(model, tmp_path / "in.csv", tmp_path / "out.parquet") == (0, 0)
    assert pq.read_schema(tmp_path / "out.parquet").field("logS").type == pa.float64()


class Killed(BaseException):
    """What stands for a kill where a process cannot be killed."""


def test_a_run_that_was_ended_goes_on_and_ends_with_the_same_bytes(
    model: Path, molecules: list[str], tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = table_of(molecules, tmp_path / "in.csv")
    predict_table(model, given, tmp_path / "whole.parquet")
    write = predict.Parts.write
    asked: list[int] = []

    def until_three(self, path, table):
        if len(list(self.folder.glob("*.parquet"))) == 3:
            raise Killed
        write(self, path, table)

    monkeypatch.setattr(predict.Parts, "write", until_three)
    with pytest.raises(Killed):
        predict_table(model, given, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
    kept = {p: p.stat().st_mtime_ns for p in sorted((tmp_path / "out.parquet.parts").glob("*.parquet"))}
    assert len(kept) == 3
    # a part that a kill left damaged is made again
    last = list(kept)[-1]
    last.write_bytes(last.read_bytes()[:100])

    def counting(self, path, table):
        asked.append(int(path.name[:6]))
        write(self, path, table)

    monkeypatch.setattr(predict.Parts, "write", counting)
    predict_table(model, given, tmp_path / "out.parquet")
    assert asked == list(range(2, -(-len(molecules) // 40)))
    assert files.md5_file(tmp_path / "out.parquet") == files.md5_file(tmp_path / "whole.parquet")


def test_parts_of_other_settings_are_not_taken(model: Path, tmp_path: Path, small_chunks: None) -> None:
    given = table_of(["CCO", "CCN"] * 30, tmp_path / "in.csv")
    parts = predict.Parts(tmp_path / "out.csv", ["a"])
    parts.folder.mkdir()
    records = [predict.Chunk(0, [], 1.0)]
    path = parts.path(0, records)  # pyright: ignore[reportArgumentType]
    path.write_bytes(b"of another model")
    assert predict_table(model, given, tmp_path / "out.csv") == (60, 0)


@pytest.mark.parametrize("output", ["in.csv", "link.csv", "in/out.csv", "in/more/out.csv"])
def test_what_is_read_is_not_written(model: Path, tmp_path: Path, output: str) -> None:
    (tmp_path / "in").mkdir()
    given = table_of(["CCO"], tmp_path / ("in/a.csv" if "/" in output else "in.csv"))
    (tmp_path / "link.csv").symlink_to(given)
    before = given.read_bytes()
    with pytest.raises(ValueError, match=r"is the input itself|lies in the input folder"):
        predict_table(model, tmp_path / "in" if "/" in output else given, tmp_path / output)
    assert given.read_bytes() == before
    assert not list(tmp_path.rglob("*.parts"))


def test_a_row_of_a_folder_names_its_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        pd.DataFrame({"smiles": ["CCO"], "file": [f"plate {name}"]}).to_csv(tmp_path / f"in/{name}.csv")
    (tmp_path / "in/notes.md").write_text("no table", encoding="utf-8")
    said: list[str] = []
    predict_table(model, tmp_path / "in", tmp_path / "out.csv", keep=["file"], say=said.append)
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["file"].tolist() == ["a.csv", "b.csv"]
    assert found["input:file"].tolist() == ["plate a", "plate b"]
    assert said[0] == f"{tmp_path / 'in'}: passed over are notes.md"
    assert said[1] == "SMILES from 'smiles', row numbers as ids"


def test_another_version_of_manywalks_is_said(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = manifest.versions()
    monkeypatch.setattr(manifest, "versions", lambda: {**here, "manywalks": "9.9"})
    said: list[str] = []
    predict_table(model, table_of(["CCO"], tmp_path / "in.csv"), tmp_path / "out.csv", say=said.append)
    assert len(said) == 4  # the others: the columns, the bound over this list, the few valid molecules
    assert f"trained with manywalks {here['manywalks']}, this is 9.9" in said[0]


def test_standard_input_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    parts = predict.Parts(tmp_path / "out.csv", [])
    parts.folder.mkdir()
    (parts.folder / ".stdin-old").write_text("smiles\nCCO\n", encoding="utf-8")
    with parts.held():
        assert not list(parts.folder.glob(".stdin-*"))


def test_progress_of_a_run_that_goes_on_does_not_fall(
    model: Path, molecules: list[str], tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = table_of(molecules, tmp_path / "in.csv")
    write, told = predict.Parts.write, []

    def until_three(self, path, table):
        if len(list(self.folder.glob("*.parquet"))) == 3:
            raise Killed
        write(self, path, table)

    monkeypatch.setattr(predict.Parts, "write", until_three)
    with pytest.raises(Killed):
        predict_table(model, given, tmp_path / "out.csv")
    monkeypatch.setattr(predict.Parts, "write", write)

    @contextmanager
    def telling(what: str) -> Iterator[progress.Tell]:
        yield lambda done, total, note="": told.append((done, int(note.split()[0].replace(",", ""))))

    monkeypatch.setattr(predict.progress, "telling", telling)
    predict_table(model, given, tmp_path / "out.csv")
    shares, rows = zip(*told, strict=True)
    assert list(shares) == sorted(shares)
    assert list(rows) == sorted(rows)
    assert shares[0] > 0
    assert told[-1] == (1.0, len(molecules))


def test_progress_within_a_chunk_is_told_in_rows() -> None:
    told: list[tuple[float, float]] = []
    records = [Record(str(i), "smiles", "CCO") for i in range(40)]
    tell = stream._between(
        predict.Chunk(1, records, 0.5, 0.25), lambda done, rows=0: told.append((done, rows))
    )
    tell(5, 20)
    assert told == [(0.3125, 10.0)]


def test_two_runs_do_not_write_one_output(model: Path, tmp_path: Path) -> None:
    given = table_of(["CCO"], tmp_path / "in.csv")
    with (
        predict.Parts(tmp_path / "out.csv", []).held(),
        pytest.raises(ValueError, match="being written by another"),
    ):
        predict_table(model, given, tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("feature_names", lambda about: about["feature_names"][::-1], "the first that differs is number 0"),
        ("feature_names", lambda about: about["feature_names"][:-1], "feature names, the model has"),
        (
            "params",
            lambda about: {**about["params"], "featurize": {"blocks": [{"kind": "maccs"}]}},
            "features of this version: 167 feature names",
        ),
        ("versions", lambda about: {**about["versions"], "rdkit": "2020.1"}, "trained with rdkit 2020.1"),
        ("calibration", None, "lacks calibration"),
    ],
)
def test_a_manifest_that_does_not_match_is_refused(model: Path, tmp_path: Path, key, value, said) -> None:
    copy = tmp_path / "model"
    copy.mkdir()
    for path in model.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    about = files.read_json(copy / manifest.FILE)
    if value is None:
        del about[key]
    else:
        about[key] = value(about)
    files.write_json(copy / manifest.FILE, about)
    with pytest.raises(ValueError, match=said):
        predict_table(copy, table_of(["CCO"], tmp_path / "in.csv"), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv.parts").exists()


@pytest.mark.long
def test_kill_9_midway_then_the_same_bytes(model: Path, demo_table: pd.DataFrame, tmp_path: Path) -> None:
    smiles = [f"{chain}{text}" for chain in ("CC", "OC", "NC", "CCC") for text in demo_table["smiles"]][:6000]
    given = table_of(smiles, tmp_path / "in.csv")
    code = (
        "import sys; from pathlib import Path; from manywalks.tasks import score; "
        "score._chunk_rows = lambda e: 500; score.predict_table(*map(Path, sys.argv[1:]))"
    )
    begin = [sys.executable, "-c", code, str(model), str(given)]
    assert run([*begin, str(tmp_path / "whole.parquet")]).returncode == 0
    for _ in range(3):
        process = subprocess.Popen([*begin, str(tmp_path / "out.parquet")], stderr=subprocess.DEVNULL)
        folder = tmp_path / "out.parquet.parts"
        had = len(list(folder.glob("*.parquet")))
        deadline = time.monotonic() + 120
        while len(list(folder.glob("*.parquet"))) < had + 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert psutil.wait_procs(workers, timeout=10)[1] == [], "workers outlived the run"
        assert len(list(folder.glob("*.parquet"))) > had
    done = run([*begin, str(tmp_path / "out.parquet")])
    assert done.returncode == 0, done.stderr
    assert files.md5_file(tmp_path / "out.parquet") == files.md5_file(tmp_path / "whole.parquet")


@pytest.mark.long
def test_memory_does_not_grow_with_rows(model: Path, demo_table: pd.DataFrame, tmp_path: Path) -> None:
    """Peak of the process and its workers, at 20,000 and 80,000 rows of repeated and of new molecules."""

    def peak(rows: int) -> float:
        base = demo_table["smiles"].tolist()
        few = [f"{'C' * (i // len(base) % 3)}{base[i % len(base)]}" for i in range(3 * len(base))]
        given = table_of((few * (rows // len(few) + 1))[:rows], tmp_path / f"{rows}.csv")
        program = str(Path(sys.executable).with_name("manywalks"))
        process = subprocess.Popen(
            [program, "predict", str(model), str(given), str(tmp_path / f"{rows}.parquet")],
            env={**os.environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        most = 0.0
        watched = psutil.Process(process.pid)
        watcher = threading.Event()
        while process.poll() is None:
            try:
                family = [watched, *watched.children(recursive=True)]
                most = max(most, sum(one.memory_info().rss for one in family) / 2**20)
            except psutil.Error:
                pass
            watcher.wait(0.1)
        assert process.returncode == 0
        return most

    small, large = peak(20_000), peak(80_000)
    assert large < 1500
    assert large < 1.2 * small + 50


def test_the_command_says_how_many_rows(model: Path, tmp_path: Path) -> None:
    given = table_of(["CCO", *BAD], tmp_path / "in.csv")
    done = command(
        "predict", str(model), str(given), str(tmp_path / "o.csv"), "--id", "name", "--keep", "name"
    )
    assert done.returncode == 0, done.stderr
    assert "4 rows, 3 of them not predicted" in done.stdout


@pytest.mark.parametrize("form", ["xlsx", "sdf"])
def test_excel_and_sdf_hold_the_rows_of_the_csv(model: Path, tmp_path: Path, form: str) -> None:
    smiles = ["CCO", "not one", "c1ccccc1O"]
    table = pd.DataFrame({"name": ["=SUM(A1)", "+b", "@c"], "smiles": smiles})
    table.to_csv(tmp_path / "in.csv", index=False)
    for suffix in ("csv", form):
        predict_table(model, tmp_path / "in.csv", tmp_path / f"out.{suffix}")
    want = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    if form == "xlsx":
        found = pd.read_excel(tmp_path / "out.xlsx", dtype=str, keep_default_na=False)
        sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").worksheets[0]
        assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    else:
        molecules = list(Chem.SDMolSupplier(str(tmp_path / "out.sdf")))
        found = pd.DataFrame([{**mol.GetPropsAsDict(autoConvertStrings=False)} for mol in molecules])
        found = found.fillna("")
        assert [mol.GetNumAtoms() for mol in molecules] == [3, 0, 7]
        assert [mol.GetProp("_Name") for mol in molecules] == table["name"].tolist()
    assert found["id"].tolist() == table["name"].tolist()
    assert list(found) == list(want)
    assert found["rejected"].tolist() == want["rejected"].tolist()
    assert [float(cell or "nan") for cell in found["logS"]] == pytest.approx(
        [float(cell or "nan") for cell in want["logS"]], nan_ok=True
    )


def test_standard_output_holds_the_rows_and_nothing_else(model: Path, tmp_path: Path) -> None:
    table_of(["CCO", "xx"], tmp_path / "in.csv")
    done = command("predict", str(model), str(tmp_path / "in.csv"), "-o", "-")
    assert done.returncode == 0, done.stderr
    predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert done.stdout == (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert "2 rows, 1 of them not predicted" in done.stderr


def test_an_older_output_is_said_to_be_overwritten_and_the_training_table_never_is(
    model: Path, tmp_path: Path
) -> None:
    table_of(["CCO"], tmp_path / "in.csv")
    first, again = (
        command("predict", str(model), str(tmp_path / "in.csv"), "out.csv", cwd=tmp_path) for _ in "ab"
    )
    assert "overwritten" not in first.stdout
    assert "out.csv (overwritten)" in again.stdout
    trained_on = model.parent.parent / "table.csv"
    before = trained_on.read_bytes()
    with pytest.raises(ValueError, match="is the table that the model was trained on"):
        predict_table(model, tmp_path / "in.csv", trained_on)
    assert trained_on.read_bytes() == before


def test_a_named_sheet_is_predicted(model: Path, tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "in.xlsx") as book:
        pd.DataFrame({"note": ["read me"]}).to_excel(book, sheet_name="About", index=False)
        pd.DataFrame({"smiles": ["CCO", "CCN"]}).to_excel(book, sheet_name="Molecules", index=False)
    done = predict_table(model, tmp_path / "in.xlsx", tmp_path / "out.csv", sheet="Molecules")
    assert done == (2, 0)
    with pytest.raises(ValueError, match="no sheet 'molecule'; did you mean 'Molecules'"):
        predict_table(model, tmp_path / "in.xlsx", tmp_path / "out.csv", sheet="molecule")
