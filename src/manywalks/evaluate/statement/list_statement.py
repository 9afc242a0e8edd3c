"""What a retrained ensemble will agree to over a list of molecules, from the list's sums, without labels."""

import math
from dataclasses import dataclass
from typing import Any

from manywalks.formatting import two_digits
from manywalks.params.sections.cut import Cut
from manywalks.replicates.combine import Mode
from manywalks.replicates.statistics.bound import bound_at, expected_difference
from manywalks.replicates.statistics.decisions import most_flips
from manywalks.replicates.statistics.list_sums import ListSums
from manywalks.replicates.statistics.spectrum import moments_of_gram

# an expected number below this is not told by its digits, such as 1.1e-12
FEWEST_TOLD = 0.1


@dataclass(frozen=True)
class ListTerms:
    """What an endpoint's statement over a list goes by.

    Attributes:
        kind: "regression" or "classification".
        unit: of the endpoint.
        confidence: of the bounds.
        endpoints: how many there are, for what holds for all of them at once.
        adaptive: whether the number of replicates came from looking at them.
        mode: how the replicates are combined.
        cut: where decisions change; None where there are none.
    """

    kind: str
    unit: str
    confidence: float
    endpoints: int = 1
    adaptive: bool = False
    mode: Mode = "mean"
    cut: Cut | None = None


def list_statement(sums: ListSums, terms: ListTerms) -> dict[str, Any]:
    """The bound over a list's molecules, in the endpoint's unit, and how many decisions would differ."""
    m = len(sums.gram)
    if sums.molecules == 0:
        return {"unit": terms.unit, "replicates": m, "molecules": 0}
    moments = moments_of_gram(sums.gram, sums.molecules)
    widest = 1.0 if terms.kind == "classification" else math.inf
    levels = (terms.confidence, 1 - (1 - terms.confidence) / terms.endpoints)
    bound, joint = (
        min(bound_at(moments, m, level, adaptive=terms.adaptive, mode=terms.mode), widest) for level in levels
    )
    return {
        "unit": terms.unit,
        "replicates": m,
        "molecules": sums.molecules,
        "spread_rms": math.sqrt(moments.variance),
        "directions": 1 / moments.theta,
        "difference_expected": expected_difference(moments, m, m, terms.mode),
        "difference_bound": bound,
        "confidence": terms.confidence,
        "joint": {"endpoints": terms.endpoints, "difference_bound": joint},
        "decisions": decisions(sums, terms),
    }


def decisions(sums: ListSums, terms: ListTerms) -> dict[str, Any] | None:
    """How many decisions a retrained ensemble would make otherwise; None without a cut-off."""
    if terms.cut is None:
        return None
    most = most_flips(
        sums.flips,
        sums.flips_variance,
        sums.near,
        terms.confidence,
        molecules=sums.molecules,
        mode=terms.mode,
    )
    return {
        "cut": terms.cut.text,
        "molecules": sums.molecules,
        "selected": sums.selected,
        "differ_expected": sums.flips,
        "differ_bound": most,
        "confidence": terms.confidence,
    }


def list_sentence(found: dict[str, Any], endpoint: str, kind: str) -> str:
    """The bound over a list in words, from `list_statement`."""
    unit = " in probability" if kind == "classification" else f" {found['unit']}" if found["unit"] else ""
    sure = f"{100 * found['confidence']:g} % sure"
    over = "this molecule" if found["molecules"] == 1 else f"these {found['molecules']:,} molecules"
    text = (
        f"{endpoint}: over {over} a retrained ensemble of {found['replicates']} will agree "
        f"with this one to within {two_digits(found['difference_bound'])}{unit} (root mean square), {sure}."
    )
    return text if found["decisions"] is None else f"{text} {decision_sentence(found['decisions'])}"


def decision_sentence(found: dict[str, Any]) -> str:
    """How many decisions would differ, in words."""
    sure = f"({100 * found['confidence']:g} % sure)"
    otherwise = few_words(found["differ_expected"], found["differ_bound"], " of them")
    return (
        f"{found['selected']:,} of {found['molecules']:,} are {found['cut']}; a retrained ensemble would "
        f"decide otherwise on {otherwise} {sure}."
    )


def few_words(expected: float, most: int, of: str = "") -> str:
    """How many it will be, `of` what: "none", or "about 1.2, at most 3"."""
    if most == 0:
        return f"none{of}"
    about = f"about {two_digits(expected)}" if expected >= FEWEST_TOLD else f"fewer than {FEWEST_TOLD:g}"
    return f"{about}{of}, at most {most:,}"
