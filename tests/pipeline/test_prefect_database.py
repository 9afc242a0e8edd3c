"""A new workspace's database is the kept one: the same tables as Prefect makes, and never over an old one."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from manywalks.pipeline import prefect_database
from manywalks.pipeline.prefect_database import SQLITE, begin, kept


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of compiled code beside which a database was kept."""
    compiled = tmp_path_factory.mktemp("cache") / "compiled-0"
    program = [sys.executable, "-m", prefect_database.__name__]
    # the package names the folder after its content
    subprocess.run(program, env={**os.environ, "NUMBA_CACHE_DIR": str(compiled)}, check=True)
    return compiled


@pytest.fixture
def database(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a new database belongs."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    return tmp_path / "prefect.db"


def tables(path: Path) -> dict[str, int]:
    """How many rows each table has."""
    with contextlib.closing(sqlite3.connect(path)) as open_one:
        names = open_one.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: open_one.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names}


def test_a_new_database_has_all_tables_and_no_row(database: Path) -> None:
    begin(f"{SQLITE}{database}")
    assert sorted(database.parent.iterdir()) == [database]
    assert sorted(kept().parent.iterdir()) == [kept()]
    found = tables(database)
    assert {"flow_run", "task_run", "artifact", "events"} <= set(found)
    assert {name for name, rows in found.items() if rows} == {"alembic_version"}


def schema(path: Path) -> list[tuple[str]]:
    """How each table and index was made."""
    with contextlib.closing(sqlite3.connect(path)) as open_one:
        return open_one.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()


def test_prefect_has_nothing_to_add_to_it(database: Path) -> None:
    begin(f"{SQLITE}{database}")
    before = schema(database)
    code = (
        "import asyncio; from prefect.server.database import provide_database_interface;"
        "asyncio.run(provide_database_interface().create_db())"
    )
    address = {prefect_database.DATABASE: f"{SQLITE}{database}"}
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **address}, check=True)
    assert schema(database) == before


def test_a_file_system_without_hard_links_gets_it_too(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    begin(f"{SQLITE}{database}")
    assert sorted(database.parent.iterdir()) == [database]
    assert "flow_run" in tables(database)


def test_the_log_of_a_database_that_was_deleted_ruins_no_new_one(database: Path) -> None:
    begin(f"{SQLITE}{database}")
    killed = (
        "import os, sqlite3, sys; own = sqlite3.connect(sys.argv[1]);"
        "own.execute('PRAGMA journal_mode = WAL');"
        "own.execute('CREATE TABLE former (a)'); own.commit(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(database)])
    assert database.with_name("prefect.db-wal").stat().st_size > 0
    database.unlink()
    again = (
        "import os; from manywalks.pipeline import prefect_database as own;"
        "own.begin(os.environ[own.DATABASE])"
    )
    address = {prefect_database.DATABASE: f"{SQLITE}{database}"}
    subprocess.run([sys.executable, "-c", again], env={**os.environ, **address}, check=True)
    found = tables(database)
    assert "flow_run" in found
    assert "former" not in found


def test_a_database_that_is_there_stays(database: Path) -> None:
    database.write_bytes(b"runs")
    begin(f"{SQLITE}{database}")
    prefect_database.copy_kept(database)
    assert database.read_bytes() == b"runs"


@pytest.mark.parametrize(
    "url", ["postgresql+asyncpg://host/prefect", f"{SQLITE}:memory:", f"{SQLITE}/x.db?mode=ro"]
)
def test_another_kind_of_database_is_left_alone(database: Path, url: str) -> None:
    begin(url)
    assert list(database.parent.iterdir()) == []
