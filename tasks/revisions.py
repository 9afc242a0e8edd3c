"""The raw table as it was at a git revision or tag, read from DVC's cache or remote."""

from pathlib import Path

from manywalks.tasks import files, versions
from manywalks.tasks.workspace import Workspace


def table_file(workspace: Workspace, rev: str | None) -> Path:
    """The file of the raw table: as it is where `rev` is None, else a copy of that revision's.

    Name a tag or a commit: what a branch name means changes, and nothing tells the pipeline.
    """
    if rev is None:
        return workspace.table
    content = versions.read_at(workspace, workspace.params.data.path, rev)
    path = workspace.state / "tables" / files.sha256_bytes(content)[:16] / workspace.table.name
    if not path.is_file():
        files.write_bytes(path, content)
    return path
