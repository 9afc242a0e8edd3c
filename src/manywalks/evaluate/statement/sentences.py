"""What a run found, in words: how good the model is, and how close a retrained one would come."""

from typing import Any

from manywalks.evaluate.registry import MAIN, SCORE_NAMES
from manywalks.evaluate.statement.verdict_rule import FEWEST, LEAST_AUROC, LEAST_SHARE, NEIGHBOURS
from manywalks.formatting import count, number, told_apart, two_digits

Statement = dict[str, Any]
# of fewer molecules a "top 5 %" is one or two of them
FEWEST_CHOSEN = 5
# a standard deviation of so many repeats may be 1.7 times too small or large (95 % sure), of fewer more
FEWEST_REPEATS = 10
# of intervals of this level it is said where they hold too few test molecules: surely (95 %) so many fewer
SHOWN_LEVEL, SHORT_OF = 0.9, 0.05
# share of the test molecules from which it is said that they are predicted below 0
SHARE_BELOW = 0.02
# which molecules count as the best ones, by what is wanted
BEST = {"high": "top", "low": "lowest", "range": "best"}
_NOT_FITTED = (
    "No valid molecule: do not trust intervals and probabilities, which are not calibrated. Raise "
    "split.valid, or set replicates.rows: bootstrap, which calibrates on training molecules."
)
_SIMPLE = {
    "mean": "the mean of the training molecules",
    "majority": "guessing",
    "neighbours": f"the {NEIGHBOURS} nearest training molecules",
}


def sentences(statement: Statement, endpoint: str) -> tuple[str, str]:
    """The promise, and what a single replicate would have risked, from `endpoint_statement`'s dict."""
    return _promise(statement, endpoint), _risk(statement, endpoint)


def verdict_words(metrics: dict[str, Any]) -> str:
    """The verdict on an endpoint's accuracy in a few words, from its entry of metrics.json."""
    word = metrics["verdict"]["word"]
    if word == "no better":
        simple = "guessing" if metrics["kind"] == "classification" else "the mean"
        return f"{'no' if metrics['verdict']['high'] <= 0 else 'not surely'} better than {simple}"
    return "accuracy unknown" if word == "unknown" else word


def accuracy_sentences(metrics: dict[str, Any], endpoint: str) -> str:
    """How good the model is beside simple predictions, and on training molecules that were left out."""
    found = metrics.get("out_of_bag")
    return _on_test(metrics, endpoint) + (f" {found['sentence']}" if found else "")


def _on_test(metrics: dict[str, Any], endpoint: str) -> str:
    """How good the model is on the test subset."""
    words, metric = verdict_words(metrics), MAIN[metrics["kind"]]
    if metrics["verdict"]["word"] == "unknown":
        why = (
            "all measured test molecules are of one class"
            if metrics["n_test"]
            else "no test molecule was measured"
        )
        return f"{endpoint}: {words}: {why}."
    unit = f" {metrics['unit']}" if metrics["unit"] and metric == "rmse" else ""
    simple = [f"{_SIMPLE[name]}: {one[metric]:.3g}" for name, one in metrics["baselines"].items()]
    return (
        f"{endpoint}: {words}. {SCORE_NAMES[metric]} on {count(metrics['n_test'], 'test molecule')}: "
        f"{metrics['ensemble'][metric]:.3g}{unit} ({'; '.join(simple)}). "
        f"{_reason(metrics, unit)}"
    )


def _reason(metrics: dict[str, Any], unit: str) -> str:
    """The interval that decided the verdict."""
    found = metrics["verdict"]
    against = _SIMPLE[found["against"]]
    low, high = (number(found[end], 2) for end in ("low", "high"))
    if found["high"] < 0:
        least, most = (number(-found[end], 2) for end in ("high", "low"))
        return f"It is worse than {against} by {least} to {most}{unit} (95 % sure)."
    if found["low"] <= 0:
        return f"It is not surely better than {against}: the difference is {low} to {high}{unit} (95 % sure)."
    text = f"It is better than {against} by {low} to {high}{unit} (95 % sure)"
    if found["word"] == "useful":
        return f"{text}."
    least = (
        f"an AUROC of {LEAST_AUROC:g}"
        if metrics["kind"] == "classification"
        else f"an error {100 * LEAST_SHARE:.0f} % below that of the mean"
    )
    return f"{text}, but falls short of {least}."


def limits_sentence(metrics: dict[str, Any], endpoint: str) -> str:
    """Which scores are over which molecules, where some are known only as limits; "" where none is."""
    limits = metrics.get("n_limits", 0)  # metrics of former versions do not say
    if not limits:
        return ""
    are = "is" if limits == 1 else "are"
    return (
        f"{endpoint}: {limits:,} of {count(metrics['n_test'], 'test molecule')} {are} known only as a limit "
        "(>100). RMSE and MAE count an error there only beyond the limit; R² and rank correlations are over "
        f"the other {metrics['n_test'] - limits:,}."
    )


def cautions(metrics: dict[str, Any]) -> list[str]:
    """What not to trust where there are few molecules, a sentence each."""
    test, found = metrics["n_test"], []
    if test < FEWEST:
        found.append(
            f"Only {count(test, 'test molecule')}: do not trust the verdict or any score. Other molecules "
            "could give quite different ones."
        )
    below = metrics.get("below_zero", 0)  # metrics of former versions do not say
    if below >= max(SHARE_BELOW * test, 1):
        found.append(
            f"{below:,} of {count(test, 'test molecule')} {'is' if below == 1 else 'are'} predicted below 0, "
            "where nothing was measured; with transform: log10 for this endpoint none would be."
        )
    return found + calibration_cautions(metrics)


