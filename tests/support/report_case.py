"""A run's outcome as the report reads it, from simulated replicates of two endpoints, one a class."""

from typing import Any

import numpy as np
import pandas as pd

from manywalks.data.card import distribution
from manywalks.ensemble.handed_out import Settings, report_endpoint
from manywalks.ensemble.intervals import calibration
from manywalks.ensemble.manifest import versions
from manywalks.evaluate.baseline import Simple, accuracy
from manywalks.evaluate.calibration_check import diagnose
from manywalks.evaluate.scores import replicate_metrics
from manywalks.evaluate.series import by_series
from manywalks.evaluate.statement.convergence import MainScore, convergence, infinite_score, replicate_scores
from manywalks.evaluate.statement.data_draws import DrawTerms, stated
from manywalks.evaluate.statement.distance_bounds import bounds_by_distance, worst_molecules
from manywalks.evaluate.statement.sentences import sentences
from manywalks.evaluate.statement.statement import Terms, endpoint_statement
from manywalks.params.load import parse_params
from manywalks.params.sections.cut import Cut
from manywalks.params.sections.model import EnsembleParams
from manywalks.report.page import ReportInputs
from manywalks.split.distance import split_distance

CHAINS = ("CCO", "c1ccccc1", "CC(=O)O", "CCN", "C1CCNCC1", "CCCl", "c1ccncc1", "CS(=O)(=O)C", "C#N", "CF")
REPLICATES = 12
SOURCE = {
    "path": "table.csv",
    "rev": "v1",
    "commit": "89abcdef0123456789abcdef0123456789abcdef",
    "md5": "0123456789abcdef0123456789abcdef",
}
MEAN = EnsembleParams(average="mean", class_average="probability")


def found(
    n: int = 120,
    *,
    censored: int = 6,
    seed: int = 5,
    names: tuple[str, str] = ("logS", "active"),
    unit: str = "log10 mol/L",
    title: str = "A <b>bold</b> title",
) -> ReportInputs:
    """What the stages leave for n test and n // 2 valid molecules."""
    rng = np.random.default_rng(seed)
    entries = {names[0]: ("regression", unit, censored), names[1]: ("classification", "", 0)}
    made = {name: _endpoint(name, *entry, n=n, rng=rng) for name, entry in entries.items()}
    return ReportInputs(
        title=title,
        metrics={name: one["metrics"] for name, one in made.items()},
        statements={name: one["statement"] for name, one in made.items()},
        predictions=pd.concat([one["predictions"] for one in made.values()], ignore_index=True),
        counts=pd.DataFrame([point for one in made.values() for point in one["counts"]]),
        replicates=pd.DataFrame([point for one in made.values() for point in one["replicates"]]),
        data=_card(n, made),
        split=_split(n),
        about=_about(made),
        domain={"similarity": 0.3, "outside": 0.02},
    )


