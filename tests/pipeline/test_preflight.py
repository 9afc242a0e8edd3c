"""What a run would fail by is said before any server starts."""

import gzip
from pathlib import Path

import pytest

from manywalks.tables.frame import known_columns
from tests.conftest import SMALL, command


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("path: table.csv", "path: gone.csv", "gone.csv: no such file (data.path)"),
        ("id: id", "id: idd", "no column 'idd' (data.id); did you mean 'id'"),
        ("logS: {kind", "logP: {kind", "no column 'logP' (data.endpoints.logP)"),
        ("seed: 7", "tolerance: 0.1 sdd", "replicates.tolerance: '0.1 sdd' is no tolerance"),
        ("unit: log10 mol/L", "unit: log10 mol/L, tolerance: -1", "tolerance"),
        ("cores: 2", "cores: 5000", "orchestrate.cores: 5000 are more than the "),
    ],
)
def test_it_is_said_before_a_server_starts(small: Path, old: str, new: str, said: str) -> None:
    assert old in SMALL
    (small / "params.yaml").write_text(SMALL.replace(old, new), encoding="utf-8")
    done = command("train", "--workspace", str(small), own_server=True)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "starting Prefect" not in done.stderr
    assert not (small / ".manywalks").exists()


def test_a_server_that_cannot_start_gives_its_reason(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "sqlite+aiosqlite:////no/such/folder/x.db")
    done = command("train", "--workspace", str(small), own_server=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Prefect's server ended" in done.stderr
    assert "logs/prefect.log" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "names"),
    [
        ("a.csv", b"id;smiles;y\n1;CC;2\n", ["id", "smiles", "y"]),
        ("a.tsv", b"id\tsmiles\n1\tCC\n", ["id", "smiles"]),
        ("a.csv", b"\xef\xbb\xbfid,smiles\n1,CC\n", ["id", "smiles"]),
        ("a.csv.gz", gzip.compress(b"id,smiles\n1,CC\n", mtime=0), ["id", "smiles"]),
        ("a.csv", b'"id, of it",smiles\n1,CC\n', ["id, of it", "smiles"]),
        ("a.sdf", b"x\n$$$$\n", None),
    ],
)
def test_names_are_read_where_the_first_line_tells(
    tmp_path: Path, name: str, content: bytes, names: list[str] | None
) -> None:
    (tmp_path / name).write_bytes(content)
    assert known_columns(tmp_path / name) == names
