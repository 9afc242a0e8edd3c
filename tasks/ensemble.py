"""Stage ensemble: all replicates -> one Keras model with everything that prediction needs."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.build import calibrations, family_replicates, settings_of, union_scaler
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.model_file import keras_stack
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.params.load import Params
from manywalks.replicates.opening import fitted_weights, open_store
from manywalks.replicates.store import Store, entropy_of, read_used_replicates
from manywalks.train.prepare import Prepared, read_features, read_prepared
from manywalks.train.union import UnionScaler
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write models/ensemble, the whole folder or nothing of it."""
    params = workspace.params
    store, features = open_store(workspace), read_features(workspace)
    prepared = [read_prepared(workspace, one.family, one.key, features=features) for one in store.families]
    scaler = union_scaler(features, prepared)
    folder = workspace.ensemble.with_name(".ensemble")
    shutil.rmtree(folder, ignore_errors=True)
    kept, diverged = read_used_replicates(store, weights=False)
    save_model(store, params, prepared, scaler, folder / "model.keras")
    scaler.save(folder / "scaler.npz")
    domain = Domain.fit(features.take(prepared[0].problem.train))
    domain.save(folder / "domain.npz")
    card = files.read_json(workspace.reports / "data.json")
    weights = fitted_weights(workspace)
    entropies = [str(entropy_of(one, params)) for one in store.families]
    manifest.write(
        folder,
        {
            **settings_of(workspace),
            "feature_names": list(scaler.names),
            "transform": {one.problem.family: one.transform.to_json() for one in prepared},
            **({} if weights is None else {"family_weights": weights}),
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


def save_model(
    store: Store, params: Params, prepared: Sequence[Prepared], scaler: UnionScaler, path: Path
) -> None:
    """Write the one model of all replicates; their weights are in memory no longer than it takes."""
    average, class_average = params.ensemble.average, params.ensemble.class_average
    kept = read_used_replicates(store)[0]
    families = family_replicates(params, prepared, kept, scaler, store.mixing)
    del kept
    about = keras_stack.describe(families, average, class_average)
    model = keras_stack.stacked_model(families, average, class_average, n_features=len(scaler.names))
    del families
    save_keras(model, path, about=about)
