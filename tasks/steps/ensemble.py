"""Stage ensemble: all replicates -> one Keras model with everything that prediction needs."""

import shutil
from typing import Any

import numpy as np

from manywalks.tasks import calibrate, files, manifest, replicates, stack
from manywalks.tasks.between import combine
from manywalks.tasks.combining import combining_of
from manywalks.tasks.domain import Domain
from manywalks.tasks.features import Features
from manywalks.tasks.prepared import read_prepared, read_tables
from manywalks.tasks.problem import out_of_sample
from manywalks.tasks.workspace import Workspace

# Sections of params.yaml that the manifest repeats: each is a param of stage ensemble in dvc.yaml too, or a
# manifest could name settings that the model was not made with.
SECTIONS = {"data", "curate", "featurize", "split", "transform", "network", "train", "ensemble", "evaluate"}


def run(workspace: Workspace) -> None:
    """Write models/ensemble, the whole folder or nothing of it."""
    params = workspace.params
    prepared = read_prepared(workspace)
    store = replicates.open_store(workspace)
    kept, diverged = replicates.read_used(store)
    model = stack.stacked_model(
        params.network,
        prepared.transform,
        [replicate.weights for replicate in kept],
        params.ensemble.mode,
        params.ensemble.classes,
        n_features=prepared.problem.features.width,
    )
    folder = workspace.ensemble.with_name(".ensemble")
    shutil.rmtree(folder, ignore_errors=True)
    about = stack.describe(params.network, prepared.transform, params.ensemble.mode, params.ensemble.classes)
    stack.save_keras(model, folder / "model.keras", about=about)
    prepared.scaler.save(folder / "scaler.npz")
    domain = Domain.fit(Features.load(workspace.features).take(prepared.problem.train))
    domain.save(folder / "domain.npz")
    manifest.write(
        folder,
        {
            **_settings(workspace),
            "feature_names": list(prepared.scaler.names),
            "transform": prepared.transform.to_json(),
            "calibration": _calibration(workspace, kept),
            "replicates": len(kept),
            "diverged": diverged,
            "confidence": params.replicates.confidence,
            "adaptive": params.replicates.count is None,
            "engine": kept[0].engine,
            "entropy": str(replicates.entropy_of(store, params)),
            "store": store.key,
            "data": files.read_json(workspace.reports / "data.json")["source"],
            "versions": manifest.versions(),
        },
    )
    shutil.rmtree(workspace.ensemble, ignore_errors=True)
    folder.replace(workspace.ensemble)


def _settings(workspace: Workspace) -> dict[str, Any]:
    """The parameters that made the model, as they stand in params.yaml."""
    return {"params": workspace.params.model_dump(mode="json", include=SECTIONS)}


def _calibration(workspace: Workspace, kept: list[replicates.Kept]) -> dict[str, Any]:
    """Each endpoint's calibration, fitted on the valid part."""
    curated, parts = read_tables(workspace)
    valid = parts[out_of_sample(parts)] == "valid"
    predictions = np.stack([replicate.predictions for replicate in kept])[:, valid]
    rows = curated.loc[parts == "valid"]
    found = {}
    for column, (name, endpoint) in enumerate(workspace.params.data.endpoints.items()):
        walks = predictions[:, :, column].astype(np.float64)
        mean = combine(walks, combining_of(endpoint.kind, workspace.params.ensemble))
        spread = walks.std(axis=0, ddof=1)
        observed = rows[name].to_numpy(dtype=np.float64)
        exact = rows[f"{name}:relation"].to_numpy() == "="
        observed = np.where(exact, observed, np.nan)
        found[name] = calibrate.fit(
            observed,
            mean,
            spread,
            endpoint.kind,
            early_stopping=workspace.params.train.early_stopping is not None,
            method=workspace.params.evaluate.calibration,
        ).to_json()
    return found
