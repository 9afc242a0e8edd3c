"""How good a calibration is on molecules that it was not fitted on."""

import math
from typing import Any

import numpy as np

from manywalks.ensemble.intervals.calibration import LEVELS, NOT_CALIBRATED, Calibration
from manywalks.evaluate.scores import classification_metrics
from manywalks.evaluate.statement.uncertainty import (
    binomial_interval,
    expected_calibration_error,
    gaussian_scores,
    mutual_information,
    perfect_calibration_error,
    reliability,
)

# a Brier score that calibration made larger by less than that is not worth a warning
WORSE = 1.1


def diagnose(
    calibration: Calibration,
    observed: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    *,
    replicates: np.ndarray | None = None,
    similarity: np.ndarray | None = None,
) -> dict[str, Any]:
    """How good the calibration is on molecules that it was not fitted on (the test subset).

    Args:
        calibration: of the endpoint.
        observed: (n,), NaN where not measured.
        mean, spread: (n,) of the ensemble, not calibrated.
        replicates: (m, n) of the replicates, for the mutual information of a class; left out where None.
        similarity: (n,) to the nearest training molecule, by which intervals may be wider or narrower.
    """
    keep = np.isfinite(np.asarray(observed, dtype=np.float64))
    y, f, s = (np.asarray(a, dtype=np.float64)[keep] for a in (observed, mean, spread))
    about = {
        "fitted_on": calibration.molecules,
        "reference": calibration.reference,
        "molecules": y.size,
        "notes": list(calibration.notes),
        "not_calibrated": next((n for n in calibration.notes if n.endswith(NOT_CALIBRATED)), None),
    }
    if y.size == 0:
        return about
    if calibration.kind == "classification":
        kept = None if replicates is None else np.asarray(replicates)[:, keep]
        return about | _diagnose_class(calibration, y, f, kept)
    near = None if similarity is None else np.asarray(similarity)[keep]
    return about | _diagnose_regression(calibration, y, f, s, near)


def _diagnose_regression(
    calibration: Calibration,
    observed: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    similarity: np.ndarray | None,
) -> dict[str, Any]:
    """Coverage and width of the intervals, scores of the predicted sd."""
    intervals = []
    for level in LEVELS:
        low, high = calibration.interval(mean, spread, level, similarity)
        hits = int(np.sum((low <= observed) & (observed <= high)))
        least, most = binomial_interval(hits, observed.size)
        intervals.append(
            {
                "stated": level,
                "covered": hits / observed.size,
                "low": least,
                "high": most,
                "mean_width": float(np.mean(high - low)),
                "guaranteed": calibration.is_guaranteed(level),
            }
        )
    sd = calibration.predicted_sd(spread)
    scores = gaussian_scores(observed - mean, sd) if (sd > 0).all() else {}
    return {"residual_sd": math.sqrt(calibration.residual), "intervals": intervals, **scores}


def _diagnose_class(
    calibration: Calibration, observed: np.ndarray, mean: np.ndarray, replicates: np.ndarray | None
) -> dict[str, Any]:
    """Scores of the probabilities, calibrated and as they were."""
    positive = observed > 0.5
    calibrated = calibration.probability(mean)

    def scores(probability: np.ndarray) -> dict[str, float | None]:
        found = classification_metrics(observed, probability)
        ece = expected_calibration_error(positive, probability)
        return {"brier": found["brier"], "log_loss": found["log_loss"], "ece": ece}

    perfect = perfect_calibration_error(calibrated)
    return {
        **scores(calibrated),
        # what probabilities that are exactly right would show at these molecules
        "ece_perfect": None if perfect is None else {"expected": perfect[0], "high": perfect[1]},
        "uncalibrated": scores(mean),
        "worse": _is_worse((calibrated - observed) ** 2, (mean - observed) ** 2),
        "reliability": reliability(positive, calibrated),
        "method": "isotonic" if calibration.knots else "logistic",
        "cross_fitted_log_loss": calibration.cross_fitted,
        "mutual_information": None
        if replicates is None
        else mutual_information(calibration.probability(replicates)),
    }


def _is_worse(calibrated: np.ndarray, plain: np.ndarray) -> bool:
    """Whether calibration made squared errors (n,) larger: by more than a tenth, and surely (95 %)."""
    more = calibrated - plain
    if more.size < 2:
        return False
    surely = more.mean() > 2 * more.std(ddof=1) / math.sqrt(more.size)
    return bool(surely and calibrated.mean() > WORSE * plain.mean())
