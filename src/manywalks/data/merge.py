"""Repeated measurements of one molecule become one value; bounds are never taken for values."""

import math
from typing import Any, Literal, NamedTuple

import numpy as np

MergeRule = Literal["median", "mean", "tobit"]


class Merged(NamedTuple):
    """One endpoint over m molecules.

    Attributes:
        value: float64 (m,), NaN where not measured or contradictory.
        relation: object (m,): "=", ">" or "<"; "" where there is no value.
        weight: float64 (m,): the mean of the repeats' weights, 0 where there is no value.
        repeats: int64 (m,): the usable measurements, bounds included.
        exact: int64 (m,): those of them that are no bounds.
        sd: float64 (m,): standard deviation of the exact repeats; NaN under two.
        extent: float64 (m,): largest less smallest exact repeat; NaN under two.
        conflict: bool (m,): measured, but the repeats contradict each other.
    """

    value: np.ndarray
    relation: np.ndarray
    weight: np.ndarray
    repeats: np.ndarray
    exact: np.ndarray
    sd: np.ndarray
    extent: np.ndarray
    conflict: np.ndarray


def merge_repeats(
    molecule: np.ndarray,
    value: np.ndarray,
    relation: np.ndarray,
    weight: np.ndarray,
    n: int,
    *,
    how: MergeRule,
) -> Merged:
    """Merge records (r,) of an endpoint into n molecules.

    Args:
        molecule: int (r,): the molecule of each record.
        value: float64 (r,), NaN where the record has none.
        relation: object (r,); weight: float64 (r,).
        how: median, mean, or the censor-aware likeliest mean (see docs/decisions/0005-censored.md).
    """
    merged = _empty(n)
    # sorted by value within a molecule: the outcome does not depend on the order of the records, to the bit
    order = np.lexsort((weight, value, molecule))
    order = order[~np.isnan(value[order])]
    groups, starts, counts = np.unique(molecule[order], return_index=True, return_counts=True)
    first = order[starts]
    merged.repeats[groups] = counts
    merged.value[groups], merged.relation[groups], merged.weight[groups] = (
        value[first],
        relation[first],
        weight[first],
    )
    merged.exact[groups] = relation[first] == "="
    many = [(groups[i], order[starts[i] : starts[i] + counts[i]]) for i in np.flatnonzero(counts > 1)]
    for group, rows in many:
        exact = value[rows][relation[rows] == "="]
        merged.exact[group] = len(exact)
        if len(exact) > 1:
            merged.sd[group], merged.extent[group] = exact.std(ddof=1), exact[-1] - exact[0]
    noise = noise_of(merged).sd
    for group, rows in many:
        outcome = _one(value[rows], relation[rows], weight[rows], how, noise)
        merged.weight[group] = weight[rows].mean()
        merged.conflict[group] = outcome is None
        merged.value[group], merged.relation[group] = outcome or (np.nan, "")
    merged.weight[np.isnan(merged.value)] = 0.0
    return merged


def _empty(n: int) -> Merged:
    nan = np.full(n, np.nan)
    blank = np.full(n, "", dtype=object)
    counts = np.zeros(n, dtype=np.int64)
    clear = np.zeros(n, dtype=bool)
    return Merged(nan, blank, np.zeros(n), counts, counts.copy(), nan.copy(), nan.copy(), clear)


def merge_classes(molecule: np.ndarray, value: np.ndarray, weight: np.ndarray, n: int) -> Merged:
    """Merge classes 0 and 1 (r,) of n molecules by weighted majority; a tie is a conflict."""
    merged = _empty(n)
    known = ~np.isnan(value)
    molecule, value, weight = molecule[known], value[known], weight[known]
    counts, ones, total, for_one = (
        np.bincount(molecule, weights=weights, minlength=n)
        for weights in (None, value, weight, weight * value)
    )
    measured = counts > 0
    repeats = np.maximum(counts, 1)
    share = ones / repeats
    weighted = np.divide(for_one, total, out=share.copy(), where=total > 0)
    repeated = counts > 1
    merged.repeats[:] = counts
    merged.exact[:] = counts
    merged.extent[repeated] = ((share > 0) & (share < 1))[repeated]
    merged.sd[repeated] = np.sqrt(share * (1 - share) * repeats / np.maximum(repeats - 1, 1))[repeated]
    merged.conflict[:] = measured & np.isclose(weighted, 0.5)
    kept = measured & ~merged.conflict
    merged.value[kept] = weighted[kept] > 0.5
    merged.relation[kept] = "="
    merged.weight[kept] = (total / repeats)[kept]
    return merged


