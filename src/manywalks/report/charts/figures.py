"""What the report shows of one endpoint's predictions and of its replicates."""

import numpy as np
import pandas as pd

from manywalks.evaluate.registry import HIGHER_IS_BETTER, SCORE_NAMES
from manywalks.formatting import short
from manywalks.report.charts.charts import Axis, Plane, axis, fixed_axis, log_axis, round_places
from manywalks.report.charts.comparisons import beside_baselines
from manywalks.report.charts.error_figures import (
    coverage,
    error_distance,
    error_spread,
    reliability,
    undecided,
)
from manywalks.report.endpoint import Figure, View, marked, molecule_marks, sampled


def figures(view: View) -> list[Figure]:
    """The endpoint's figures, in the order of the page; those that its data cannot fill are left out."""
    if view.is_class:
        made = [
            probabilities(view),
            beside_baselines(view),
            single_replicates(view),
            by_count(view),
            reliability(view),
            undecided(view),
        ]
    else:
        made = [observed_predicted(view), beside_baselines(view), single_replicates(view), by_count(view)]
        made += [coverage(view), error_spread(view)]
    made.append(error_distance(view))
    return [figure for figure in made if figure is not None]


def observed_predicted(view: View) -> Figure | None:
    """Observed against predicted, a dot a test molecule."""
    rows = view.shown
    if rows.empty:
        return None
    both = np.concatenate([rows["observed"].to_numpy(), rows["predicted"].to_numpy()])
    plane = Plane(axis(f"observed{view.unit}", both), axis(f"predicted{view.unit}", both))
    x, y = rows["observed"].to_numpy(), rows["predicted"].to_numpy()
    marks = [plane.diagonal(), *molecule_marks(plane, rows, x, y)]
    rmse = short(view.metrics["ensemble"]["rmse"])
    alt = f"Observed against predicted {view.name} of {len(rows)} test molecules; RMSE {rmse}."
    caption = f"Each dot is a test molecule; on the line, prediction equals measurement. {sampled(view)}"
    chart = plane.svg(marks, alt, zooms="xy")
    return Figure("Observed and predicted", chart, caption.strip() + marked(rows), True)


def probabilities(view: View) -> Figure | None:
    """Predicted probability by observed class, a dot a test molecule."""
    rows = view.shown
    if rows.empty:
        return None
    no, yes = view.answers
    lanes = Axis("observed", -0.6, 1.6, ((0.0, no), (1.0, yes)))
    plane = Plane(fixed_axis(f"calibrated probability of {yes}", -0.02, 1.02, [0, 0.25, 0.5, 0.75, 1]), lanes)
    # dots of a lane are spread evenly over its height (golden ratio), the same on each page
    lift = 0.9 * ((np.arange(len(rows)) * 0.6180339887498949) % 1 - 0.5)
    x, y = rows["predicted"].to_numpy(), rows["observed"].to_numpy()
    marks = [plane.upright(view.threshold, "threshold"), *molecule_marks(plane, rows, x, y + lift)]
    auroc = short(view.metrics["ensemble"]["auroc"])
    alt = f"Predicted probabilities of {len(rows)} test molecules by observed class; AUROC {auroc}."
    caption = f"Each dot is a test molecule, in the row of what was observed. {sampled(view)}"
    chart = plane.svg(marks, alt, zooms="x")
    return Figure("Predicted probability by class", chart, caption.strip() + marked(rows), True)


def single_replicates(view: View) -> Figure | None:
    """Histogram of the single replicates' score, a dot a replicate, with the ensemble's line."""
    whole = view.metrics["ensemble"][view.main]
    if view.replicates.size < 2 or whole is None:
        return None
    along = axis(f"test {view.score_label(view.main)}", np.append(view.replicates, whole), room=0.08)
    bins = int(np.clip(round(1.6 * view.replicates.size**0.5), 6, 24))
    edges = np.linspace(along.low, along.high, bins + 1)
    counts, _ = np.histogram(view.replicates, edges)
    most = int(counts.max())
    up = fixed_axis("single replicates", 0, most + 1, [p for p in round_places(0, most + 1) if p == int(p)])
    plane = Plane(along, up)
    stacked = np.concatenate([np.arange(count) + 0.5 for count in counts])
    middles = np.repeat((edges[:-1] + edges[1:]) / 2, counts)
    dots = [plane.dots(middles, stacked, "replicates")] if most <= 24 else []
    marks = [plane.bars(edges, counts, "bar faint" if dots else "bar"), *dots]
    marks.append(plane.upright(whole, "ensemble", "ensemble"))
    name, low, high = SCORE_NAMES[view.main], view.replicates.min(), view.replicates.max()
    alt = (
        f"Histogram of the test {name} of {view.replicates.size} single replicates, "
        f"from {short(low)} to {short(high)}; the ensemble has {short(whole)}."
    )
    better = np.mean(view.replicates > whole if view.main in HIGHER_IS_BETTER else view.replicates < whole)
    caption = (
        f"Same data, same parameters: chance alone moved one replicate's {name} from {short(low)} to "
        f"{short(high)}. The ensemble beats {100 * (1 - better):.0f} % of its replicates."
    )
    return Figure("What one replicate would have scored", plane.svg(marks, alt), caption)


