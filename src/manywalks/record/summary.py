"""What a record comes to: a row per night and endpoint, and how predictions did by month and by model."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.record.nights import Kept
from manywalks.record.warnings import Measured, Warned, sentence, warned

Row = dict[str, Any]
_OF_NIGHT = (
    "night", "when", "data", "molecules", "replicates", "challenger", "champion", "judged_by", "promoted",
    "reason", "rebuilt",
)  # fmt: skip
_OF_ENDPOINT = (
    "kind", "unit", "metric", "score", "n_test", "bound", "churn", "churn_molecules", "coverage",
)  # fmt: skip


class Summary(NamedTuple):
    """A record in tables.

    Attributes:
        runs: one row per nightly run and endpoint, oldest first; None where something is not known.
        judged: of each endpoint, its measurements, oldest first.
        warnings: of each endpoint, all that were raised, oldest first.
    """

    runs: list[Row]
    judged: dict[str, pd.DataFrame]
    warnings: dict[str, list[Warned]]

    def of(self, endpoint: str) -> list[Row]:
        """The rows of one endpoint."""
        return [row for row in self.runs if row["endpoint"] == endpoint]

    def latest(self) -> list[str]:
        """The warnings of the last night as sentences."""
        last = self.runs[-1]["night"] if self.runs else ""
        return [
            self.words(one, name)
            for name, raised in self.warnings.items()
            for one in raised
            if one.night == last
        ]

    def words(self, one: Warned, endpoint: str) -> str:
        """A warning as a sentence."""
        rows = {row["night"]: row for row in self.of(endpoint)}
        row = rows[one.night]
        return sentence(one, endpoint, row["unit"], row["coverage"], rows[one.since]["when"][:10])


def summary(kept: Kept) -> Summary:
    """The tables of all nights that are kept."""
    names = list(dict.fromkeys(name for night in kept.nights for name in night["endpoints"]))
    endpoints = kept.judged["endpoint"].to_numpy(dtype=str)
    judged = {name: pd.DataFrame(kept.judged[endpoints == name]) for name in names}
    shared = max((len(night["endpoints"]) for night in kept.nights), default=1)
    warnings = {name: warned(Measured.of(judged[name]), shared) for name in names}
    raised = {(one.night, name) for name, found in warnings.items() for one in found}
    runs = []
    for night in kept.nights:
        for name, one in night["endpoints"].items():
            came = judged[name].loc[judged[name]["night"].to_numpy(dtype=str) == night["night"]]
            runs.append(
                {key: night.get(key) for key in _OF_NIGHT}
                | {"endpoint": name}
                | {key: one.get(key) for key in _OF_ENDPOINT}
                | how_they_did(came)
                | {"warned": (night["night"], name) in raised}
            )
    return Summary(runs, judged, warnings)


def how_they_did(judged: pd.DataFrame) -> Row:
    """Of some measurements of one endpoint: how many, error (rms, mean), share within, share in the domain.

    The error is observed less predicted; for a class, of the probability. The share within is that of the
    measurements that have an interval. None where there are none.
    """
    if not len(judged):
        nothing = dict.fromkeys(("error_rms", "error_mean", "covered", "in_domain"))
        return {"judged": 0, "judged_series": 0, **nothing}
    error = judged["observed"].to_numpy() - judged["predicted"].to_numpy()
    within = judged["within"].to_numpy()
    return {
        "judged": len(judged),
        "judged_series": len(np.unique(judged["series"].to_numpy(dtype=str))),
        "error_rms": float(np.sqrt(np.mean(error**2))),
        "error_mean": float(error.mean()),
        "covered": float(np.nanmean(within)) if np.isfinite(within).any() else None,
        "in_domain": float(judged["in_domain"].to_numpy().mean()),
    }


def by_month(judged: pd.DataFrame) -> list[Row]:
    """How the measurements of one endpoint did in each month, oldest first."""
    return _by(judged, [text[:7] for text in judged["when"]])


def by_model(judged: pd.DataFrame) -> list[Row]:
    """How the measurements of one endpoint did by the model that had predicted them, oldest first."""
    return _by(judged, judged["model"].tolist())


def _by(judged: pd.DataFrame, names: list[str]) -> list[Row]:
    """How those of each name did, in the order in which the names come first."""
    own = np.array(names, dtype=str)
    return [{"name": name, **how_they_did(judged.loc[own == name])} for name in dict.fromkeys(names)]