def without(merged: Merged, molecules: np.ndarray) -> Merged:
    """The same, with no value for these molecules (bool (m,)); the spread of their repeats stays known."""
    return merged._replace(
        value=np.where(molecules, np.nan, merged.value),
        relation=np.where(molecules, "", merged.relation),
        weight=np.where(molecules, 0.0, merged.weight),
    )


class Noise(NamedTuple):
    """What repeats say of an assay: their pooled standard deviation (NaN without repeats) and its basis."""

    sd: float
    freedom: int
    identical: int


def noise_of(merged: Merged) -> Noise:
    """The standard deviation of exact repeats, pooled over molecules by their degrees of freedom.

    `identical` counts the molecules whose repeats are all the same number: often one measurement that was
    copied, so where there are many the true noise is larger.
    """
    known = ~np.isnan(merged.sd)
    freedom = merged.exact[known] - 1
    if not known.any():
        return Noise(float("nan"), 0, 0)
    sd = float(np.sqrt(np.sum(freedom * merged.sd[known] ** 2) / freedom.sum()))
    return Noise(sd, int(freedom.sum()), int((merged.extent[known] == 0).sum()))


def _one(
    value: np.ndarray, relation: np.ndarray, weight: np.ndarray, how: MergeRule, noise: float
) -> tuple[float, str] | None:
    """One molecule's repeats, sorted by value -> its value and relation; None where they contradict."""
    exact = relation == "="
    if exact.all():
        if how == "median":
            return float(np.median(value)), "="
        return float(np.average(value, weights=weight if weight.sum() > 0 else None)), "="
    if not exact.any():
        return _bounds_alone(value, relation)
    if how == "tobit" and noise > 0:
        return _tobit_mean(value, relation, weight, noise), "="
    if how == "median":
        return _median(value, relation)
    return float(np.average(value[exact], weights=weight[exact] if weight[exact].sum() > 0 else None)), "="


def _bounds_alone(value: np.ndarray, relation: np.ndarray) -> tuple[float, str] | None:
    """The tightest bound; the middle where bounds from both sides leave room, None where they do not."""
    above = value[relation == ">"].max(initial=-np.inf)
    below = value[relation == "<"].min(initial=np.inf)
    if np.isinf(below):
        return float(above), ">"
    if np.isinf(above):
        return float(below), "<"
    return (float(above + below) / 2, "=") if above <= below else None


def _median(value: np.ndarray, relation: np.ndarray) -> tuple[float, str]:
    """The median of the exact repeats and of the bounds that lie beyond it; a bound in the middle stays one.

    A bound that the exact median already meets (> 3 beside 5 and 6) says nothing more, and does not count.
    """
    middle = np.median(value[relation == "="])
    counts = (
        (relation == "=") | ((relation == ">") & (value > middle)) | ((relation == "<") & (value < middle))
    )
    value, relation = value[counts], relation[counts]
    # the truth of a bound from above lies past every value, so those sort last, and the others first
    key = np.where(relation == "<", -1, np.where(relation == ">", 1, 0))
    order = np.lexsort((value, key)) if not (relation == "=").all() else np.arange(len(value))
    low, high = order[(len(order) - 1) // 2], order[len(order) // 2]
    signs = {str(relation[low]), str(relation[high])} - {"="}
    center = float(value[low] + value[high]) / 2
    return center, signs.pop() if len(signs) == 1 else "="


def _tobit_mean(value: np.ndarray, relation: np.ndarray, weight: np.ndarray, noise: float) -> float:
    """The mean that makes exact repeats and bounds likeliest, for normal noise of known size (Tobit)."""
    from scipy import optimize, special  # a quarter of a second to import

    exact = relation == "="
    sign = np.where(relation == ">", 1.0, -1.0)[~exact]
    weight = weight if weight[exact].sum() > 0 else np.ones_like(weight)

    def slope(mean: float) -> float:
        pull = np.sum(weight[exact] * (value[exact] - mean)) / noise
        z = sign * (mean - value[~exact]) / noise
        hazard = np.exp(-(z**2) / 2 - special.log_ndtr(z)) / math.sqrt(2 * math.pi)
        return float(pull + np.sum(weight[~exact] * sign * hazard))

    # the log-likelihood is concave: its slope falls from positive to negative within this bracket
    reach = 10 * noise + float(value[-1] - value[0])
    root: Any = optimize.brentq(slope, value[0] - reach, value[-1] + reach, xtol=1e-10 * noise)
    return float(root)
