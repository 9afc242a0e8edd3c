"""The statement in words: what a retrained ensemble agrees to, and what one replicate would risk."""

from typing import Any

from manywalks.formatting import two_digits

Statement = dict[str, Any]
_NAMES = {"rmse": "RMSE", "auroc": "AUROC"}


def sentences(statement: Statement, endpoint: str) -> tuple[str, str]:
    """The promise, and what a single replicate would have risked, from `endpoint_statement`'s dict."""
    return _promise(statement, endpoint), _risk(statement, endpoint)


def _promise(statement: Statement, endpoint: str) -> str:
    unit = _unit(statement)
    m = statement["replicates"]
    sure = f"{100 * statement['confidence']:g} % sure"
    # a retrained ensemble has a calibration of its own, fitted on its own replicates
    scale = " before calibration" if statement["kind"] == "classification" else ""
    text = (
        f"{endpoint}: a retrained ensemble of {m} will agree with this one to within "
        f"{two_digits(statement['difference_bound'])}{unit}{scale} "
        f"(root mean square over new molecules), {sure}."
    )
    if statement["met"]:
        text += f" That is within the tolerance of {two_digits(statement['tolerance'])}{unit}."
    else:
        text += (
            f" The tolerance of {two_digits(statement['tolerance'])}{unit} is not met: about "
            f"{statement['replicates_for_tolerance']} replicates would meet it."
        )
    if statement["diverged"]:
        diverged = statement["diverged"]
        text += f" {diverged} {'replicate' if diverged == 1 else 'replicates'} diverged and "
        text += "was replaced." if diverged == 1 else "were replaced."
    if statement["noise"]:
        share = statement["difference_bound"] / statement["noise"]
        text += f" Repeated measurements scatter by {two_digits(statement['noise'])}{unit}: "
        text += f"the bound is {two_digits(share)} times that."
    return text


def _risk(statement: Statement, endpoint: str) -> str:
    unit = _unit(statement)
    apart = two_digits(2**0.5 * statement["spread_rms"])
    text = f"{endpoint}: two single networks, trained alike, would have been {apart}{unit} apart"
    shared = statement["top_overlap"]["0.05"]["replicates"]
    text += f" and shared {100 * shared:.0f} % of their top 5 % of molecules"
    text += f" (two ensembles: {100 * statement['top_overlap']['0.05']['ensembles']:.0f} %)."
    metric = "auroc" if statement["kind"] == "classification" else "rmse"
    replicates = statement["single_replicates"].get(metric)
    if replicates and replicates["mean"] is not None:
        scored = f"{replicates['min']:.3g} to {replicates['max']:.3g}"
        text += (
            f" Over the valid and test molecules together their {_NAMES[metric]} went from "
            f"{scored}{unit if metric == 'rmse' else ''}, by chance alone"
        )
        text += f"; the ensemble's is {statement['ensemble'][metric]:.3g}."
    if statement["kind"] == "classification":
        text += (
            f" A single network would have called {100 * statement['flip_rate']['replicate']:.1f} % of the "
            f"molecules otherwise than the ensemble; for {100 * statement['turned_share']:.0f} % at least "
            f"one of the {statement['replicates']} did (before calibration)."
        )
    return text


def _unit(statement: Statement) -> str:
    """The unit with a space before it; probabilities have none."""
    if statement["kind"] == "classification":
        return " in probability"
    return f" {statement['unit']}" if statement["unit"] else ""
