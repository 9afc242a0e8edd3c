"""Stage featurize: molecules -> the feature matrix with named columns."""

import pandas as pd

from manywalks.featurize.featurize import featurize
from manywalks.runtime import progress
from manywalks.runtime.resources import cores_of
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write data/features.npz."""
    smiles = pd.read_parquet(workspace.curated, columns=["smiles"])["smiles"].tolist()
    with progress.telling("featurize") as tell:
        features = featurize(
            smiles,
            workspace.params.featurize.blocks,
            cores=cores_of(workspace),
            progress=progress.counting(tell),
        )
    features.save(workspace.features)
