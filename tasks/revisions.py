"""The raw table as it was at a git revision or tag, read from DVC's cache or remote."""

from pathlib import Path
from typing import NamedTuple

from manywalks.tasks import files, versions
from manywalks.tasks.git import commit_of
from manywalks.tasks.workspace import Workspace


class Version(NamedTuple):
    """One version of the raw table: its file, and the commit that it was read at (None: as it is)."""

    file: Path
    commit: str | None


def table_at(workspace: Workspace, rev: str | None) -> Version:
    """The raw table: the file as it is where `rev` is None, else a copy of that revision's.

    A branch is read at the commit that it names now.
    """
    if rev is None:
        return Version(workspace.table, None)
    commit = commit_of(workspace, rev)
    content = versions.read_at(workspace, workspace.params.data.path, commit)
    path = workspace.state / "tables" / files.sha256_bytes(content)[:16] / workspace.table.name
    if not path.is_file():
        files.write_bytes(path, content)
    return Version(path, commit)