def calibration_cautions(metrics: dict[str, Any]) -> list[str]:
    """Why intervals or probabilities are not to be trusted, a sentence each."""
    about, found = metrics.get("calibration", {}), []
    bagged = about.get("reference") == "out of bag"
    fitted_on = about["fitted_on"] if bagged else metrics["n_valid"]
    lacks = about.get("not_calibrated")  # metrics of former versions do not say
    if fitted_on == 0 and not bagged:
        found.append(_NOT_FITTED)
    elif lacks:
        found.append(f"Do not trust the probabilities: {lacks}.")
    elif fitted_on < FEWEST:
        fitted = "probabilities" if metrics["kind"] == "classification" else "intervals"
        molecules = count(fitted_on, "training molecule" if bagged else "valid molecule")
        found.append(f"Only {molecules}: do not trust the {fitted}, which are calibrated on them.")
    return found + _not_as_calibrated(about)


def _not_as_calibrated(about: dict[str, Any]) -> list[str]:
    """Where the test molecules show that a calibration does not hold for them."""
    if about.get("worse"):
        return [
            "Do not trust probabilities and decisions: on the test molecules, calibration made them worse "
            f"(Brier score {about['brier']:.3g}, without it {about['uncalibrated']['brier']:.3g}). "
            "The molecules that it is fitted on must be like those that you predict."
        ]
    found = next((one for one in about.get("intervals", ()) if one["stated"] == SHOWN_LEVEL), None)
    if found is None or found["high"] >= found["stated"] - SHORT_OF:
        return []
    return [
        f"Do not trust the intervals: those of {100 * found['stated']:.0f} % hold only "
        f"{100 * found['covered']:.0f} % of the test molecules. The molecules that they are calibrated "
        "on must be like those that you predict."
    ]


def _promise(statement: Statement, endpoint: str) -> str:
    unit = _unit(statement)
    m = statement["replicates"]
    sure = f"{100 * statement['confidence']:g} % sure"
    # a retrained ensemble has a calibration of its own, fitted on its own replicates
    scale = " before calibration" if statement["kind"] == "classification" else ""
    bound, tolerance = told_apart(statement["difference_bound"], statement["tolerance"])
    text = (
        f"{endpoint}: a retrained ensemble of {m}{_rows(statement)} will agree with this one to within "
        f"{bound}{unit}{scale} (root mean square over {which_molecules(statement)}), {sure}."
    )
    if statement["joint"]["endpoints"] > 1:
        endpoints = statement["joint"]["endpoints"]
        text += (
            f" {'Both' if endpoints == 2 else f'All {endpoints}'} endpoints at once: to within "
            f"{two_digits(statement['joint']['difference_bound'])}{unit} here, {sure}."
        )
    if m < 8:
        text += " From fewer than 8 replicates that is a rough figure."
    if statement["met"]:
        text += f" That is within the tolerance of {tolerance}{unit}."
    else:
        text += (
            f" The tolerance of {tolerance}{unit} is not met: it would take about "
            f"{statement['replicates_for_tolerance']} replicates."
        )
    if statement["diverged"]:
        diverged = statement["diverged"]
        text += f" {count(diverged, 'replicate')} diverged and {'was' if diverged == 1 else 'were'} replaced."
    if statement["noise"]:
        text += (
            " For comparison, repeated measurements of a molecule scatter by "
            f"{two_digits(statement['noise'])}{unit} (SD{noise_basis(statement.get('noise_repeats'))})."
        )
    return text


def which_molecules(statement: Statement) -> str:
    """The molecules that a statement is over: those that it was not trained on, by subset."""
    subsets = " and ".join(statement.get("reference", ()))
    return f"the {statement['molecules']:,} {subsets} molecules".replace("  ", " ")


def noise_basis(repeats: int | None) -> str:
    """What the scatter of repeats rests on, behind "SD"; "" where a former version did not say."""
    if not repeats:
        return ""
    if repeats < FEWEST_REPEATS:
        return f", a rough figure from only {count(repeats, 'repeat')}"
    return f", from {count(repeats, 'repeat')}"


def _risk(statement: Statement, endpoint: str) -> str:
    unit = _unit(statement)
    apart = two_digits(2**0.5 * statement["spread_rms"])
    text = f"{endpoint}: two single replicates, trained alike, would have been {apart}{unit} apart, "
    text += f"root mean square (two ensembles: {two_digits(statement['difference_expected'])})"
    top = statement["top_overlap"]["0.05"]
    if top["molecules"] >= FEWEST_CHOSEN:
        text += (
            f" and shared {100 * top['replicates']:.0f} % of their {BEST[statement['want']]} 5 % of "
            "molecules (two ensembles: "
            f"{100 * top['ensembles']:.0f} %)"
        )
    text += "."
    if statement["kind"] == "classification":
        text += (
            f" A single replicate would have put {100 * statement['flip_rate']['replicate']:.1f} % of the "
            "molecules in the other class than the ensemble does; at least one of the "
            f"{statement['replicates']} does so for {100 * statement['turned_share']:.0f} % of the molecules "
            "(before calibration)."
        )
    return text


def _rows(statement: Statement) -> str:
    """What each replicate trains on, where that is not all of the training molecules."""
    if statement.get("rows", "all") == "all":  # statements of former versions do not say
        return ""
    return " replicates, each on its own bootstrap draw of the training molecules,"


def _unit(statement: Statement) -> str:
    """The unit with a space before it; probabilities have none."""
    if statement["kind"] == "classification":
        return " in probability"
    return f" {statement['unit']}" if statement["unit"] else ""
