"""Churn in words, from what `churn.churn` found."""

from typing import Any

from manywalks.formatting import count, two_digits


def churn_sentences(found: dict[str, Any], endpoint: str, kind: str) -> list[str]:
    """The churn of one endpoint in words."""
    if not found["molecules"]:
        return [f"{endpoint}: there is no molecule on which both models can be compared."]
    unit = " in probability" if kind == "classification" else f" {found['unit']}" if found["unit"] else ""
    calibration = " before calibration" if kind == "classification" else ""
    said = [
        f"{endpoint}: predictions of {count(found['molecules'], 'molecule')} changed by "
        f"{two_digits(found['rms_change'])}{unit} (root mean square{calibration}). The luck of training "
        f"explains about {two_digits(found['luck_rms'])} of it, at most {two_digits(found['luck_bound'])} "
        f"({100 * found['confidence']:g} % sure).",
        _beyond_sentence(found["beyond"]),
    ]
    if (flips := found["flips"]) is not None:
        said.append(
            f"{count(flips['molecules'], 'decision')} ({100 * flips['share']:.1f} %) changed; luck alone "
            f"would have changed about {two_digits(flips['by_luck'])}."
        )
    if (top := found["top"]) is not None:
        which = {"high": "highest", "low": "lowest", "range": "best"}[top["want"]]
        said.append(
            f"{top['stayed']} of the {top['molecules']} {which} predictions ({100 * top['share']:g} %) are "
            f"still among them; luck alone would have left about {two_digits(top['by_luck'])}."
        )
    return said


def _beyond_sentence(beyond: dict[str, Any]) -> str:
    """How many molecules moved beyond luck."""
    if not beyond["molecules"]:
        return "No single molecule moved beyond luck."
    wrongly = f"of molecules named so, {100 * beyond['false_share']:g} % or fewer are named wrongly"
    return f"{count(beyond['molecules'], 'molecule')} moved beyond luck ({wrongly})."
