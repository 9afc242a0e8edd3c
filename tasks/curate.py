"""Stage curate: the raw table -> kept molecules, rejected records, the data card."""

from manywalks import files
from manywalks.data.checks import needed_columns
from manywalks.data.curate import curate_table
from manywalks.data.tables import read_table
from manywalks.pipeline.versions import table_at
from manywalks.runtime import progress
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write data/curated.parquet, data/rejected.csv and reports/data.json."""
    data = workspace.params.data
    table, commit = table_at(workspace, data.rev)
    with progress.telling("curate") as tell:
        # the other columns of an export are most of its memory
        needed = {*needed_columns(workspace.params), *data.checks}
        frame = read_table(table, delimiter=data.delimiter, encoding=data.encoding, columns=needed)
        result = curate_table(frame, workspace.params, progress=progress.counting(tell))
    with files.atomic_path(workspace.curated) as path:
        result.molecules.to_parquet(path, index=False)
    with files.atomic_path(workspace.rejected) as path:
        result.rejected.to_csv(path, index=False, lineterminator="\n")
    source = {
        "path": data.path,
        "rev": data.rev,
        "commit": commit,
        "md5": files.md5_file(table),
        "rows": len(frame),
    }
    files.write_json(workspace.reports / "data.json", {"source": source, **result.card})
