"""Stage split: which molecules train, which validate, which test, and how far apart they are."""

import pandas as pd

from manywalks import files
from manywalks.split.distance import split_distance
from manywalks.split.split import split_molecules
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write data/split.parquet and reports/split.json."""
    curated = pd.read_parquet(workspace.curated)
    subsets = split_molecules(curated, workspace.params.split)
    with files.atomic_path(workspace.split) as path:
        pd.DataFrame({"row": range(len(subsets)), "subset": subsets}).to_parquet(path, index=False)
    files.write_json(workspace.reports / "split.json", split_distance(curated["smiles"].tolist(), subsets))
