"""One endpoint of a comparison: scores of configurations on splits, and a verdict for every pair."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from manywalks.compare import paired, verdicts
from manywalks.compare.rank_tests import friedman_p
from manywalks.compare.report.score_table import ScoreTable, check_assumptions
from manywalks.evaluate.infinite import CLOSED, Projected, project, scorer
from manywalks.evaluate.registry import HIGHER_IS_BETTER, IN_UNITS, MAIN, METRICS
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.formatting import count
from manywalks.params.load import Params
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import combine, combining_of
from manywalks.replicates.statistics.bound import replicates_needed
from manywalks.replicates.statistics.spectrum import Moments, covariance_moments

# scores without a unit: what is worth a change of network
THRESHOLD = 0.01


@dataclass(frozen=True)
class Criteria:
    """What an endpoint is judged by.

    Attributes:
        name, unit, kind: of the endpoint.
        metric: the score that decides.
        tolerance: between two ensembles, in the endpoint's unit.
        threshold: practical threshold, in the metric's unit.
        confidence: of the simultaneous intervals.
        params: scoring and combining.
    """

    name: str
    unit: str
    kind: str
    metric: str
    tolerance: float
    threshold: float
    confidence: float
    params: Params

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        return 1.0 if self.metric in HIGHER_IS_BETTER else -1.0


def criteria_of(
    name: str,
    endpoint: EndpointParams,
    params: Params,
    *,
    tolerance: float,
    metric: str | None,
    threshold: float | None,
) -> Criteria:
    """What the endpoint is judged by, with defaults for what was not asked for."""
    chosen = metric or MAIN[endpoint.kind]
    if chosen not in METRICS[endpoint.kind]:
        raise ValueError(
            f"--metric {chosen}: is no score of {name}; known are {', '.join(METRICS[endpoint.kind])}"
        )
    default = tolerance if chosen in IN_UNITS else THRESHOLD
    own = default if threshold is None else threshold
    return Criteria(
        name, endpoint.unit, endpoint.kind, chosen, tolerance, own, params.replicates.confidence, params
    )


@dataclass
class Scores:
    """Scores of c configurations on s splits, filled in as replicates are trained."""

    terms: Criteria
    observed: np.ndarray
    relation: np.ndarray
    found: dict[tuple[int, int], Projected] = field(default_factory=dict)
    spread: dict[tuple[int, int], Moments] = field(default_factory=dict)
    metrics: dict[tuple[int, int], dict[str, float | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: Criteria, curated: pd.DataFrame) -> "Scores":
        """Nothing scored yet."""
        observed = curated[terms.name].to_numpy(dtype=np.float64)
        return cls(terms, observed, curated[f"{terms.name}:relation"].to_numpy(dtype=str))

    def add(self, split: int, configuration: int, test: np.ndarray, replicates: np.ndarray) -> None:
        """Score (m, n_test) replicates on the rows `test`."""
        rows = np.isfinite(self.observed[test])
        observed, relation = self.observed[test][rows], self.relation[test][rows]
        if len(observed) < 2:
            few = count(len(observed), "measured molecule")
            raise ValueError(f"{self.terms.name}: {few} in the test subset of split {split}; use fewer folds")
        terms, threshold = self.terms, self.terms.params.evaluate.threshold
        how = combining_of(terms.kind, terms.params.ensemble)
        plain = how.is_plain and not np.isin(relation, ("<", ">")).any()
        score = scorer(observed, relation, metric=terms.metric, kind=terms.kind, threshold=threshold)
        place = (split, configuration)
        self.found[place] = project(
            replicates[:, rows],
            observed,
            score,
            closed=terms.metric if plain and terms.metric in CLOSED else None,
            join=lambda some: combine(some, how),
        )
        self.spread[place] = covariance_moments(replicates)
        whole = combine(replicates[:, rows], how)
        self.metrics[place] = endpoint_metrics(
            observed, whole, kind=terms.kind, relation=relation, threshold=threshold
        )

    def table(self, splits: int, configurations: int, ratio: float, folds: int) -> ScoreTable:
        """Scores at the infinite ensemble, more is better, NaN where nothing was trained."""
        scores, noise = np.full((2, splits, configurations), np.nan)
        for (split, configuration), one in self.found.items():
            scores[split, configuration] = self.terms.sign * one.infinite
            noise[split, configuration] = one.error**2
        return ScoreTable(scores, noise, ratio, folds)

    def singles(self, configuration: int) -> dict[int, np.ndarray]:
        """Scores (m,) of a configuration's single replicates by split, more is better."""
        own = {s: one for (s, c), one in sorted(self.found.items()) if c == configuration}
        return {s: self.terms.sign * one.single for s, one in own.items()}


def check_splits(
    curated: pd.DataFrame, splits: Sequence[np.ndarray], params: Params, metric: str | None
) -> None:
    """A ValueError if a score is not defined on the test molecules of a split, str (n,) each."""
    for name, endpoint in params.data.endpoints.items():
        values = curated[name].to_numpy(dtype=np.float64)
        relation = curated[f"{name}:relation"].to_numpy(dtype=str)
        for number, subsets in enumerate(splits):
            own = (subsets == "test") & np.isfinite(values)
            measured = int(own.sum())
            if measured < 2:
                few = count(measured, "measured molecule")
                raise ValueError(f"{name}: {few} in the test subset of split {number}; use fewer folds")
            score = scorer(
                values[own], relation[own], metric=metric or MAIN[endpoint.kind], kind=endpoint.kind,
                threshold=params.evaluate.threshold,
            )  # fmt: skip
            try:
                score(np.linspace(0.1, 0.9, measured))  # any predictions that differ
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None


