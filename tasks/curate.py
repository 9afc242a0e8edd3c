"""Stage curate: the raw table -> kept molecules, rejected records, the data card."""

from manywalks import files
from manywalks.data.checks import needed_columns
from manywalks.data.curate import curate_table
from manywalks.pipeline.versions import table_at
from manywalks.runtime import progress
from manywalks.tables.csv_rows import no_formula
from manywalks.tables.frame import known_columns, read_whole
from manywalks.tables.reader import Format
from manywalks.tables.text_table import SDF_TITLE
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write data/curated.parquet, data/rejected.csv and reports/data.json."""
    data = workspace.params.data
    table, commit = table_at(workspace, data.rev)
    with progress.telling("curate") as tell:
        # the other columns of an export are most of its memory
        needed = {*needed_columns(workspace.params), *data.checks}
        name = data.path if data.rev is None else f"{data.path} at {data.rev}"
        is_sdf = known_columns(table, name=name, said=Format.of(data)) is None
        # the title of an SDF's record names it where nothing else does
        names = data.id or (SDF_TITLE if is_sdf else None)
        read = read_whole(
            table, name=name, said=Format.of(data), columns=needed | ({SDF_TITLE} if is_sdf else set())
        )
        result = curate_table(
            read.frame,
            workspace.params,
            faults=read.faults,
            names=names,
            progress=progress.counting(tell),
        )
    with files.atomic_path(workspace.curated) as path:
        result.molecules.to_parquet(path, index=False)
    with files.atomic_path(workspace.rejected) as path:
        shown = result.rejected.map(lambda cell: no_formula(cell) if isinstance(cell, str) else cell)
        shown.to_csv(path, index=False, lineterminator="\n")
    source = {
        "path": data.path,
        "rev": data.rev,
        "commit": commit,
        "md5": files.md5_file(table),
        "rows": len(read.frame),
    }
    files.write_json(workspace.reports / "data.json", {"source": source, **result.card})
