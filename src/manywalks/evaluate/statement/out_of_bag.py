"""Scores on training molecules, each by the replicates that did not draw it: no subset is held back."""

import math
from typing import Any

import numpy as np

from manywalks.ensemble.intervals.out_of_bag import as_whole, left_out
from manywalks.evaluate.endpoint_results import EndpointResults
from manywalks.evaluate.registry import IN_UNITS, MAIN, SCORE_NAMES
from manywalks.evaluate.scores import endpoint_metrics, summarise
from manywalks.evaluate.statement.verdict_rule import FEWEST
from manywalks.formatting import count
from manywalks.params.load import Params
from manywalks.replicates.combine import combining_of, location_variance


def out_of_bag(seen: EndpointResults, params: Params) -> dict[str, Any]:
    """`out_of_bag` of the endpoint's entry of metrics.json.

    Args:
        seen: the training molecules, the replicates' predictions NaN where they trained on the molecule.
        params: all parameters.

    Returns:
        molecules: measured ones with two replicates or more that did not draw them; unused: the others.
        replicates_each: how many replicates did not draw one, on average.
        ensemble: scores, as all replicates would have them at a molecule that none of them drew.
        smaller: scores of those that did not draw each.
        replicates: of single replicates, each on the molecules that it did not draw.
        spread_rms, difference_expected: of the statement, at these molecules as if they were new; None where
            there are none.
        sentence: in words.
    """
    kind, how = seen.endpoint.kind, combining_of(seen.endpoint.kind, params.ensemble)
    measured = np.isfinite(seen.observed)
    exact = np.where(seen.relation == "=", seen.observed, np.nan)
    left = left_out(seen.replicates, how)
    whole = as_whole(seen.replicates, exact, kind, how)
    used = np.flatnonzero(measured & left.known)

    def scores(predicted: np.ndarray, rows: np.ndarray) -> dict[str, float | None]:
        return endpoint_metrics(
            seen.observed[rows],
            seen.fitted.as_reported(predicted),
            kind=kind,
            relation=seen.relation[rows],
            threshold=params.evaluate.threshold,
        )

    singles = []
    for one in seen.replicates:
        own = np.flatnonzero(np.isfinite(one) & measured)
        singles.append(scores(one[own], own))
    spread = math.sqrt(np.mean(whole.spread**2)) if whole.places.size else None
    typical = None if spread is None else spread * math.sqrt(2 * location_variance(how.mode, left.whole))
    found = {
        "molecules": int(used.size),
        "unused": int(measured.sum() - used.size),
        "replicates_each": float(left.count[used].mean()) if used.size else 0.0,
        "ensemble": scores(whole.mean[np.isin(whole.places, used)], used),
        "smaller": scores(left.mean[used], used),
        "replicates": summarise(singles),
        "spread_rms": spread,
        "difference_expected": typical,
    }
    return {**found, "sentence": _sentence(seen, found, left.whole)}


def _sentence(seen: EndpointResults, found: dict[str, Any], replicates: int) -> str:
    """The scores in words."""
    if not found["molecules"]:
        return (
            "No training molecule was left out by two replicates, so none could be used for scores and "
            "calibration: train more replicates or, where the split keeps all molecules in one group, hold a "
            "valid subset back (split.valid)."
        )
    metric = MAIN[seen.endpoint.kind]
    unit = f" {seen.endpoint.unit}" if metric in IN_UNITS and seen.endpoint.unit else ""
    score, single = found["ensemble"][metric], found["replicates"][metric]["mean"]
    text = (
        f"On {count(found['molecules'], 'training molecule')}, each predicted by the replicates that did not "
        f"train on it ({found['replicates_each']:.0f} of {replicates} on average), "
    )
    if score is None or single is None:
        text += f"there is no {SCORE_NAMES[metric]}: all are of one class."
    elif found["molecules"] < FEWEST:
        text += f"the {SCORE_NAMES[metric]} is {score:.3g}{unit}: too few molecules to rely on it."
    else:
        text += (
            f"the {SCORE_NAMES[metric]} is {score:.3g}{unit} (what all {replicates} would have at new "
            f"molecules; a single replicate: {single:.3g})."
        )
    if found["unused"]:
        text += (
            f" {count(found['unused'], 'training molecule')} could not be used: fewer than two replicates "
            f"left {'it' if found['unused'] == 1 else 'them'} out."
        )
    return text
