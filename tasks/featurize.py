"""Stage featurize: molecules -> the feature matrix with named columns, and those that have no features."""

import pandas as pd

from manywalks import files
from manywalks.featurize.failures import failure_table
from manywalks.featurize.featurize import featurize_each
from manywalks.featurize.molecule import must_compile
from manywalks.graph_layout import larger
from manywalks.params.sections.block_sources import located
from manywalks.runtime import progress
from manywalks.runtime.resources import cores_of
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write data/features.npz and data/not_featurized.csv."""
    curated = pd.read_parquet(workspace.curated, columns=["record", "id", "smiles"])
    params = workspace.params
    blocks = located(params.featurize.blocks, workspace.root)
    with progress.telling("featurize") as tell:
        if must_compile(blocks):
            tell(0, len(curated), "compiling, only this once")
        found = featurize_each(
            curated["smiles"].tolist(),
            blocks,
            cores=cores_of(workspace),
            limit=params.curate.time_limit,
            always_workers=True,
            progress=progress.counting(tell),
        )
        too_large = int(larger(found.features).sum())
        notes = [f"{len(found.failures)} without features"] if found.failures else []
        notes += [f"{too_large} too large for the network on graphs"] if too_large else []
        if notes:
            tell(len(curated), len(curated), ", ".join(notes))
    table = failure_table(curated, found.failures)
    found.features.save(workspace.features)
    with files.atomic_path(workspace.not_featurized) as path:
        table.to_csv(path, index=False, lineterminator="\n")
