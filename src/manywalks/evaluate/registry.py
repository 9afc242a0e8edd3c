"""The metrics: a new one is a row of REGISTRY and a function in evaluate/scores.py."""

from typing import Literal, NamedTuple

Kind = Literal["regression", "classification"]


class Metric(NamedTuple):
    """What every table and page needs to know of a metric.

    Attributes:
        label: as people write it.
        kind: of the endpoints that it scores.
        higher_is_better: else lower is.
        in_unit: whether its values are in the endpoint's unit.
        in_steps: whether it goes by ranks or decisions, so that it moves in steps.
        width: the farthest that two of its values can be apart; None where nothing bounds it.
        on_terminal: whether the summary after a run shows it.
        decides_refresh: whether champion and challenger can be compared by it, as a mean over molecules.
    """

    label: str
    kind: Kind
    higher_is_better: bool = True
    in_unit: bool = False
    in_steps: bool = False
    width: float | None = None
    on_terminal: bool = False
    decides_refresh: bool = False


# the first of each kind is its main metric
REGISTRY = {
    "rmse": Metric("RMSE", "regression", False, in_unit=True, on_terminal=True, decides_refresh=True),
    "mae": Metric("MAE", "regression", False, in_unit=True, on_terminal=True, decides_refresh=True),
    "r2": Metric("R²", "regression", on_terminal=True),
    "spearman": Metric("Spearman", "regression", in_steps=True, width=2.0, on_terminal=True),
    "kendall": Metric("Kendall", "regression", in_steps=True, width=2.0),
    "auroc": Metric("AUROC", "classification", in_steps=True, width=1.0, on_terminal=True),
    "auprc": Metric("AUPRC", "classification", in_steps=True, width=1.0, on_terminal=True),
    "brier": Metric("Brier", "classification", False, width=1.0, decides_refresh=True),
    "log_loss": Metric("log-loss", "classification", False, decides_refresh=True),
    "mcc": Metric("MCC", "classification", in_steps=True, width=2.0, on_terminal=True),
}


def metrics_of(kind: str) -> tuple[str, ...]:
    """The metrics of a kind of endpoint, the main one first."""
    return tuple(name for name, metric in REGISTRY.items() if metric.kind == kind)


KINDS: tuple[Kind, Kind] = ("regression", "classification")
METRICS = {kind: metrics_of(kind) for kind in KINDS}
MAIN = {kind: METRICS[kind][0] for kind in KINDS}
MAIN_SCORES = {kind: tuple(name for name in METRICS[kind] if REGISTRY[name].on_terminal) for kind in KINDS}
OF_KIND = {kind: tuple(name for name in METRICS[kind] if REGISTRY[name].decides_refresh) for kind in KINDS}
AUTO = {kind: OF_KIND[kind][0] for kind in KINDS}
HIGHER_IS_BETTER = frozenset(name for name, metric in REGISTRY.items() if metric.higher_is_better)
IN_UNITS = frozenset(name for name, metric in REGISTRY.items() if metric.in_unit)
SCORE_NAMES = {name: metric.label for name, metric in REGISTRY.items()}
IN_STEPS = frozenset(name for name, metric in REGISTRY.items() if metric.in_steps)
WIDTHS = {name: metric.width for name, metric in REGISTRY.items() if metric.width is not None}
