"""Stage evaluate: scores of the ensemble and of single replicates, and the reproducibility statement."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.intervals import calibration
from manywalks.evaluate.endpoint_results import (
    endpoint_results,
    left_out_table,
    prediction_table,
    training_results,
)
from manywalks.evaluate.evaluation import (
    beside_baselines,
    beside_neighbours,
    convergence_points,
    nearness,
    predict_rows,
    replicate_points,
    scores_on_test,
    statement_of,
    training_scores,
)
from manywalks.evaluate.family_gains import family_gains
from manywalks.evaluate.few_scores import few_scores
from manywalks.evaluate.statement.data_draws import DrawTerms, not_stated, stated, too_few
from manywalks.evaluate.statement.out_of_bag import out_of_bag
from manywalks.evaluate.statement.weights_fitted import weights_fitted
from manywalks.features import Features
from manywalks.params.load import Params
from manywalks.params.sections.families import families_of
from manywalks.replicates import store
from manywalks.replicates.combine import combining_of
from manywalks.replicates.draw_loop import Drawn, read_draws
from manywalks.replicates.opening import fitted_weights, open_store
from manywalks.replicates.plan import assay_noise, observed_sd, tolerances_of
from manywalks.replicates.statistics.mixing import EVENLY, weights_at
from manywalks.split.clusters import scaffolds
from manywalks.train.prepare import out_of_sample, read_tables
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write metrics.json, scores.json, statement.json, predictions.parquet, plots/ in reports."""
    params = workspace.params
    about = manifest.read(workspace.ensemble)
    curated, subsets = read_tables(workspace)
    opened = open_store(workspace)
    kept, diverged = store.read_used_replicates(opened)
    card = files.read_json(workspace.reports / "data.json")
    tolerances = tolerances_of(curated, subsets, card, params)
    predictions = np.stack([replicate.predictions for replicate in kept]).astype(np.float64)
    families, by_family = (
        families_of(params),
        store.predictions_by_family(
            kept,
            [
                place
                for place, one in enumerate(params.data.endpoints.values())
                if one.kind == "classification"
            ],
        ),
    )
    test = subsets[out_of_sample(subsets)] == "test"
    features = Features.load(workspace.features)
    near = nearness(workspace, features.take(out_of_sample(subsets)))
    series = np.array(scaffolds(curated.iloc[out_of_sample(subsets)]["smiles"].tolist()))
    train, left_out = subsets == "train", _left_out(kept)
    fit = predict_rows(workspace, features.take(np.flatnonzero(train)))
    drawn, fitted_by = read_draws(workspace), fitted_weights(workspace)
    metrics, statements, tables, bagged, plots, replicates = {}, {}, [], [], [], []
    for column, name in enumerate(params.data.endpoints):
        fitted = calibration.Calibration.from_json(about["calibration"][name])
        seen = endpoint_results(curated, subsets, name, fitted, predictions[:, :, column], params)
        seen = seen._replace(similarity=near.table["similarity"].to_numpy(dtype=np.float64))
        metrics[name] = {
            **scores_on_test(seen, params),
            **beside_baselines(seen, near, curated.loc[train, name].to_numpy(dtype=np.float64)),
            "train": training_scores(curated.loc[train], name, fitted.as_reported(fit[:, column]), params),
        }
        if left_out is not None:
            own = training_results(seen, curated.loc[train], left_out[:, :, column].astype(np.float64))
            metrics[name]["out_of_bag"] = out_of_bag(own, params)
            bagged.append(left_out_table(own, curated, params))
        statements[name] = statement_of(
            seen,
            params,
            near.table["similarity"].to_numpy(dtype=np.float64),
            series,
            tolerance=tolerances[column],
            sd=observed_sd(curated, subsets, name),
            diverged=diverged,
            noise=assay_noise(card, name),
        )
        statements[name]["families"] = family_gains(
            families,
            weights_at(opened.mixing or EVENLY, column, len(families)),
            [one[:, test, column] for one in by_family],
            seen.observed[test],
            seen.relation[test],
            kind=seen.endpoint.kind,
            threshold=params.evaluate.threshold,
            how=combining_of(seen.endpoint.kind, params.ensemble),
        )
        if fitted_by is not None:
            statements[name]["weights"] = found = weights_fitted(
                fitted_by[name],
                [one[:, :, column] for one in by_family],
                weights_at(opened.mixing or EVENLY, column, len(families)),
                combining_of(seen.endpoint.kind, params.ensemble),
                "" if seen.endpoint.kind == "classification" else seen.endpoint.unit or "",
            )
            statements[name]["sentence"] += f" {found['sentence']}"
        trained = curated.loc[train, name].to_numpy(dtype=np.float64)
        statements[name]["data_draws"] = _data_draws(
            drawn, column, trained, predictions[:, :, column], params
        )
        neighbours = beside_neighbours(near, curated.loc[train], name)
        tables.append(prediction_table(seen, curated, params).join([near.table, neighbours]))
        plots += convergence_points(seen, params)
        replicates += replicate_points(seen, params)
    files.write_json(workspace.reports / "metrics.json", metrics)
    files.write_json(workspace.reports / "scores.json", few_scores(metrics, statements))
    files.write_json(workspace.reports / "statement.json", statements)
    table = pd.concat([*tables, *bagged], ignore_index=True)
    if bagged:
        table["replicates"] = table["replicates"].fillna(len(kept)).astype("int64")
    with files.atomic_path(workspace.reports / "predictions.parquet") as path:
        table.to_parquet(path, index=False)
    test = table[(table["subset"] == "test") & table["observed"].notna()]
    shown = pd.DataFrame(test[["endpoint", "observed", "predicted", "spread"]])
    files.write_json(workspace.reports / "plots" / "predictions.json", shown.to_dict("records"))
    files.write_json(workspace.reports / "plots" / "replicates.json", plots)
    files.write_json(workspace.reports / "plots" / "single_replicates.json", replicates)


def _left_out(kept: Sequence[store.Kept]) -> np.ndarray | None:
    """Predictions of training molecules (m, n_train, t), NaN where a replicate trained on one."""
    own = [replicate.out_of_bag for replicate in kept if replicate.out_of_bag is not None]
    return np.stack(own) if own else None


def _data_draws(
    drawn: Drawn, column: int, trained: np.ndarray, replicates: np.ndarray, params: Params
) -> dict[str, Any]:
    """What the statement says of another draw of the data, at the endpoint in this column.

    Args:
        drawn: replicates on halves of the training molecules.
        column: of the endpoint.
        trained: values of the training molecules, NaN where not measured.
        replicates: (m, n) of the ensemble.
        params: all parameters.
    """
    name, endpoint = list(params.data.endpoints.items())[column]
    why = too_few(endpoint.kind, trained)
    if drawn.predictions is None or why is not None:
        return not_stated(str(drawn.why or why), name)
    terms = DrawTerms(
        endpoint.kind,
        endpoint.unit,
        len(replicates),
        within=float(replicates.var(axis=0, ddof=1).mean()),
        threshold=params.evaluate.threshold,
        wanted=endpoint,
        confidence=params.replicates.confidence,
    )
    return stated(drawn.predictions[..., column], terms, name)
