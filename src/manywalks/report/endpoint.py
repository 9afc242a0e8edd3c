"""One endpoint as the report sees it, and what its figures have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.ensemble.calibration import Calibration
from manywalks.evaluate.registry import IN_UNITS, SCORE_NAMES
from manywalks.evaluate.scores import certain_errors


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
        rows: measured test molecules; exact values first, then censored ones.
        shown: which of `rows` the page holds, in the same order.
        answers: of a class, what the table calls 0 and 1.
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

    @property
    def is_class(self) -> bool:
        """Whether the endpoint is a classification."""
        return self.metrics["kind"] == "classification"

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


def answers_of(endpoint: Mapping[str, Any]) -> tuple[str, str]:
    """What the table calls the classes 0 and 1: the cells that params.yaml names, else No and Yes."""
    positive, negative = endpoint.get("positive"), endpoint.get("negative") or ()
    no = "No" if positive is None else f"not {positive}"
    return (negative[0] if len(negative) == 1 else no), positive or "Yes"


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
