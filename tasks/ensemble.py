"""Stage ensemble: all replicates -> one Keras model with everything that prediction needs."""

import shutil

from manywalks import files
from manywalks.ensemble import keras_stack, manifest
from manywalks.ensemble.build import calibrations, settings_of
from manywalks.ensemble.domain import Domain
from manywalks.features import Features
from manywalks.replicates.store import entropy_of, open_store, read_used_replicates
from manywalks.train.prepare import read_prepared
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write models/ensemble, the whole folder or nothing of it."""
    params = workspace.params
    store, features = open_store(workspace), Features.load(workspace.features)
    prepared = read_prepared(workspace, store.key, features=features)
    kept, diverged = read_used_replicates(store)
    model = keras_stack.stacked_model(
        params.network,
        prepared.transform,
        [replicate.weights for replicate in kept],
        params.ensemble.average,
        params.ensemble.class_average,
        n_features=prepared.problem.features.width,
    )
    folder = workspace.ensemble.with_name(".ensemble")
    shutil.rmtree(folder, ignore_errors=True)
    about = keras_stack.describe(
        params.network, prepared.transform, params.ensemble.average, params.ensemble.class_average
    )
    keras_stack.save_keras(model, folder / "model.keras", about=about)
    prepared.scaler.save(folder / "scaler.npz")
    domain = Domain.fit(features.take(prepared.problem.train))
    domain.save(folder / "domain.npz")
    card = files.read_json(workspace.reports / "data.json")
    manifest.write(
        folder,
        {
            **settings_of(workspace),
            "feature_names": list(prepared.scaler.names),
            "transform": prepared.transform.to_json(),
            "calibration": calibrations(workspace, kept),
            "replicates": len(kept),
            "diverged": diverged,
            "confidence": params.replicates.confidence,
            "adaptive": params.replicates.count is None,
            "engine": kept[0].engine,
            "entropy": str(entropy_of(store, params)),
            "store": store.key,
            "data": card["source"],
            "labels": {n: one["labels"] for n, one in card["endpoints"].items() if "labels" in one},
            "versions": manifest.versions(),
        },
    )
    shutil.rmtree(workspace.ensemble, ignore_errors=True)
    folder.replace(workspace.ensemble)
