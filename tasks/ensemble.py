"""Stage ensemble: all replicates -> one Keras model with everything that prediction needs."""

import shutil

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.build import calibrations, family_replicates, settings_of, union_scaler
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.model_file import keras_stack
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.replicates.opening import open_store
from manywalks.replicates.store import entropy_of, read_used_replicates
from manywalks.train.prepare import read_features, read_prepared
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write models/ensemble, the whole folder or nothing of it."""
    params = workspace.params
    store, features = open_store(workspace), read_features(workspace)
    prepared = [read_prepared(workspace, one.family, one.key, features=features) for one in store.families]
    kept, diverged = read_used_replicates(store)
    scaler = union_scaler(features, prepared)
    families = family_replicates(params, prepared, kept, scaler)
    average, class_average = params.ensemble.average, params.ensemble.class_average
    model = keras_stack.stacked_model(families, average, class_average, n_features=len(scaler.names))
    folder = workspace.ensemble.with_name(".ensemble")
    shutil.rmtree(folder, ignore_errors=True)
    about = keras_stack.describe(families, average, class_average)
    save_keras(model, folder / "model.keras", about=about)
    scaler.save(folder / "scaler.npz")
    domain = Domain.fit(features.take(prepared[0].problem.train))
    domain.save(folder / "domain.npz")
    card = files.read_json(workspace.reports / "data.json")
    entropies = [str(entropy_of(one, params)) for one in store.families]
    manifest.write(
        folder,
        {
            **settings_of(workspace),
            "feature_names": list(scaler.names),
            "transform": {one.problem.family: one.transform.to_json() for one in prepared},
            "calibration": calibrations(workspace, kept, domain, features),
            "replicates": len(kept),
            "rows": params.replicates.rows,
            "diverged": diverged,
            "confidence": params.replicates.confidence,
            "adaptive": params.replicates.count is None,
            "engine": ", ".join(dict.fromkeys(part.engine for part in kept[0].parts)),
            "entropy": entropies[0] if len(entropies) == 1 else entropies,
            "store": store.key,
            "data": card["source"],
            "labels": {n: one["labels"] for n, one in card["endpoints"].items() if "labels" in one},
            "versions": manifest.versions(),
        },
    )
    shutil.rmtree(workspace.ensemble, ignore_errors=True)
    folder.replace(workspace.ensemble)
