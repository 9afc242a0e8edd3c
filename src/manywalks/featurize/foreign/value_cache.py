"""Values of functions, kept by molecule in one SQLite file for each version of a function."""

import json
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WAIT_S = 60.0  # several processes write, each for less than a millisecond


def cache_folder() -> Path:
    """MANYWALKS_CACHE, else manywalks in the user's cache folder."""
    if given := os.environ.get("MANYWALKS_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "manywalks"


@dataclass(frozen=True)
class ValueCache:
    """One function's kept values.

    Attributes:
        path: the file.
        database: this process's connection to it.
    """

    path: Path
    database: sqlite3.Connection

    @classmethod
    def open(cls, key: str) -> "ValueCache":
        """The file of this key, made where it is not there."""
        path = cache_folder() / "functions" / f"{key}.sqlite"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            for statement in (
                "CREATE TABLE IF NOT EXISTS rows (smiles TEXT PRIMARY KEY, content BLOB) WITHOUT ROWID",
                "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, content TEXT)",
            ):
                database.execute(statement)
        except (OSError, sqlite3.Error) as error:
            raise ValueError(
                f"{path}: cannot keep the values of a featurizer there ({error}); delete the file or set "
                "MANYWALKS_CACHE to a folder that can be written"
            ) from None
        return cls(path, database)

    def columns(self) -> tuple[str, ...] | None:
        """The function's column names; None where it was never checked."""
        found = self.database.execute("SELECT content FROM about WHERE name = 'columns'").fetchone()
        return None if found is None else tuple(json.loads(found[0]))

    def keep_columns(self, names: tuple[str, ...]) -> None:
        """Note that the function was checked and has these columns."""
        self._write("INSERT OR REPLACE INTO about VALUES ('columns', ?)", (json.dumps(names),))

    def get(self, smiles: str) -> np.ndarray | None:
        """A molecule's kept values: float32 (d,)."""
        found = self.database.execute("SELECT content FROM rows WHERE smiles = ?", (smiles,)).fetchone()
        return None if found is None else np.frombuffer(found[0], dtype="<f4")

    def keep(self, smiles: str, values: np.ndarray) -> None:
        """Keep a molecule's values."""
        content = np.asarray(values, dtype="<f4").tobytes()
        self._write("INSERT OR REPLACE INTO rows VALUES (?, ?)", (smiles, content))

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        """One statement; while another process writes, this one waits."""
        until = time.monotonic() + WAIT_S
        while True:
            try:
                self.database.execute(statement, values)
                return
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
