"""One endpoint as the report sees it, and what its figures have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.evaluate.registry import HIGHER_IS_BETTER, IN_UNITS, SCORE_NAMES
from manywalks.evaluate.scores import certain_errors
from manywalks.evaluate.statement.verdict_rule import NEIGHBOURS
from manywalks.formatting import count
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.report.charts.charts import Plane

BASELINES = {
    "mean": "mean of the training molecules",
    "majority": "guessing",
    "neighbours": f"{NEIGHBOURS} nearest training molecules",
}


class Figure(NamedTuple):
    """A figure of the page.

    Attributes:
        title: what it answers.
        svg: the chart.
        caption: how to read it, and what it says here.
        hovers: whether pointing at a dot shows its molecule.
    """

    title: str
    svg: str
    caption: str
    hovers: bool = False


@dataclass(frozen=True)
class View:
    """One endpoint, as the other stages left it.

    Attributes:
        name: of the endpoint.
        place: its number on the page.
        metrics: its entry of metrics.json.
        statement: its entry of statement.json.
        replicates: main score of each single replicate (m,).
        counts: replicates, score and sd of ensembles of some of the replicates.
        calibration: of the endpoint.
        coverage: share that the intervals of `rows` shall hold.
        threshold: probability from which a molecule is called Yes.
        rows: measured test molecules; exact values before limits, inside the domain before outside.
        shown: which of `rows` the page holds, in the same order.
        answers: of a class, what the table calls 0 and 1.
        wanted: the endpoint's parameters, which say what values are looked for.
    """

    name: str
    place: int
    metrics: dict[str, Any]
    statement: dict[str, Any]
    replicates: np.ndarray
    counts: pd.DataFrame
    calibration: Calibration
    coverage: float
    threshold: float
    rows: pd.DataFrame
    shown: pd.DataFrame
    answers: tuple[str, str] = ("No", "Yes")
    wanted: EndpointParams = field(default_factory=EndpointParams)

    @property
    def is_class(self) -> bool:
        """Whether the endpoint is a classification."""
        return self.metrics["kind"] == "classification"

    @property
    def over(self) -> str:
        """The subsets that replicates are compared on, in words."""
        return " and ".join(self.statement.get("reference", ("valid", "test")))

    @property
    def main(self) -> str:
        """The metric that replicates are compared by."""
        return "auroc" if self.is_class else "rmse"

    @property
    def unit(self) -> str:
        """The unit of predictions, in brackets; probabilities have none."""
        return f" ({self.metrics['unit']})" if self.metrics["unit"] and not self.is_class else ""

    def score_label(self, metric: str) -> str:
        """A metric's name with its unit."""
        return SCORE_NAMES[metric] + (self.unit if metric in IN_UNITS else "")


class Baseline(NamedTuple):
    """The better of the predictions that need no training: its name, and its test score."""

    name: str
    score: float


def better_baseline(view: View) -> Baseline | None:
    """The better baseline; None where no training molecule was measured."""
    scores = {
        BASELINES[name]: one[view.main]
        for name, one in view.metrics["baselines"].items()
        if one[view.main] is not None
    }
    if not scores:
        return None
    best = (max if view.main in HIGHER_IS_BETTER else min)(scores, key=scores.__getitem__)
    return Baseline(best, scores[best])


def answers_of(endpoint: Mapping[str, Any]) -> tuple[str, str]:
    """What the table calls the classes 0 and 1: the cells that params.yaml names, else No and Yes."""
    positive, negative = endpoint.get("positive"), endpoint.get("negative") or ()
    no = "No" if positive is None else f"not {positive}"
    return (negative[0] if len(negative) == 1 else no), positive or "Yes"


def fitted_on(about: Mapping[str, Any]) -> str:
    """What a calibration was fitted on, in words, from what metrics.json says of it."""
    if about.get("reference", "valid") == "valid":
        return count(about["fitted_on"], "valid molecule")
    return (
        f"{count(about['fitted_on'], 'training molecule')}, each as the replicates that did not train on it "
        "predict it"
    )


def binned(x: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean x and root mean square error in bins of equally many molecules, 10 or more in each."""
    order = np.argsort(x, kind="stable")
    bins = np.array_split(order, int(np.clip(len(x) // 20, 2, 10)))
    return (
        np.array([x[own].mean() for own in bins]),
        np.array([np.sqrt(np.mean(errors[own] ** 2)) for own in bins]),
    )


def exact(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose value itself was measured; they come first, so row numbers stay."""
    return rows.loc[rows["relation"] == "="]


def molecule_marks(plane: Plane, shown: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> list[str]:
    """A mark a molecule of `shown` (n rows, in the order of a view).

    Dots, crosses for those outside the domain, triangles for limits.

    Each path holds a run of rows, so that the page's script knows the molecule of each of its marks.
    """
    relation, outside = shown["relation"].to_numpy(), ~shown["in_domain"].to_numpy(dtype=bool)
    marks = []
    for limits in (False, True):
        for strange in (False, True):
            rows = np.flatnonzero(((relation != "=") == limits) & (outside == strange))
            if rows.size == 0:
                continue
            at, first = (x[rows], y[rows]), int(rows[0])
            if limits:
                kind = "arrows strange" if strange else "arrows"
                marks.append(plane.arrows(*at, relation[rows] == ">", first, kind))
            else:
                marks.append(plane.crosses(*at, first) if strange else plane.dots(*at, first=first))
    return marks


def marked(shown: pd.DataFrame) -> str:
    """What the marks of `molecule_marks` mean, where they are not all dots."""
    said = (
        ""
        if shown["in_domain"].to_numpy(dtype=bool).all()
        else " Orange crosses lie outside the model's domain."
    )
    if (shown["relation"].to_numpy() != "=").any():
        said += " Triangles are values known only as a limit (>100); they point to where the true value lies."
    return said


def absolute_errors(rows: pd.DataFrame) -> np.ndarray:
    """Absolute errors (n,)."""
    return np.abs(certain_errors(rows["observed"].to_numpy(), rows["predicted"].to_numpy()))


def sampled(view: View) -> str:
    """What to say where the page holds a sample."""
    if len(view.shown) == len(view.rows):
        return ""
    return (
        f"{len(view.shown)} of {len(view.rows)} molecules are drawn, chosen at random; scores are over all."
    )
