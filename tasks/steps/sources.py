"""Study where the walks of this workspace part; not a stage of dvc.yaml, since no model depends on it."""

import os
import secrets

from manywalks.tasks import files, progress
from manywalks.tasks.prepared import read_prepared
from manywalks.tasks.sources import study_sources
from manywalks.tasks.workspace import Workspace


def run(workspace: Workspace, count: str = "16") -> None:
    """Write reports/sources.json from `count` walks a source."""
    problem, _, transform = read_prepared(workspace)
    names = list(workspace.params.data.endpoints)
    with progress.telling("sources") as tell:
        found = study_sources(
            problem,
            transform,
            names,
            count=int(count),
            entropy=secrets.randbits(128),
            threads=workspace.params.orchestrate.cores or os.cpu_count() or 1,
            tell=tell,
        )
    units = {name: endpoint.unit for name, endpoint in workspace.params.data.endpoints.items()}
    files.write_json(
        workspace.reports / "sources.json", {"walks": int(count), "units": units, "endpoints": found}
    )
