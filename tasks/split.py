"""Stage split: which molecules train, which validate, which test, and how far apart they are."""

import pandas as pd

from manywalks import files
from manywalks.split.distance import split_distance
from manywalks.split.left_out import left_out, without
from manywalks.split.split import checked, split_facts, split_groups
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write data/split.parquet and reports/split.json."""
    curated, params = pd.read_parquet(workspace.curated), workspace.params.split
    facts = split_facts(curated, params)
    drawn = split_groups(curated, params, facts)
    subsets = checked(without(drawn.subsets, left_out(curated, workspace.not_featurized)), params)
    with files.atomic_path(workspace.split) as path:
        found = {"row": range(len(subsets)), "subset": subsets, "group": drawn.groups}
        pd.DataFrame(found).to_parquet(path, index=False)
    distance = split_distance(curated["smiles"].tolist(), subsets, facts.bits)
    files.write_json(workspace.reports / "split.json", distance)
