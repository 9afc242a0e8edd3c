"""One endpoint's scores, statement and predictions outside the training molecules."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks import units
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.evaluate.baseline import accuracy, simple_predictions
from manywalks.evaluate.calibration_check import diagnose
from manywalks.evaluate.endpoint_results import EndpointResults, handed_out
from manywalks.evaluate.scores import endpoint_metrics, replicate_metrics
from manywalks.evaluate.series import by_series
from manywalks.evaluate.statement.convergence import MainScore, convergence, infinite_score, replicate_scores
from manywalks.evaluate.statement.distance_bounds import bounds_by_distance, worst_molecules
from manywalks.evaluate.statement.list_statement import ListTerms, decisions
from manywalks.evaluate.statement.sentences import sentences
from manywalks.evaluate.statement.statement import Terms, endpoint_statement
from manywalks.features import Features
from manywalks.params.load import Params
from manywalks.replicates.combine import combining_of
from manywalks.replicates.plan import AssayNoise
from manywalks.runtime.resources import cores_of
from manywalks.similarity import most_similar
from manywalks.train.union import UnionScaler
from manywalks.workspace import Workspace


class Nearness(NamedTuple):
    """Where the n out-of-sample molecules lie relative to the k training ones.

    Attributes:
        table: columns similarity and in_domain, n rows.
        nearest: (n,) row of the most similar training molecule among the training ones; -1 where none is.
        bits: uint64 (n, w), their fingerprints.
        train_bits: uint64 (k, w), those of the training molecules, in the order of the curated table.
    """

    table: pd.DataFrame
    nearest: np.ndarray
    bits: np.ndarray
    train_bits: np.ndarray


def nearness(workspace: Workspace, features: Features) -> Nearness:
    """The out-of-sample molecules, by their raw features (n, d), beside the training ones."""
    domain = Domain.load(workspace.ensemble / "domain.npz")
    table = domain.assess(features).loc[:, ["similarity", "in_domain"]]
    bits = domain.fingerprints(features)
    return Nearness(table, most_similar(bits, domain.bits)[0], bits, domain.bits)


def beside_neighbours(near: Nearness, trained: pd.DataFrame, name: str) -> pd.DataFrame:
    """What predictions.parquet says of each molecule's nearest training molecule, whose table is `trained`.

    Returns:
        n rows of nearest_row (of the curated table), nearest_id, nearest_smiles, nearest_observed and
        nearest_relation; nothing where no training molecule is alike.
    """
    known = trained.reset_index(drop=True).reindex(near.nearest)  # -1 is no row
    return pd.DataFrame(
        {
            "nearest_row": pd.Series(trained.index).reindex(near.nearest).astype("Int64").array,
            "nearest_id": known["id"].array,
            "nearest_smiles": known["smiles"].array,
            "nearest_observed": known[name].array,
            "nearest_relation": known[f"{name}:relation"].array,
        }
    )


def beside_baselines(seen: EndpointResults, near: Nearness, trained: np.ndarray) -> dict[str, Any]:
    """What metrics.json says of how good the model is: `baseline.accuracy` of the test subset.

    Args:
        seen: the endpoint out of sample.
        near: fingerprints of the same molecules.
        trained: (k,) values of the training molecules, NaN where not measured.
    """
    test = seen.subsets == "test"
    found = accuracy(
        seen.observed[test],
        seen.fitted.as_reported(seen.mean[test]),
        simple_predictions(near.bits[test], near.train_bits, trained),
        kind=seen.endpoint.kind,
        relation=seen.relation[test],
        rng=np.random.default_rng(0),  # resamples molecules for an interval; no replicate depends on it
    )
    return {"n_valid": int(np.isfinite(seen.observed[~test]).sum()), **found}


def predict_rows(workspace: Workspace, features: Features) -> np.ndarray:
    """What the ensemble says of molecules, before calibration: raw features (n, d) -> (n, t)."""
    scaler = UnionScaler.load(workspace.ensemble / "scaler.npz")
    predictor = StackedPredictor.load(workspace.ensemble / "model.keras", cores=cores_of(workspace))
    return predictor.predict_mean_spread(scaler.transform(features)).mean.astype(np.float64)


def training_scores(rows: pd.DataFrame, name: str, predicted: np.ndarray, params: Params) -> dict[str, Any]:
    """Scores of the predictions (n,) of the training molecules: how closely the ensemble follows them."""
    observed = rows[name].to_numpy(dtype=np.float64)
    scores = endpoint_metrics(
        observed,
        predicted,
        kind=params.data.endpoints[name].kind,
        relation=rows[f"{name}:relation"].to_numpy(dtype=str),
        threshold=params.evaluate.threshold,
    )
    return {"molecules": int(np.isfinite(observed).sum()), **scores}


def below_zero(seen: EndpointResults) -> int:
    """How many measured test molecules are predicted negative where no value is; 0 of a logarithm."""
    endpoint = seen.endpoint
    if endpoint.kind != "regression" or endpoint.transform != "none" or (seen.observed < 0).any():
        return 0
    if units.is_logarithm(endpoint.unit) or "log" in f"{seen.name} {endpoint.unit}".lower():
        return 0
    measured = (seen.subsets == "test") & np.isfinite(seen.observed)
    return int((seen.mean[measured] < 0).sum())


def scores_on_test(seen: EndpointResults, params: Params) -> dict[str, Any]:
    """The endpoint's entry of metrics.json, from the test subset, which the calibration was not fitted on."""
    test, fitted = seen.subsets == "test", seen.fitted
    found = replicate_metrics(
        seen.observed[test],
        fitted.as_reported(seen.replicates[:, test]),
        kind=seen.endpoint.kind,
        unit=seen.endpoint.unit,
        ensemble=fitted.as_reported(seen.mean[test]),
        relation=seen.relation[test],
        threshold=params.evaluate.threshold,
    )
    exact = np.where(seen.relation == "=", seen.observed, np.nan)[test]
    replicates = seen.replicates[:, test]
    spread = replicates.std(axis=0, ddof=1)
    return {
        **found,
        "below_zero": below_zero(seen),
        "infinite": infinite_score(replicates, main_score(seen, params)),
        "calibration": diagnose(
            fitted,
            exact,
            seen.mean[test],
            spread,
            replicates=replicates,
            similarity=None if seen.similarity is None else seen.similarity[test],
        ),
    }