def by_count(view: View) -> Figure | None:
    """Score against the number of replicates, with the projection to infinitely many."""
    counts = view.counts
    if len(counts) < 3:
        return None
    k, score = counts["replicates"].to_numpy(dtype=float), counts["score"].to_numpy(dtype=float)
    sd = counts["sd"].to_numpy(dtype=float)
    infinite = view.metrics["infinite"]
    limit = None if infinite is None else infinite["score"]
    seen = np.concatenate([score - sd, score + sd, [] if limit is None else [limit]])
    plane = Plane(
        log_axis("replicates in the ensemble", np.append(k, k[-1] * 1.3)),
        axis(f"test {view.score_label(view.main)}", seen, room=0.1),
    )
    marks = [plane.band(k, score - sd, score + sd)]
    if limit is not None:
        curve = np.geomspace(1, k[-1] * 1.3, 60)
        marks += [plane.line(curve, score_of(curve, view), "line thin")]
        text = f"infinitely many: {short(limit)}"
        # on the side of the line that the curve does not come from
        marks.append(plane.level(limit, text, "rule", below=score[0] > limit))
    marks.append(plane.dots(k, score, "marks"))
    name = SCORE_NAMES[view.main]
    alt = f"Test {name} of ensembles of 1 to {k[-1]:.0f} replicates: {short(score[0])} to {short(score[-1])}."
    caption = "Ensembles of some of the replicates: their mean score, and ± 1 SD as the band. "
    if infinite is not None:
        caption += (
            "The curve is exact: averaging k replicates removes all but 1 / k of the error that is chance."
            if infinite["exact"]
            else "The limit is fitted to the dots from 2 replicates on; the curve goes there from this "
            "ensemble as 1 / k."
        )
    return Figure("What more replicates bring", plane.svg(marks, alt), caption.strip())


def score_of(count: np.ndarray, view: View) -> np.ndarray:
    """The score of ensembles of so many replicates (n,), on the line from this one to infinitely many.

    A squared error falls as 1 / count exactly, other scores to first order.
    """
    squares = 2 if view.metrics["infinite"]["exact"] else 1
    end, whole = view.metrics["infinite"]["score"] ** squares, view.metrics["ensemble"][view.main] ** squares
    return np.maximum(end + (whole - end) * view.replicates.size / count, 0) ** (1 / squares)


def needed(view: View) -> Figure | None:
    """Replicates needed against tolerance, with where this ensemble stands."""
    statement = view.statement
    table = pd.DataFrame(statement["replicates_needed"])
    if len(table) < 2:
        return None
    m, bound = statement["replicates"], statement["difference_bound"]
    x, y = table["tolerance"].to_numpy(dtype=float), table["replicates"].to_numpy(dtype=float)
    kept = x <= max(x[0] * 60, 2 * statement["tolerance"], 2 * bound)
    x, y = x[kept], y[kept]
    unit = view.unit or (" (probability before calibration)" if view.is_class else "")
    plane = Plane(
        log_axis(f"tolerance{unit}", np.concatenate([x, [bound, statement["tolerance"]]])),
        log_axis("replicates needed", np.concatenate([y, [m, 2.0]])),
    )
    marks = [plane.line(x, y), plane.dots(x, y, "marks")]
    if statement["noise"] and plane.x.share(statement["noise"]) < 1:
        marks.append(plane.upright(statement["noise"], "assay noise", "rule faint"))
    marks.append(plane.dots(np.array([bound]), np.array([float(m)]), "here"))
    a, b = float(plane.px(bound)), float(plane.py(m))
    side = f'x="{a - 9:.1f}" text-anchor="end"' if a > plane.width / 2 else f'x="{a + 9:.1f}"'
    marks.append(f'<text class="note strong" {side} y="{b - 7:.1f}">this ensemble</text>')
    alt = (
        f"Replicates needed for tolerances from {short(x[0])} to {short(x[-1])}; "
        f"this ensemble of {m} has the bound {short(bound)}."
    )
    sure = f"{100 * statement['confidence']:g} %"
    caption = (
        f"How many replicates it takes to be {sure} sure that two independently trained ensembles are no "
        "further apart than the tolerance. Half the tolerance takes about four times as many."
    )
    return Figure("How many are enough", plane.svg(marks, alt), caption)