def smiles(n: int) -> list[str]:
    """n molecules."""
    return ["C" * (i // len(CHAINS) % 12) + CHAINS[i % len(CHAINS)] for i in range(n)]


def _endpoint(
    name: str, kind: str, unit: str, censored: int, *, n: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Everything of one endpoint."""
    total = n + n // 2
    subsets = np.array(["test"] * n + ["valid"] * (n // 2))
    truth = rng.normal(size=total)
    shared = 0.4 * rng.normal(size=total)
    replicates = truth + shared + 0.2 * rng.normal(size=(REPLICATES, total))
    observed, relation = truth + 0.2 * rng.normal(size=total), np.full(total, "=")
    if kind == "classification":
        replicates, observed = 1 / (1 + np.exp(-2 * replicates)), (observed > 0).astype(float)
    relation[:censored] = np.where(np.arange(censored) % 2, ">", "<")
    observed[censored : censored + 3] = np.nan
    relation[censored : censored + 3] = ""
    mean, spread, test = replicates.mean(axis=0), replicates.std(axis=0, ddof=1), subsets == "test"
    exact = np.where(relation == "=", observed, np.nan)
    fitted = calibration.fit(exact[~test], mean[~test], spread[~test], kind)
    terms = Terms(kind=kind, unit=unit, tolerance=0.1, sd=1.0, noise=0.2 if unit else None)
    statement = endpoint_statement(replicates, observed, terms, relation=relation)
    cut = Cut(low=0.5) if kind == "classification" else None
    out = report_endpoint(fitted, replicates, mean, Settings(0.9, cut))
    own = fitted.as_reported(replicates)
    metrics = replicate_metrics(
        observed[test],
        own[:, test],
        kind=kind,
        unit=unit,
        ensemble=out.predicted[test],
        relation=relation[test],
    )
    score = MainScore(observed[test], relation[test], kind, MEAN)
    said = sentences(statement, name)
    similarity = rng.uniform(0.1, 1, size=total)
    worst = worst_molecules(replicates, terms)
    statement["by_distance"] = bounds_by_distance(replicates, similarity, terms)
    statement["worst_molecules"] = {
        "expected": worst["expected"],
        "rows": worst["places"],
        "bounds": worst["bounds"],
    }
    exact = np.where(relation == "=", observed, np.nan)
    within = (out.low <= exact) & (exact <= out.high)
    series = np.array(["", "c1ccccc1", "c1ccncc1", "C1CCNCC1", "alone"])[np.arange(total) % 9 % 5]
    statement["by_series"] = by_series(series, replicates, out.predicted - exact, within, terms)
    drawn = replicates.reshape(3, 2, 2, -1)
    terms = DrawTerms(kind, unit, len(replicates), within=float(replicates.var(axis=0, ddof=1).mean()))
    statement["data_draws"] = stated(drawn, terms, name)
    return {
        "metrics": {
            **metrics,
            "n_valid": int(np.isfinite(observed[~test]).sum()),
            **accuracy(
                observed[test],
                out.predicted[test],
                Simple(0.0 if unit else 0.5, out.predicted[test] * 0.5),
                kind=kind,
                relation=relation[test],
                rng=rng,
            ),
            "infinite": infinite_score(own[:, test], score),
            "calibration": diagnose(fitted, exact[test], mean[test], spread[test]),
            "train": {"molecules": 3 * n, **dict.fromkeys(metrics["ensemble"], 0.123)},
        },
        "statement": {**statement, "sentence": said[0], "single_replicate": said[1]},
        "counts": [{"endpoint": name, **p} for p in convergence(own[:, test], score)],
        "replicates": [{"endpoint": name, **p} for p in replicate_scores(own[:, test], score)],
        "calibration": fitted.to_json(),
        "kind": kind,
        "unit": unit,
        "observed": observed,
        "predictions": pd.DataFrame(
            {
                "row": np.arange(total),
                "id": [f"M{i}" for i in range(total)],
                "smiles": smiles(total),
                "endpoint": name,
                "subset": subsets,
                "observed": observed,
                "relation": relation,
                "predicted": out.predicted,
                "spread": out.spread,
                "bound": out.bound,
                "low": out.low,
                "high": out.high,
                "similarity": similarity,
                "nearest_row": pd.array(5000 + np.arange(total) // 2, dtype="Int64"),
                "nearest_id": [f"T{i // 2}" for i in range(total)],
                "nearest_smiles": smiles(total),
                "nearest_observed": observed,
                "nearest_relation": relation,
                "in_domain": rng.uniform(size=total) > 0.1,
                "flip": np.nan if out.flip is None else out.flip,
            }
        ),
    }


def _card(n: int, made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """data.json."""
    example = {"row": 7, "id": "x", "smiles": "CC(C)(C)(C)C", "detail": "valence <of> 5"}
    nothing = {"row": 9, "id": "", "smiles": "", "detail": "no structure"}
    return {
        "source": SOURCE | {"rows": 3 * n + 5},
        "records": 3 * n + 5,
        "molecules": 3 * n,
        "merged": 3,
        "rejected": 2,
        "steps": [{"step": "read", "records": 3 * n + 5}, {"step": "merged", "records": 3 * n}],
        "reasons": {
            "unparsable": {"count": 2, "sentence": "Cannot be read.", "examples": [example, nothing]}
        },
        "flags": {"stereo": 4},
        "split": {},
        "endpoints": {name: _measured(one) for name, one in made.items()},
    }


def _split(n: int) -> dict[str, Any]:
    """split.json."""
    texts = smiles(3 * n)
    subsets = np.array(["test"] * n + ["valid"] * (n // 2) + ["train"] * (3 * n - n - n // 2))
    return split_distance(texts, subsets)


def _measured(one: dict[str, Any]) -> dict[str, Any]:
    """An endpoint's entry of data.json."""
    values = one["observed"][np.isfinite(one["observed"])]
    repeats = {
        "molecules": 2,
        "measurements": 4,
        "contradictory": 0,
        "noise_sd": 0.2 if one["unit"] else None,
        "noise_freedom": 2,
        "identical": 0,
        "extent_median": 0.1,
    }
    shared = {"kind": one["kind"], "unit": one["unit"], "molecules": len(values), "repeats": repeats}
    shared |= {
        "ignored_cells": {"not_a_number": 1},
        "ignored_examples": [{"row": 7, "detail": "n=2 is no number"}],
    }
    if one["kind"] == "classification":
        return shared | {"positive": int(values.sum()), "negative": int((values == 0).sum())}
    return shared | {"censored": {"above": 3, "below": 3}, "distribution": distribution(values)}


def _about(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """manifest.json."""
    endpoints = {name: {"kind": one["kind"], "unit": one["unit"]} for name, one in made.items()}
    params = parse_params({"data": {"path": "table.csv", "endpoints": endpoints}})
    return {
        "params": params.model_dump(mode="json"),
        "feature_names": ["a", "b", "c"],
        "calibration": {name: one["calibration"] for name, one in made.items()},
        "replicates": REPLICATES,
        "diverged": 0,
        "engine": "numba",
        "entropy": "7",
        "store": "abc",
        "data": SOURCE | {"rows": 365},
        "versions": versions(),
        "files": {"model.keras": "f" * 64},
    }
