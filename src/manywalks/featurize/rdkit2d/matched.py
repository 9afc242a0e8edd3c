"""Everything that counts patterns: RDKit's fragments, QED's acceptors and alerts, hydrogen bonds, rotors.

And what QED makes of them, a mean of desirabilities: G. R. Bickerton et al., Nature Chemistry 4 (2012) 90.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
from rdkit import Chem
from rdkit.Chem import QED, Fragments, Lipinski

from manywalks.featurize.patterns.compile import PatternSet
from manywalks.featurize.patterns.graph import Graph
from manywalks.featurize.patterns.match import counts, holds, host_of, labels

# a rotatable bond is in no ring, its atoms are no ends, not beside a triple bond and no carbons with three
# equal ends; and one of the two is neither the carbon nor the hetero atom of an amide, ester or the like
_END = "!$(*#*)&!D1" + "".join(f"&!$(C({x})({x}){x})" for x in ("F", "Cl", "Br", "[CH3]"))
_ACYL = "[CD3](=[N,O,S])-!@[#7,O,S!D1]", "[CD3](=[N+])-!@[#7!D1]"
_BY_ACYL = "[#7,O,S!D1]-!@[CD3]=[N,O,S]", "[#7!D1]-!@[CD3]=[N+]"
_FREE = "".join(f"&!$({smarts})" for smarts in (*_ACYL, *_BY_ACYL))
ROTOR = f"[{_END}{_FREE}]-,:;!@[{_END}]"
_ACCEPTOR = Chem.MolToSmarts(Lipinski.HAcceptorSmarts).replace("n&H0,", "n&H0&X2,")
# what QED takes out before it counts rings: atoms of rings that are not aromatic but bound to such
NOT_AROMATIC = "[$([A;R][!a])]"


class Counted(NamedTuple):
    """Which patterns are counted (those with a name, then QED's acceptors), and which are only looked for."""

    patterns: PatternSet
    names: tuple[str, ...]
    count: np.ndarray
    alerts: np.ndarray
    not_aromatic: np.ndarray


class Matched(NamedTuple):
    """Counts by name (-1: too many to be sure), of QED acceptors and alerts, and rings' atoms that it takes
    out (n,).
    """

    counts: dict[str, int]
    acceptors: int
    alerts: int
    not_aromatic: np.ndarray


@cache
def fragment_patterns() -> dict[str, str]:
    """RDKit's fragments: name of the descriptor -> SMARTS."""
    found = {}
    with Path(Fragments.defaultPatternFileName).open(encoding="utf-8") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if not line.startswith("#") and len(cells) >= 3:
                found[cells[0].replace("=", "_").replace("-", "_")] = cells[2]
    return found


@cache
def counted() -> Counted:
    """The patterns, compiled."""
    given = fragment_patterns() | {
        "NumHAcceptors": _ACCEPTOR,
        "NumHDonors": Chem.MolToSmarts(Lipinski.HDonorSmarts),
        "NumRotatableBonds": ROTOR,
    }
    acceptors, alerts = QED.AcceptorSmarts, QED.StructuralAlertSmarts
    patterns = PatternSet([*given.values(), *acceptors, *alerts, NOT_AROMATIC])
    return Counted(
        patterns,
        tuple(given),
        patterns.places([*given.values(), *acceptors]),
        patterns.places(alerts),
        patterns.places([NOT_AROMATIC]),
    )


def matched(graph: Graph) -> Matched:
    """What a molecule has of them."""
    asked = counted()
    table = asked.patterns.table(graph)
    each = (asked.count, asked.alerts, asked.not_aromatic)
    times, alerts, out = _all(*each, table, graph, asked.patterns.patterns)
    found = times.tolist()
    named, acceptors = found[: len(asked.names)], found[len(asked.names) :]
    return Matched(
        dict(zip(asked.names, named, strict=True)),
        sum(acceptors) if min(acceptors) >= 0 else -1,
        alerts,
        out,
    )


@numba.njit(cache=True)
def _all(count, alerts, not_aromatic, table, graph, patterns):  # pragma: no cover
    """Counts, number of alerts, and atoms that are taken out: one call, since each reads all arrays anew."""
    host = host_of(table, graph, patterns)
    found = counts(count, host, patterns)
    n_alerts = holds(alerts, host, patterns).sum()
    out = labels(not_aromatic, host, patterns) == 0
    return found, n_alerts, out.astype(np.uint8)


@cache
def desirability_table() -> tuple[np.ndarray, np.ndarray]:
    """RDKit's parameters of each property's curve, A to F and its maximum, (8, 7), and weights, (8,)."""
    curves = [tuple(QED.adsParameters[name]) for name in QED.QEDproperties._fields]
    return np.array(curves), np.array(QED.WEIGHT_MEAN, dtype=np.float64)


@numba.njit(cache=True, error_model="numpy")
def desirability(properties, curves, weights):  # pragma: no cover
    """The weighted geometric mean over properties (8,); NaN where RDKit has no number."""
    total = 0.0
    for k in range(len(properties)):
        a, b, c, d, e, f, most = curves[k]
        rise = 1 + np.exp(-(properties[k] - c + d / 2) / e)
        fall = 1 + np.exp(-(properties[k] - c - d / 2) / f)
        value = (a + b / rise * (1 - 1 / fall)) / most
        if not (value > 0 and np.isfinite(rise) and np.isfinite(fall)):
            return np.nan
        total += weights[k] * np.log(value)
    return np.exp(total / weights.sum())
