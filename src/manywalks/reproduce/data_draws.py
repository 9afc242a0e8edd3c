"""Another draw of the data: how far an ensemble trained on other molecules of this kind would be.

Replicates are trained on bootstrap draws of the training molecules (whole groups where the split keeps groups
together), several for each draw, through the weights of the molecules. The usual analysis of variance tells
what the draw does from what training does: with k replicates in each of D draws, at a molecule,

    mean square between draws = within + k * variance of the draw.

Two ensembles of M replicates, each trained on a sample of its own, differ by sqrt(2 (draw + within / M)).
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from manywalks.ensemble import manifest
from manywalks.evaluate.statement.pairs import Pairs, flip_rate, top_overlap
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.statistics.bound import bound_at
from manywalks.replicates.statistics.mixing import EVENLY, Mixing
from manywalks.replicates.statistics.spectrum import covariance_moments
from manywalks.reproduce.sources import StudyDesign, Tell
from manywalks.split.split import groups_of
from manywalks.train.prepare import Prepared, read_tables
from manywalks.workspace import Workspace

EACH = 2
# what the row of `reproduce --sources` is called
DRAW = "another draw of the data"
# fewer draws than this say nothing of their variance
_FEWEST_DRAWS = 4
SHARES = (0.01, 0.05)
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class DrawDesign:
    """How the replicates of the draws are trained.

    Attributes:
        draws: of the training molecules.
        each: replicates for each draw.
        entropy: that draws and streams are spawned from.
        threads: of the engine.
        mixing: how families are averaged.
    """

    draws: int
    each: int
    entropy: int
    threads: int = 1
    mixing: Mixing = EVENLY


def draw_counts(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How often each of n molecules is drawn (n,): whole groups, as many as there are, with replacement.

    Scaled so that the counts add up to n: groups of unequal size would else change the amount of data.
    """
    _, own = np.unique(groups, return_inverse=True)
    number = int(own.max()) + 1
    counts = rng.multinomial(number, np.full(number, 1 / number))[own].astype(np.float64)
    return counts * (len(groups) / counts.sum())


def train_draws(
    prepared: Sequence[Prepared],
    groups: np.ndarray,
    design: DrawDesign,
    *,
    follow: Callable[[float], None] = lambda done: None,
) -> np.ndarray:
    """Predictions (draws, each, n, t) in endpoint units, from replicates of streams of their own.

    Args:
        prepared: each family's problem.
        groups: of all rows of the curated table; rows of one group are drawn together.
        design: how many, and from what entropy.
        follow: called with how many replicates are done.
    """
    rng = np.random.default_rng([design.entropy, 1])
    found = []
    for draw in range(design.draws):
        train = np.unique(np.concatenate([one.problem.train for one in prepared]))
        weights = np.ones(len(groups))
        weights[train] = draw_counts(groups[train], rng)
        before = draw * design.each
        indices = range(before, before + design.each)
        made = {
            one.index: one
            for one in fresh_replicates(
                [_weighted(one, weights) for one in prepared],
                indices,
                design.entropy,
                mixing=design.mixing,
                threads=design.threads,
                follow=lambda done, before=before: follow(before + done),
            )
        }
        if any(one.diverged for one in made.values()):
            raise ValueError("train: a replicate diverged; lower train.learning_rate")
        found.append(np.stack([made[index].predictions for index in indices]))
    return np.stack(found).astype(np.float64)


def _weighted(prepared: Prepared, weights: np.ndarray) -> Prepared:
    """The same problem with other weights of its molecules (n,)."""
    targets = prepared.problem.targets
    changed = (targets.weights * weights[:, None]).astype(np.float32)
    return prepared._replace(
        problem=dataclasses.replace(prepared.problem, targets=dataclasses.replace(targets, weights=changed))
    )


@dataclass(frozen=True)
class DrawTerms:
    """What the statement of one endpoint goes by.

    Attributes:
        kind: "regression" or "classification".
        unit: of the endpoint.
        replicates: M of the ensembles that are spoken of.
        threshold: probability from which a molecule is in class 1.
        wanted: the endpoint's parameters, which say what values are looked for.
        confidence: of the bound.
    """

    kind: str
    unit: str
    replicates: int
    threshold: float = 0.5
    wanted: EndpointParams = field(default_factory=EndpointParams)
    confidence: float = _CONFIDENCE


