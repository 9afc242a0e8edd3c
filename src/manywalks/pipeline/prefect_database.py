"""The database of a run's own Prefect server: a new one is a copy of an empty one that was kept.

Prefect brings a new file up to date by more than a hundred migrations, which takes 3 s of processor time in
every new workspace. `python -m manywalks.pipeline.prefect_database` keeps one ahead of the first run.
"""

import contextlib
import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

DATABASE = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
SQLITE = "sqlite+aiosqlite:///"


def kept() -> Path:
    """Where the empty database of this version of Prefect is kept: beside compiled code."""
    return Path(os.environ["NUMBA_CACHE_DIR"]).parent / f"prefect-{metadata.version('prefect')}.db"


def begin(url: str) -> None:
    """Have a file with all of Prefect's tables at a database's address, if none is there.

    Another kind of database is left alone; Prefect's settings name this one.
    """
    database = Path(url.removeprefix(SQLITE))
    if not url.startswith(SQLITE) or not database.is_absolute() or "?" in url or database.exists():
        return
    # a log without its database would ruin a copy; SQLite drops it where it makes a new file
    if kept().is_file() and not database.with_name(f"{database.name}-wal").exists():
        copy_kept(database)
        return
    import asyncio

    from prefect.server.database import provide_database_interface

    asyncio.run(provide_database_interface().create_db())
    _keep(database)


def copy_kept(database: Path) -> None:
    """Copy the kept database; of two servers that start at once, both use the one that was there first."""
    own = database.with_name(f".{database.name}-{os.getpid()}")
    shutil.copyfile(kept(), own)
    try:
        os.link(own, database)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links, as some network drives are
        own.replace(database)
    own.unlink(missing_ok=True)


def _keep(database: Path) -> None:
    """Keep a new database; where that cannot be, the next workspace takes its 3 s again."""
    import sqlite3

    own = kept().with_name(f".{kept().name}-{os.getpid()}")
    with contextlib.suppress(OSError, sqlite3.Error):
        own.parent.mkdir(parents=True, exist_ok=True)
        # not a copy of the file: what was written last lies in a file beside it
        with (
            contextlib.closing(sqlite3.connect(database)) as new,
            contextlib.closing(sqlite3.connect(own)) as to,
        ):
            new.backup(to)
        own.replace(kept())


def main() -> None:
    """Keep one, unless it is there."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[DATABASE] = f"{SQLITE}{folder}/prefect.db"
        begin(os.environ[DATABASE])


if __name__ == "__main__":
    main()
