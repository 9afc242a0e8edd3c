"""What the report shows of one endpoint's errors: against what was stated, and against distance."""

from typing import Any

import numpy as np
import pandas as pd

from manywalks.formatting import count, short
from manywalks.report.charts.charts import Plane, axis, fixed_axis
from manywalks.report.endpoint import (
    Figure,
    View,
    absolute_errors,
    better_baseline,
    binned,
    exact,
    fitted_on,
    marked,
    molecule_marks,
)


def coverage(view: View) -> Figure | None:
    """Share of test molecules that intervals hold, against the share that they state."""
    table = pd.DataFrame(view.metrics["calibration"].get("intervals", []))
    if table.empty:
        return None
    ends = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    plane = Plane(
        fixed_axis("stated", 0.4, 1.02, ends), fixed_axis("observed share in the interval", 0.4, 1.02, ends)
    )
    stated, covered = (table[name].to_numpy(dtype=float) for name in ("stated", "covered"))
    low, high = (table[name].to_numpy(dtype=float) for name in ("low", "high"))
    marks = [plane.diagonal(), plane.whiskers(stated, low, high), plane.dots(stated, covered, "marks")]
    said = "; ".join(
        f"{100 * s:g} % stated, {100 * c:.0f} % observed" for s, c in zip(stated, covered, strict=True)
    )
    about = view.metrics["calibration"]
    caption = (
        f"Fitted on {fitted_on(about)}, checked on "
        f"{count(about['molecules'], 'test molecule')}. Bars: 95 % binomial intervals. "
        + " ".join(_sentence(note) for note in about["notes"])
    )
    return Figure(
        "Do the intervals hold what they promise", plane.svg(marks, f"Coverage: {said}."), caption.strip()
    )


def reliability(view: View) -> Figure | None:
    """Observed share of Yes against calibrated probability."""
    about = view.metrics["calibration"]
    table = pd.DataFrame(about.get("reliability", []))
    if table.empty:
        return None
    ends = [0, 0.25, 0.5, 0.75, 1]
    plane = Plane(
        fixed_axis("calibrated probability", -0.02, 1.02, ends),
        fixed_axis(f"observed share of {view.answers[1]}", -0.02, 1.02, ends),
    )
    p, share, n = (table[name].to_numpy(dtype=float) for name in ("probability", "positive", "molecules"))
    half = 1.96 * np.sqrt(np.maximum(share * (1 - share), 0.25 / n) / n)
    marks = [plane.diagonal(), plane.whiskers(p, np.maximum(share - half, 0), np.minimum(share + half, 1))]
    marks += [plane.line(p, share, "line thin"), plane.dots(p, share, "marks")]
    notes = " ".join(_sentence(note) for note in about["notes"])
    alt = (
        f"Reliability of {len(table)} bins of probability; expected calibration error {short(about['ece'])}."
    )
    caption = (
        "Each dot is a group of equally many test molecules; on the line, the probability is right. "
        "Expected "
        f"calibration error {short(about['ece'])}{_perfect(about)}, Brier {short(about['brier'])} "
        f"({short(about['uncalibrated']['brier'])} before calibration on "
        f"{fitted_on(about)}). {notes}"
    )
    return Figure("Can the probabilities be taken at their word", plane.svg(marks, alt), caption.strip())


def _perfect(about: dict[str, Any]) -> str:
    """What exactly right probabilities would show at so few molecules."""
    perfect = about.get("ece_perfect")
    return f" (exactly right ones would show {short(perfect['expected'])})" if perfect else ""