def statement_of(
    seen: EndpointResults,
    params: Params,
    similarity: np.ndarray,
    series: np.ndarray,
    *,
    tolerance: float,
    sd: float,
    diverged: int,
    noise: AssayNoise,
) -> dict[str, Any]:
    """The endpoint's entry of statement.json, from the valid and test subsets, before calibration.

    The map is fitted on replicates, so a retrained ensemble has another one: only what the networks give can
    be promised from the replicates at hand.
    """
    terms = Terms(
        kind=seen.endpoint.kind,
        unit=seen.endpoint.unit,
        tolerance=tolerance,
        sd=sd,
        noise=noise.sd,
        noise_repeats=noise.repeats,
        threshold=params.evaluate.threshold,
        confidence=params.replicates.confidence,
        combining=combining_of(seen.endpoint.kind, params.ensemble),
        adaptive=params.replicates.count is None,
        diverged=diverged,
        endpoints=len(params.data.endpoints),
        wanted=seen.endpoint,
    )
    statement = endpoint_statement(seen.replicates, seen.observed, terms, relation=seen.relation)
    statement["rows"] = params.replicates.rows
    statement["reference"] = [subset for subset in ("valid", "test") if (seen.subsets == subset).any()]
    retrained, single = sentences(statement, seen.name)
    statement["decisions"] = _decisions(seen, params, terms)
    worst = worst_molecules(seen.replicates, terms)
    statement["by_distance"] = bounds_by_distance(seen.replicates, similarity, terms)
    statement["worst_molecules"] = {
        "expected": worst["expected"],
        "rows": seen.rows[worst["places"]].tolist(),
        "bounds": worst["bounds"],
    }
    out = handed_out(seen, params)
    exact = np.where(seen.relation == "=", seen.observed, np.nan)
    within = (out.low <= exact) & (exact <= out.high)
    statement["by_series"] = by_series(series, seen.replicates, out.predicted - exact, within, terms)
    return {**statement, "sentence": retrained, "single_replicate": single}


def _decisions(seen: EndpointResults, params: Params, terms: Terms) -> dict[str, Any] | None:
    """How many decisions a retrained ensemble would make otherwise, with the calibration taken as it is."""
    asked = ListTerms(
        kind=terms.kind,
        unit=terms.unit,
        confidence=terms.confidence,
        mode=terms.combining.mode,
        cut=params.evaluate.cut_of(seen.name, seen.endpoint),
    )
    return decisions(handed_out(seen, params).sums, asked)


def convergence_points(seen: EndpointResults, params: Params) -> list[dict[str, Any]]:
    """Points of plots/replicates.json: test score by number of replicates."""
    test = seen.subsets == "test"
    return [
        {"endpoint": seen.name, **point}
        for point in convergence(seen.replicates[:, test], main_score(seen, params))
    ]


def replicate_points(seen: EndpointResults, params: Params) -> list[dict[str, Any]]:
    """Points of plots/single_replicates.json: test score of each single replicate."""
    replicates = seen.replicates[:, seen.subsets == "test"]
    scores = replicate_scores(replicates, main_score(seen, params))
    return [{"endpoint": seen.name, **score} for score in scores]


def main_score(seen: EndpointResults, params: Params) -> MainScore:
    """The main score on the test subset."""
    test, fitted = seen.subsets == "test", seen.fitted
    observed, relation = seen.observed[test], seen.relation[test]
    return MainScore(observed, relation, seen.endpoint.kind, params.ensemble, fitted.as_reported)
