"""Build the ensemble's folder from the trained replicates."""

from typing import Any

import numpy as np

from manywalks.ensemble import calibration
from manywalks.featurize.representations import recorded
from manywalks.params.block_sources import located
from manywalks.replicates import store
from manywalks.replicates.combine import combine, combining_of
from manywalks.train.prepare import out_of_sample, read_tables
from manywalks.workspace import Workspace

# Sections of params.yaml that the manifest repeats: each is a param of stage ensemble in dvc.yaml too, or a
# manifest could name settings that the model was not made with.
SECTIONS = {"data", "curate", "featurize", "split", "transform", "network", "train", "ensemble", "evaluate"}


def settings_of(workspace: Workspace) -> dict[str, Any]:
    """The parameters that made the model, as they stand in params.yaml."""
    params = workspace.params
    return {
        "params": params.model_dump(mode="json", include=SECTIONS),
        "representations": recorded(located(params.featurize.blocks, workspace.root)),
    }


def calibrations(workspace: Workspace, kept: list[store.Kept]) -> dict[str, Any]:
    """Each endpoint's calibration, fitted on the valid subset."""
    curated, subsets = read_tables(workspace)
    valid = subsets[out_of_sample(subsets)] == "valid"
    predictions = np.stack([replicate.predictions for replicate in kept])[:, valid]
    rows = curated.loc[subsets == "valid"]
    found = {}
    for column, (name, endpoint) in enumerate(workspace.params.data.endpoints.items()):
        replicates = predictions[:, :, column].astype(np.float64)
        mean = combine(replicates, combining_of(endpoint.kind, workspace.params.ensemble))
        spread = replicates.std(axis=0, ddof=1)
        observed = rows[name].to_numpy(dtype=np.float64)
        exact = rows[f"{name}:relation"].to_numpy() == "="
        observed = np.where(exact, observed, np.nan)
        found[name] = calibration.fit(
            observed,
            mean,
            spread,
            endpoint.kind,
            early_stopping=workspace.params.train.early_stopping is not None,
            method=workspace.params.evaluate.calibration,
        ).to_json()
    return found
