"""Another draw of the data: how far an ensemble trained on other molecules of this kind would be.

The training molecules are parted at random into two halves, several times (`replicates.draws`), and
replicates are trained on each. The halves of a pair have no molecule in common, so they are two samples such
as others would have measured, and the usual analysis of variance holds without a bias: with k replicates on
each half, half the squared difference of their means is on average, at a molecule,

    variance of the draw of n / 2 molecules + within / k.

What twice as many molecules do to it depends on the model. The variance of a mean, or of anything that all
molecules decide together, is halved. That of a prediction which follows the nearest molecules stays. SHRINKS
is the middle, so the difference is wrong by a fifth at most. (A bootstrap, whose draws share molecules, told
too little on 11 of 14 tables: benchmarks/RESULTS.md.) Two ensembles of M replicates, each trained on a
sample of its own, differ by sqrt(2 (draw + within / M)).
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import linalg, special

from manywalks.evaluate.statement.pairs import Pairs, flip_rate, top_overlap
from manywalks.formatting import count, short
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.params.sections.evaluate import FEWEST_TRAINED
from manywalks.replicates.statistics.bound import bound_at
from manywalks.replicates.statistics.spectrum import covariance_moments

SHARES = (0.01, 0.05)
# variance of the draw of n molecules over that of n / 2: between 1 / 2 (a mean) and 1 (the nearest molecule)
SHRINKS = 0.75
# standard deviation of the logarithm of its square root, were everything between as likely
_SHRINKS_ERROR = math.log(2) / 2 / math.sqrt(12)
_QUANTILE = 1.96
# of fewer molecules a "best 5 %" is a handful
_FEWEST_CHOSEN = 5
_BEST = {"high": "top", "low": "lowest", "range": "best"}
FEWEST_OF_CLASS = 20


@dataclass(frozen=True)
class DrawTerms:
    """What the statement of one endpoint goes by.

    Attributes:
        kind: "regression" or "classification".
        unit: of the endpoint.
        replicates: M of the ensembles that are spoken of.
        within: variance of their replicates, mean over molecules: what training alone does.
        threshold: probability from which a molecule is in class 1.
        wanted: the endpoint's parameters, which say what values are looked for.
        confidence: of the bound.
    """

    kind: str
    unit: str
    replicates: int
    within: float
    threshold: float = 0.5
    wanted: EndpointParams = field(default_factory=EndpointParams)
    confidence: float = 0.95


def too_few(kind: str, trained: np.ndarray) -> str | None:
    """Why nothing is stated from so few training values (n,), NaN where not measured; None where it is."""
    values = trained[np.isfinite(trained)]
    if len(values) < FEWEST_TRAINED:
        few = _too_few(count(len(values), "measured training molecule"))
        return f"{few}; at least {FEWEST_TRAINED} are needed"
    rarer = (
        int(min((values == 0).sum(), (values == 1).sum())) if kind == "classification" else FEWEST_OF_CLASS
    )
    if rarer < FEWEST_OF_CLASS:
        few = _too_few(f"{count(rarer, 'training molecule')} of the rarer class")
        return f"{few}; at least {FEWEST_OF_CLASS} are needed"
    return None


def _too_few(counted: str) -> str:
    """So many, as `count` has them, are not enough."""
    return f"{counted} {'is' if counted.startswith('1 ') else 'are'} too few"


def not_stated(why: str, endpoint: str) -> dict[str, Any]:
    """The entry of statement.json where nothing is stated."""
    sentence = f"{endpoint}: how far an ensemble trained on another sample would be is not stated: {why}."
    return {"stated": False, "why": why, "sentence": sentence}


def stated(cube: np.ndarray, terms: DrawTerms, endpoint: str) -> dict[str, Any]:
    """The entry of statement.json, from predictions as `draw_statement` takes them."""
    found = draw_statement(cube, terms)
    return {"stated": True, **found, "sentence": draw_sentence(found, endpoint, terms.kind)}


def draw_statement(cube: np.ndarray, terms: DrawTerms) -> dict[str, Any]:
    """What another draw of the data would do.

    Args:
        cube: (pairs, 2, each, n) predictions in endpoint units, of replicates on the two halves of each pair.
        terms: what it goes by.

    Returns:
        draw_sd, low, high: standard deviation that the draw alone brings, root mean square over molecules,
        and its 95 % interval; within_sd: that of training alone; difference_expected (with its interval,
        difference_low and difference_high) and difference_bound of two ensembles, each on a draw of its own;
        times_retraining: that over what retraining alone does; flip_share (classes); top: the share of the
        best 1 % and 5 % that both have.
    """
    pairs, _, each, n = cube.shape
    means, m = cube.mean(axis=2), terms.replicates
    apart = (means[:, 0] - means[:, 1]) / math.sqrt(2)
    within = float(cube.var(axis=2, ddof=1).mean())
    # differences scatter about zero: as pairs + 1 vectors about their mean, with as many degrees of freedom
    moments = covariance_moments(linalg.helmert(pairs + 1).T @ apart)
    between, freedom = moments.variance, pairs / moments.theta

    def of_draw(factor: float) -> float:
        return SHRINKS * max(between * factor - within / each, 0.0)

    variance = of_draw(1.0)
    low, high = (of_draw(freedom / float(special.chdtri(freedom, p))) for p in (0.025, 0.975))
    whole = variance + terms.within / m
    ends = (math.sqrt(2 * (one + terms.within / m)) for one in (low, high))
    expected = math.sqrt(2 * whole)
    least, most = (_also_unsure(expected, end) for end in ends)
    scale = math.sqrt(whole / between) if between else 0.0
    # `bound_at` bounds the difference of means of so many; these are single draws
    bound = scale * bound_at(moments, pairs + 1, terms.confidence) * math.sqrt(pairs + 1)
    both = _pairs(means, scale)
    good = Pairs(*(terms.wanted.desirability(side) for side in both))
    is_class = terms.kind == "classification"
    return {
        "unit": terms.unit,
        "pairs": pairs,
        "each": each,
        "replicates": m,
        "draw_sd": math.sqrt(variance),
        "low": math.sqrt(low),
        "high": math.sqrt(high),
        "within_sd": math.sqrt(terms.within),
        "difference_expected": expected,
        "difference_low": least,
        "difference_high": most,
        "difference_bound": min(bound, 1.0) if is_class else bound,
        "confidence": terms.confidence,
        "times_retraining": math.sqrt(whole / (terms.within / m)) if terms.within else None,
        "flip_share": flip_rate(both, terms.threshold) if is_class else None,
        "want": terms.wanted.want or "high",
        "top": {
            f"{share:g}": {"molecules": max(1, round(share * n)), "shared": top_overlap(good, share)}
            for share in SHARES
        },
    }


def _also_unsure(expected: float, end: float) -> float:
    """An end of an interval of sampling, moved out by what nobody knows of SHRINKS."""
    if not expected or not end:
        return end
    sampled = math.log(end / expected)
    return expected * math.exp(math.copysign(math.hypot(sampled, _QUANTILE * _SHRINKS_ERROR), sampled))


def _pairs(means: np.ndarray, scale: float) -> Pairs:
    """Pairs as far apart as ensembles of M replicates on draws of their own, from (pairs, 2, n) means."""
    centre, step = means.mean(axis=1), scale * (means[:, 0] - means[:, 1]) / 2
    return Pairs(centre + step, centre - step)


def draw_sentence(found: dict[str, Any], endpoint: str, kind: str) -> str:
    """The statement in words."""
    unit = " in probability" if kind == "classification" else f" {found['unit']}" if found["unit"] else ""
    low, expected, high = (short(found[f"difference_{end}"], 2) for end in ("low", "expected", "high"))
    text = (
        f"{endpoint}: trained on another sample of as many molecules of this kind, an ensemble of "
        f"{found['replicates']} would differ by about {expected}{unit} (root mean square; 95 % interval "
        f"{low} to {high})"
    )
    if found["times_retraining"] is not None:
        text += f", {found['times_retraining']:.1f} times what retraining alone does"
    text += "."
    if found["flip_share"] is not None:
        text += f" About {100 * found['flip_share']:.1f} % of the molecules would change class."
    shares = [
        f"{100 * one['shared']:.0f} % of their {_BEST[found['want']]} {100 * float(share):g} %"
        for share, one in found["top"].items()
        if one["molecules"] >= _FEWEST_CHOSEN
    ]
    return f"{text} Both would share {' and '.join(shares)} of molecules." if shares else text