def judge(
    scores: Scores, names: list[str], *, splits: int, ratio: float, confidence: float, design: dict[str, Any]
) -> dict[str, Any]:
    """The endpoint's entry of reports/compare.json.

    Args:
        scores: of all configurations.
        names: of the configurations.
        splits: how many there are.
        ratio: test molecules over training molecules.
        confidence: of the intervals of this look.
        design: {"replicates", "folds"} for what an undecided pair needs.
    """
    terms = scores.terms
    table = scores.table(splits, len(names), ratio, design["folds"])
    assumed = check_assumptions(table)
    found = paired.pairs_of(table, confidence, assumed.method)
    design = {**design, "ratio": ratio}
    return {
        **described(terms, confidence),
        "assumptions": {
            "sphericity_p": assumed.sphericity,
            "normality_p": assumed.normality,
            "friedman_p": friedman_p(table),
            "method": assumed.method,
        },
        "scores": [score_row(scores, place, name) for place, name in enumerate(names)],
        "pairs": [_pair(scores, names, pair, assumed.method, confidence, design) for pair in found],
    }


def described(terms: Criteria, confidence: float) -> dict[str, Any]:
    """What an endpoint is judged by, for the report."""
    return {
        "metric": terms.metric,
        "unit": terms.unit if terms.metric in IN_UNITS else "",
        "endpoint_unit": terms.unit,
        "higher_is_better": terms.sign > 0,
        "threshold": terms.threshold,
        "tolerance": terms.tolerance,
        "confidence": confidence,
    }


def score_row(scores: Scores, configuration: int, name: str) -> dict[str, Any]:
    """One configuration's scores, each the mean over its splits."""
    own = [one for (_, c), one in sorted(scores.found.items()) if c == configuration]
    spread = [one for (_, c), one in sorted(scores.spread.items()) if c == configuration]
    metrics = [one for (_, c), one in sorted(scores.metrics.items()) if c == configuration]
    m = spread[0].replicates
    parts = np.array([(one.variance, one.theta, one.third) for one in spread]).mean(axis=0)
    pooled = Moments(m, *parts.tolist())
    singles = np.stack([one.single for one in own])
    infinite = np.array([one.infinite for one in own])
    known = {key: [one[key] for one in metrics] for key in metrics[0]}
    return {
        "name": name,
        "splits": len(own),
        "single": {
            "mean": float(singles.mean()),
            "sd_replicates": float(np.sqrt(singles.var(axis=1, ddof=1).mean())),
            "sd": float(singles.std(ddof=1)),
        },
        "ensemble": float(np.mean([one.ensemble for one in own])),
        "infinite": float(infinite.mean()),
        "infinite_error": float(np.sqrt(np.sum([one.error**2 for one in own])) / len(own)),
        "infinite_sd": float(infinite.std(ddof=1)) if len(own) > 1 else None,
        "variance": pooled.variance,
        "spread_rms": float(np.sqrt(pooled.variance)),
        "replicates_needed": _needed(pooled, scores.terms.tolerance, scores.terms.confidence),
        "curve": [
            {"replicates": k, "score": float(np.mean([one.curve[k] for one in own]))} for k in own[0].curve
        ],
        "by_split": infinite.tolist(),
        "metrics": {
            key: None if None in values else float(np.mean(values))  # pyright: ignore
            for key, values in known.items()
        },
    }


def _needed(pooled: Moments, tolerance: float, confidence: float) -> int | None:
    """Replicates for the tolerance; None from so few replicates that their directions cannot be told."""
    return None if pooled.replicates < 4 else replicates_needed(pooled, tolerance, confidence)


def _pair(
    scores: Scores, names: list[str], pair: paired.Pair, method: str, confidence: float,
    design: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """One pair as JSON."""
    threshold = scores.terms.threshold
    word = verdicts.verdict(pair, threshold, by_ranks=method == "ranks", confidence=confidence)
    one, other = scores.singles(pair.one), scores.singles(pair.other)
    both = sorted(set(one) & set(other))
    single = np.stack([one[s] for s in both]), np.stack([other[s] for s in both])
    shared = {"ratio": design["ratio"], "folds": design["folds"]}
    needed = (
        verdicts.needs(pair, threshold, replicates=design["replicates"], k=design["folds"])
        if word == "undecided"
        else None
    )
    return {
        "one": names[pair.one],
        "other": names[pair.other],
        "splits": pair.splits,
        "difference": pair.difference,
        "low": pair.low,
        "high": pair.high,
        "p": pair.p,
        "freedom": pair.freedom,
        "wider": pair.wider,
        "uncorrected": {"low": pair.plain_low, "high": pair.plain_high},
        "verdict": word,
        "needs": None if needed is None else vars(needed),
        "single_replicates": verdicts.chance_of_beating(*single, **shared),
        "ensembles": verdicts.chance_of_beating(
            _ensembles(scores, pair.one, both), _ensembles(scores, pair.other, both), **shared
        ),
        "luck": verdicts.luck(*single),
    }


def _ensembles(scores: Scores, configuration: int, splits: list[int]) -> np.ndarray:
    """Scores (s, 1) of the ensembles, more is better."""
    return np.array([[scores.terms.sign * scores.found[s, configuration].ensemble] for s in splits])
