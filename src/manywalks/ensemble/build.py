"""Build the ensemble's folder from the trained replicates."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from manywalks.ensemble.domain import Domain
from manywalks.ensemble.intervals import calibration
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates
from manywalks.features import Features
from manywalks.featurize.foreign.representations import recorded
from manywalks.graph_layout import LARGER
from manywalks.params.load import Params
from manywalks.params.sections.block_sources import located
from manywalks.params.sections.families import families_of
from manywalks.replicates import store
from manywalks.replicates.combine import combine, combining_of
from manywalks.train.prepare import Prepared, out_of_sample, read_tables
from manywalks.train.union import UnionScaler
from manywalks.workspace import Workspace

# Sections of params.yaml that the manifest repeats: each is a param of stage ensemble in dvc.yaml too, or a
# manifest could name settings that the model was not made with.
SECTIONS = {
    "data", "curate", "featurize", "split", "transform", "network", "train", "families",
    "ensemble", "evaluate",
}  # fmt: skip


def settings_of(workspace: Workspace) -> dict[str, Any]:
    """The parameters that made the model, as params.yaml has them."""
    params = workspace.params
    return {
        "params": params.model_dump(mode="json", include=SECTIONS),
        "representations": recorded(located(params.featurize.blocks, workspace.root)),
    }


def union_scaler(features: Features, prepared: Sequence[Prepared]) -> UnionScaler:
    """What scales the raw features for all families at once."""
    return UnionScaler(features.names, tuple(one.scaler for one in prepared))


def family_replicates(
    params: Params, prepared: Sequence[Prepared], kept: Sequence[store.Kept], scaler: UnionScaler
) -> list[FamilyReplicates]:
    """What `keras_stack` makes the model of: each family's trainings, and the columns it sees."""
    families = families_of(params)
    larger = scaler.names.index(LARGER) if LARGER in scaler.names else None
    return [
        FamilyReplicates(
            network=one.problem.network,
            transform=one.transform,
            weights=[replicate.parts[place].weights for replicate in kept],
            columns=columns if len(families) > 1 else None,
            name=family.name,
            weight=family.weight,
            larger=larger if len(families) > 1 and LARGER in one.scaler.names else None,
        )
        for place, (family, one, columns) in enumerate(
            zip(families, prepared, scaler.family_columns, strict=True)
        )
    ]


def calibrations(
    workspace: Workspace, kept: list[store.Kept], domain: Domain, features: Features
) -> dict[str, Any]:
    """Each endpoint's calibration, fitted on the valid subset, from raw features of the curated table."""
    curated, subsets = read_tables(workspace)
    near = domain.assess(features.take(np.flatnonzero(subsets == "valid")))["similarity"].to_numpy()
    valid = subsets[out_of_sample(subsets)] == "valid"
    predictions = np.stack([replicate.predictions for replicate in kept])[:, valid]
    rows = curated.loc[subsets == "valid"]
    stops = any(one.params.train.early_stopping is not None for one in families_of(workspace.params))
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
            similarity=near,
            early_stopping=stops,
            method=workspace.params.evaluate.calibration,
            coverage=workspace.params.evaluate.coverage,
        ).to_json()
    return found
