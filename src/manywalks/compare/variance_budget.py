"""The variance budget of a network's score: what a fixed seed hides."""

import itertools
import math
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from manywalks import files
from manywalks.compare.scores import Scores
from manywalks.compare.study import Study
from manywalks.evaluate.registry import IN_UNITS, SCORE_NAMES
from manywalks.params.load import Params
from manywalks.workspace import Workspace


def shared_entropy(workspace: Workspace, params: Params) -> int:
    """The entropy that all sets of sources share, so that what is held is the same in all of them."""
    if params.replicates.seed is not None:
        return params.replicates.seed
    path = workspace.state / "compare" / "entropy.json"
    if not path.is_file():
        files.write_json(path, {"entropy": str(secrets.randbits(128))})
    return int(files.read_json(path)["entropy"])


def budgets(study: Study) -> dict[str, Any]:
    """What reports/compare-variance.json holds: the design, and a budget for each endpoint."""
    sets = [tuple(name.split("+")) for name in study.names]
    return {
        "design": study.described(),
        "variance": {scores.terms.name: _budget(scores, sets) for scores in study.scores},
    }


def _budget(scores: Scores, sets: list[tuple[str, ...]]) -> dict[str, Any]:
    """One endpoint's budget, in its metric."""
    terms = scores.terms
    values = {chosen: np.stack(list(scores.singles(c).values())) for c, chosen in enumerate(sets)}
    found = variance_budget(values, np.random.default_rng(0))  # bootstrap draws; no replicate depends on them
    unit = f" {terms.unit}" if terms.metric in IN_UNITS and terms.unit else ""
    name = SCORE_NAMES[terms.metric]
    hidden, apart = found["seed_share"], 2 * found["seed_sd"] ** 2
    return {
        "metric": terms.metric,
        "metric_name": name,
        "unit": unit.strip(),
        **found,
        "sentence": (
            f"A fixed seed hides {100 * hidden['value']:.0f} % ({100 * hidden['low']:.0f} to "
            f"{100 * hidden['high']:.0f} %) of the variance of a single replicate's {name}: two runs on one "
            f"split that differ in nothing but the seed are {apart**0.5:.4f}{unit} apart, root mean square."
        ),
    }


NUMERICS = ("numerics",)
Sets = Mapping[tuple[str, ...], np.ndarray]


def variance_budget(scores: Sets, rng: np.random.Generator, *, draws: int = 2000) -> dict[str, Any]:
    """Shares of the variance of a single replicate's score on one split.

    Args:
        scores: (s, m) of the replicates on s splits by the set of sources that varied; all sets but the empty
            one, and ("numerics",).
        rng: draws the bootstrap of splits that the sources' intervals come from.
        draws: of it.

    Returns:
        {"total_sd", "seed_sd", "parts": {"split" and each source: {"share", "low", "high"}},
        "alone": {set: {"sd", "low", "high"}}, ...}, intervals 95 %.
    """
    whole = max((s for s in scores if s != NUMERICS), key=len)
    splits, m = scores[whole].shape
    point = _parts(scores, whole, np.arange(splits))
    drawn = [_parts(scores, whole, rng.integers(0, splits, splits)) for _ in range(draws)]
    total = sum(point["parts"].values())
    seed = _seed_share(scores[whole], 1 - _share(point["parts"], "split"))
    sources = {name: _of_sources([one["parts"] for one in [point, *drawn]], name) for name in whole}
    return {
        "splits": splits,
        "replicates": m,
        "total_sd": math.sqrt(max(total, 0.0)),
        "seed_sd": math.sqrt(point["alone"][whole]),
        "seed_share": seed,
        "parts": {
            "split": {"value": 1 - seed["value"], "low": 1 - seed["high"], "high": 1 - seed["low"]},
            # of the seed's share, each source has so much
            **{name: {end: one[end] * seed[end] for end in seed} for name, one in sources.items()},
        },
        "alone": {"+".join(chosen): _sd(point["alone"][chosen], splits * (m - 1)) for chosen in scores},
    }


def _seed_share(scores: np.ndarray, value: float) -> dict[str, float]:
    """Share of the variance of (s, m) scores that is within splits, with its interval.

    That of an analysis of variance, by the F distribution: a bootstrap of 5 splits covers 71 %, this 96 %.
    """
    splits, m = scores.shape
    within = float(np.var(scores, axis=1, ddof=1).mean())
    if splits < 2 or within == 0:
        return {"value": value, "low": 0.0, "high": 1.0}
    ratio = m * float(np.var(scores.mean(axis=1), ddof=1)) / within
    quantiles = special.fdtri(splits - 1, splits * (m - 1), [0.025, 0.975])
    low, high = (1 / (1 + max(ratio / quantile - 1, 0.0) / m) for quantile in quantiles)
    return {"value": value, "low": min(float(low), value), "high": max(float(high), value)}


def _of_sources(parts: list[dict[str, float]], name: str) -> dict[str, float]:
    """A source's share of the variance within splits: the first, between quantiles of the others."""
    shares = []
    for one in parts:
        within = sum(value for part, value in one.items() if part != "split")
        shares.append(one[name] / within if within > 0 else 0.0)
    return _interval(shares)


def _sd(variance: float, freedom: int) -> dict[str, float]:
    """A standard deviation with its chi-square interval."""
    low, high = (math.sqrt(variance * freedom / special.chdtri(freedom, p)) for p in (0.025, 0.975))
    return {"value": math.sqrt(variance), "low": low, "high": high}


def _parts(scores: Sets, whole: tuple[str, ...], rows: np.ndarray) -> dict[str, Any]:
    """Variances from some of the splits: of every set, and the parts that add up to the total."""
    alone = {chosen: float(np.var(found[rows], axis=1, ddof=1).mean()) for chosen, found in scores.items()}
    means, m = scores[whole][rows].mean(axis=1), scores[whole].shape[1]
    split = float(np.var(means, ddof=1)) - alone[whole] / m if len(rows) > 1 else 0.0
    return {"alone": alone, "parts": {"split": max(split, 0.0), **shapley(alone, whole)}}


def shapley(alone: Mapping[tuple[str, ...], float], whole: Sequence[str]) -> dict[str, float]:
    """Each source's part of the variance of all, from the variance of every set of them."""
    value = {frozenset(): 0.0, **{frozenset(chosen): v for chosen, v in alone.items()}}
    n = len(whole)
    found = {}
    for source in whole:
        rest = [other for other in whole if other != source]
        found[source] = sum(
            (value[frozenset(chosen) | {source}] - value[frozenset(chosen)])
            / (n * math.comb(n - 1, len(chosen)))
            for size in range(n)
            for chosen in itertools.combinations(rest, size)
        )
    return found


def _share(parts: dict[str, float], name: str) -> float:
    """One part of the whole."""
    total = sum(parts.values())
    return parts[name] / total if total > 0 else 0.0


def _interval(values: list[float]) -> dict[str, float]:
    """The first value, between the 2.5 and 97.5 % quantiles of the others."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return {"value": values[0], "low": float(low), "high": float(high)}
