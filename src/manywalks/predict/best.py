"""The best molecules of a predicted list: their columns, and how many of them retraining would replace."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from manywalks.ensemble.model import Ensemble
from manywalks.evaluate.statement.list_statement import few_words
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.statistics.best import NOBODY, Best, Candidates, best_of, from_bytes, joined

# columns of an endpoint: whether a molecule is among the best, and the chance of it with a retrained ensemble
TOP, RETRAINED = ":top", ":top_retrained"


@dataclass(frozen=True)
class BestRows:
    """The best molecules by endpoint.

    Attributes:
        size: how many were asked for.
        confidence: of the number that is replaced at most.
        found: of each endpoint.
        wanted: says which values are the best ones.
    """

    size: int
    confidence: float
    found: dict[str, Best]
    wanted: dict[str, EndpointParams]

    def with_columns(self, table: pa.Table) -> pa.Table:
        """Rows of the output with two more columns for each endpoint, before `rejected`."""
        molecules = table.column("standardized").to_pylist()
        rejected = np.array(table.column("rejected").to_pylist(), dtype=object) != ""
        for name, best in self.found.items():
            places = {str(text): place for place, text in enumerate(best.smiles)}
            rows = np.array([places.get(text, -1) for text in molecules], dtype=np.int64)
            chance = np.where(rows < 0, 0.0, np.append(best.chance, 0.0)[rows])
            among = ((rows >= 0) & (rows < best.size)).astype(np.int8)
            at = table.num_columns - 1
            table = table.add_column(at, f"{name}{TOP}", pa.array(among, pa.int8(), mask=rejected))
            table = table.add_column(at + 1, f"{name}{RETRAINED}", pa.array(chance, mask=rejected))
        return table

    def described(self, name: str) -> dict[str, Any]:
        """The endpoint's entry `top` of the summary."""
        best = self.found[name]
        return {
            "asked": self.size,
            "molecules": best.size,
            "want": self.wanted[name].want or "high",
            "replaced_expected": best.expected,
            "replaced_bound": best.most,
            "confidence": self.confidence,
        }

    def sentence(self, name: str) -> str:
        """How many of the best ones would be others, in words."""
        best = self.found[name]
        which = {"high": "highest", "low": "lowest", "range": "best"}[self.wanted[name].want or "high"]
        if best.size < self.size:
            return f"All of them are among the {self.size:,} {which}."
        return (
            f"Of the {best.size:,} {which}, a retrained ensemble would replace "
            f"{few_words(best.expected, best.most)} ({100 * self.confidence:g} % sure)."
        )


def best_molecules(
    ensemble: Ensemble, parts: Iterable[Sequence[Candidates]], top: int
) -> dict[str, Candidates]:
    """The candidates of each endpoint over all parts of a list; nothing without a part."""
    found: dict[str, Candidates] = {}
    for part in parts:
        for name, own in zip(ensemble.endpoints, part, strict=True):
            mode, wanted = ensemble.combining(name).mode, ensemble.wanted(name)
            found[name] = joined(found[name], own, wanted, top, mode) if name in found else own
    return found


def best_rows(ensemble: Ensemble, parts: Iterable[bytes], top: int) -> BestRows:
    """The best `top` molecules of a list by endpoint.

    Args:
        ensemble: that predicted them.
        parts: the candidates of each chunk in order, as `to_bytes` has them. One is held at a time.
        top: how many are asked for.
    """
    confidence = ensemble.about["confidence"]
    kept = best_molecules(ensemble, map(from_bytes, parts), top)
    found = {}
    for name in ensemble.endpoints:
        own = kept.get(name, NOBODY)
        # draws what retrained ensembles may say; no replicate depends on it
        rng = np.random.default_rng(0)
        mode, wanted = ensemble.combining(name).mode, ensemble.wanted(name)
        found[name] = best_of(own, wanted, top, confidence, rng, mode=mode)
    return BestRows(top, confidence, found, {name: ensemble.wanted(name) for name in found})