def error_spread(view: View) -> Figure | None:
    """Absolute error against predicted standard deviation, with the error found in bins of it."""
    shown, rows = exact(view.shown), exact(view.rows)
    if len(rows) < 20:
        return None
    sd, every = (view.calibration.predicted_sd(frame["spread"].to_numpy()) for frame in (shown, rows))
    error, errors = absolute_errors(shown), absolute_errors(rows)
    plane = Plane(
        axis(f"predicted SD of the error{view.unit}", every), axis(f"|error|{view.unit}", errors, zero=True)
    )
    at, found = binned(every, errors)
    ends = np.array([every.min(), every.max()])
    marks = [*molecule_marks(plane, shown, sd, error), plane.line(ends, ends, "rule")]
    marks.append(plane.line(at, found, "trend"))
    marks.append(plane.dots(at, found, "trend-marks"))
    rank = view.metrics["calibration"].get("spearman", {})
    alt = f"Absolute error against predicted standard deviation of {len(rows)} test molecules."
    caption = (
        "Orange: root mean square error of groups of equally many molecules; dashed: what was predicted."
    )
    if rank.get("value") is not None and rank.get("expected") is not None:
        caption += (
            f" Rank correlation {rank['value']:.2f}; errors drawn as predicted would give "
            f"{rank['expected']:.2f} ({rank['low']:.2f} to {rank['high']:.2f})."
        )
    chart = plane.svg(marks, alt, zooms="xy")
    return Figure("Do large predicted errors come true", chart, caption + marked(shown), True)


def undecided(view: View) -> Figure | None:
    """Spread over the replicates against probability: where single replicates decide otherwise."""
    rows = view.shown
    if rows.empty:
        return None
    ends = [0, 0.25, 0.5, 0.75, 1]
    plane = Plane(
        fixed_axis(f"calibrated probability of {view.answers[1]}", -0.02, 1.02, ends),
        axis("spread over single replicates", view.rows["spread"].to_numpy(), zero=True),
    )
    x, y = rows["predicted"].to_numpy(), rows["spread"].to_numpy()
    marks = [plane.upright(view.threshold, "threshold"), *molecule_marks(plane, rows, x, y)]
    turned = f"{100 * np.mean(view.rows['flip'].to_numpy(dtype=float) > 0):.1f} %"
    alt = f"Spread against probability; some replicate puts {turned} of the molecules in the other class."
    caption = (
        f"Near the threshold chance decides: {turned} of the test molecules get another class from at least "
        f"one of the {view.statement['replicates']} replicates. Both axes are after calibration."
    )
    chart = plane.svg(marks, alt, zooms="xy")
    return Figure("Where one replicate would decide otherwise", chart, caption + marked(rows), True)


def error_distance(view: View) -> Figure | None:
    """Error against similarity to the nearest training molecule."""
    shown, rows = exact(view.shown), exact(view.rows)
    # without a fingerprint among the features there is no similarity
    if len(rows) < 20 or np.isnan(rows["similarity"].to_numpy(dtype=float)).any():
        return None
    what = "|class − probability|" if view.is_class else f"|error|{view.unit}"
    ends = [0, 0.2, 0.4, 0.6, 0.8, 1]
    plane = Plane(
        fixed_axis("Tanimoto similarity to the nearest training molecule", 0, 1.02, ends),
        axis(what, absolute_errors(rows), zero=True),
    )
    at, found = binned(rows["similarity"].to_numpy(), absolute_errors(rows))
    marks = molecule_marks(plane, shown, shown["similarity"].to_numpy(dtype=float), absolute_errors(shown))
    marks += [plane.line(at, found, "trend"), plane.dots(at, found, "trend-marks")]
    simple = better_baseline(view)
    if not view.is_class and simple and plane.y.share(simple.score) < 1:
        marks.append(plane.level(simple.score, f"{simple.name}: {short(simple.score)}", "baseline"))
    alt = (
        f"Error against similarity to the training set: root mean square {short(found[0])} "
        f"among the least similar, {short(found[-1])} among the most similar."
    )
    caption = (
        f"Orange: root mean square error of groups of equally many molecules, from {short(found[0])} among "
        f"the least similar to {short(found[-1])} among the most similar."
    )
    outside = ~rows["in_domain"].to_numpy(dtype=bool)
    if outside.any():
        far = float(np.sqrt(np.mean(absolute_errors(rows)[outside] ** 2)))
        outsiders = count(int(outside.sum()), "molecule")
        caption += f" Outside the model's domain ({outsiders}) it is {short(far)}."
    chart = plane.svg(marks, alt, zooms="xy")
    return Figure("Errors far from the training set", chart, caption + marked(shown), True)


def _sentence(text: str) -> str:
    """A note as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."
