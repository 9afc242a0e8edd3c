"""Stage curate: the raw table -> kept molecules, rejected records, the data card."""

from manywalks.tasks import files, progress
from manywalks.tasks.curate import curate_table
from manywalks.tasks.tables import read_table
from manywalks.tasks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write data/curated.parquet, data/rejected.csv and reports/data.json."""
    with progress.telling("curate") as tell:
        result = curate_table(
            read_table(workspace.table), workspace.params, progress=lambda done, total: tell(done, total, "")
        )
    with files.atomic_path(workspace.curated) as path:
        result.molecules.to_parquet(path, index=False)
    with files.atomic_path(workspace.rejected) as path:
        result.rejected.to_csv(path, index=False, lineterminator="\n")
    source = {
        "path": workspace.params.data.path,
        "rev": workspace.params.data.rev,
        "md5": files.md5_file(workspace.table),
    }
    files.write_json(workspace.reports / "data.json", {"source": source, **result.card})
