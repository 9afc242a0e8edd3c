"""What is said of a predicted list: how far a retrained ensemble will be over it, and what to mind."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from manywalks.ensemble.model import Ensemble
from manywalks.evaluate.statement.list_statement import ListTerms, list_sentence, list_statement
from manywalks.evaluate.statement.sentences import calibration_cautions
from manywalks.formatting import count
from manywalks.params.sections.model import EnsembleParams
from manywalks.replicates.combine import combining_of
from manywalks.replicates.statistics.list_sums import ListSums, added, from_bytes


def summary_path(output: Path) -> Path:
    """`predictions.csv` -> `predictions.summary.json`."""
    return output.with_suffix(".summary.json")


def list_summary(ensemble: Ensemble, parts: Iterable[bytes]) -> dict[str, dict[str, Any]]:
    """Each endpoint's statement over the molecules of a list.

    Args:
        ensemble: that predicted them.
        parts: the sums of each chunk in order, as `list_sums.to_bytes` has them. One is held at a time.
    """
    sums: tuple[ListSums, ...] = ()
    for part in map(from_bytes, parts):
        sums = added([sums, part]) if sums else part
    settings = EnsembleParams.model_validate(ensemble.about["params"]["ensemble"])
    found = {}
    for name, own in zip(ensemble.endpoints, sums, strict=bool(sums)):
        about = ensemble.endpoints[name]
        terms = ListTerms(
            kind=about["kind"],
            unit=about["unit"],
            confidence=ensemble.about["confidence"],
            endpoints=len(ensemble.endpoints),
            adaptive=ensemble.about["adaptive"],
            mode=combining_of(about["kind"], settings).mode,
            cut=ensemble.cut_of(name),
        )
        statement = list_statement(own, terms)
        if own.molecules:
            statement["sentence"] = list_sentence(statement, name, about["kind"])
        found[name] = statement
    return found


def whole_list(endpoints: dict[str, dict[str, Any]], predicted: int) -> list[str]:
    """Why a list has fewer molecules than predicted rows, then each endpoint's sentence."""
    repeats = predicted - max((one["molecules"] for one in endpoints.values()), default=predicted)
    said = []
    if repeats:
        said.append(
            f"{repeats:,} of {predicted:,} predicted rows repeat{'s' * (repeats == 1)} a molecule of an "
            "earlier row (the same after standardization); below, each molecule counts once"
        )
    return said + [one["sentence"] for one in endpoints.values() if "sentence" in one]


def outside_domain(rows: int, predicted: int) -> list[str]:
    """How many predictions are for molecules unlike those that the model was trained on."""
    of = f"{rows:,} of {count(predicted, 'predicted row')}"
    words = "outside the model's domain (column in_domain); expect larger errors there"
    return [f"{of}: {words}"] if rows else []


def too_large(ensemble: Ensemble, molecules: int) -> list[str]:
    """How many molecules the network on graphs did not predict."""
    if not molecules:
        return []
    (slots,) = (block.max_atoms for block in ensemble.blocks if block.kind == "graph")
    have = "molecule has" if molecules == 1 else "molecules have"
    return [
        f"{molecules:,} {have} over {slots} atoms, or too many bonds, for the network on graphs; the other "
        "networks alone predicted them (column on_graph)"
    ]


def not_to_trust(metrics: dict[str, Any]) -> list[str]:
    """What `train` said of calibrations that are not to be trusted; each sentence once, for its endpoints."""
    found: dict[str, list[str]] = {}
    for name, one in metrics.items():
        # metrics of former versions do not say how many molecules
        for sentence in calibration_cautions(one) if "n_valid" in one else ():
            found.setdefault(sentence, []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in found.items()]
