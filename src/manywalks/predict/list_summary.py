"""The summary beside predictions: how far a retrained ensemble will be from this one over this very list."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from manywalks.ensemble.model import Ensemble
from manywalks.evaluate.statement.list_statement import ListTerms, list_sentence, list_statement
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