def draw_statement(cube: np.ndarray, terms: DrawTerms) -> dict[str, Any]:
    """What another draw of the data would do, from (draws, each, n) predictions in endpoint units.

    Returns:
        draw_sd, low, high: standard deviation that the draw alone brings, root mean square over molecules,
        and its 95 % interval; within_sd: that of training alone; difference_expected and difference_bound of
        two ensembles, each on a draw of its own; times_retraining: that over what retraining alone does;
        flip_share (classes); top: the share of the best 1 % and 5 % that both have.
    """
    draws, each, _ = cube.shape
    means, m = cube.mean(axis=1), terms.replicates
    within = float(cube.var(axis=1, ddof=1).mean())
    moments = covariance_moments(means)
    between = moments.variance  # of the means of `each`: draw + within / each
    variance = max(between - within / each, 0.0)
    freedom = (draws - 1) / moments.theta
    low, high = (
        math.sqrt(max(between * freedom / float(stats.chi2.ppf(level, freedom)) - within / each, 0.0))
        for level in (0.975, 0.025)
    )
    whole = variance + within / m
    scale = math.sqrt(whole / between) if between else 0.0
    # `bound_at` bounds the difference of means of so many; these are single draws
    bound = scale * bound_at(moments, draws, terms.confidence) * math.sqrt(draws)
    pairs = _pairs(means, scale)
    good = Pairs(*(terms.wanted.desirability(side) for side in pairs))
    return {
        "unit": terms.unit,
        "draws": draws,
        "each": each,
        "replicates": m,
        "draw_sd": math.sqrt(variance),
        "low": low,
        "high": high,
        "within_sd": math.sqrt(within),
        "difference_expected": math.sqrt(2 * whole),
        "difference_bound": min(bound, 1.0) if terms.kind == "classification" else bound,
        "confidence": terms.confidence,
        "times_retraining": math.sqrt(whole / (within / m)) if within else None,
        "flip_share": flip_rate(pairs, terms.threshold) if terms.kind == "classification" else None,
        "top": {f"{share:g}": top_overlap(good, share) for share in SHARES},
    }


def study_draws(
    workspace: Workspace, prepared: Sequence[Prepared], design: StudyDesign, *, tell: Tell
) -> dict[str, Any]:
    """The statement of each endpoint, from half as many draws as `design` has replicates, two of each draw.

    Args:
        workspace: whose training molecules are drawn, in whole groups where its split keeps these together.
        prepared: each family's problem.
        design: of the study of sources.
        tell: gets the progress.
    """
    params, curated = workspace.params, read_tables(workspace).curated
    draws = max(_FEWEST_DRAWS, design.count // EACH)
    asked = DrawDesign(draws, EACH, design.entropy, design.threads, design.mixing)
    groups = groups_of(curated, params.split)
    total = draws * EACH
    cube = train_draws(prepared, groups, asked, follow=lambda done: tell(done, total, DRAW))
    there = (workspace.ensemble / manifest.FILE).is_file()
    m = int(manifest.read(workspace.ensemble)["replicates"]) if there else design.count
    found = {}
    for column, (name, endpoint) in enumerate(params.data.endpoints.items()):
        terms = DrawTerms(
            endpoint.kind, endpoint.unit, m, params.evaluate.threshold, endpoint, params.replicates.confidence
        )
        one = draw_statement(cube[..., column], terms)
        found[name] = {**one, "sentence": draw_sentence(one, name, endpoint.kind)}
    return found


def draw_row(found: dict[str, Any], everything: float) -> dict[str, float]:
    """The row of `reproduce --sources`; `everything` is the spread where all that is random varies."""
    ends = {"spread": found["draw_sd"], "low": found["low"], "high": found["high"]}
    shares = {"share": "spread", "share_low": "low", "share_high": "high"}
    return {**ends, **{to: (ends[of] / everything) ** 2 if everything else 0.0 for to, of in shares.items()}}


def _pairs(means: np.ndarray, scale: float) -> Pairs:
    """Pairs of ensembles of M replicates on draws of their own, as far apart as such ensembles would be."""
    centre = means.mean(axis=0)
    moved = centre + scale * (means - centre)
    one, other = zip(*itertools.combinations(moved, 2), strict=True)
    return Pairs(np.stack(one), np.stack(other))


def draw_sentence(found: dict[str, Any], endpoint: str, kind: str) -> str:
    """The statement in words.

    Bootstrap draws tell too little of classes: on halves of two real tables the difference seen was a third
    larger than stated (benchmarks/data_draws.py), so for these it is a lower limit.
    """
    unit = " in probability" if kind == "classification" else f" {found['unit']}" if found["unit"] else ""
    times = found["times_retraining"]
    more = f", {times:.1f} times what retraining alone does" if times is not None else ""
    flips = found["flip_share"]
    about = "about" if flips is None else "at least"
    classes = (
        f" {100 * flips:.1f} % of the molecules or more would change class." if flips is not None else ""
    )
    top = found["top"]["0.05"]
    return (
        f"{endpoint}: trained on another sample of as many molecules of this kind, an ensemble of "
        f"{found['replicates']} would differ by {about} {found['difference_expected']:.2g}{unit} (root mean "
        f"square){more}.{classes} Both would share {100 * top:.0f} % of their best 5 % of molecules."
    )
