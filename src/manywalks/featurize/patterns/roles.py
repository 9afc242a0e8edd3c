"""The part that each atom may take in binding: donor, acceptor, base, acid and others, as RDKit has them.

Feature Morgan fingerprints and ErG ask for almost the same; both are found in one pass.
"""

from functools import cache
from typing import NamedTuple

import numba
import numpy as np

from manywalks.featurize.patterns.compile import Patterns, PatternSet
from manywalks.featurize.patterns.graph import Graph
from manywalks.featurize.patterns.match import host_of

_DONOR = "[$([N;!H0;v3,v4&+1]),$([O,S;H1;+0]),n&H1&+0]"
_BASE = (
    "[#7;+,$([N;H2&+0][$([C,a]);!$([C,a](=O))]),$([N;H1&+0]([$([C,a]);!$([C,a](=O))])[$([C,a]);"
    "!$([C,a](=O))]),$([N;H0&+0]([C;!$(C(=O))])([C;!$(C(=O))])[C;!$(C(=O))])]"
)
_ACID = "[$([C,S](=[O,S,P])-[O;H1,-1])]"
AROUND = (
    _DONOR,
    "[$([O,S;H1;v2;!$(*-*=[O,N,P,S])]),$([O,S;H0;v2]),$([O,S;-]),$([N;v3;!$(N-*=[O,N,P,S])]),n&H0&+0,"
    "$([o,s;+0;!$([o,s]:n);!$([o,s]:c:n)])]",
    "[a]",
    "[F,Cl,Br,I]",
    _BASE,
    _ACID,
)
POINTS = (
    _DONOR,
    "[$([O,S;H1;v2;!$(*-*=[O,N,P,S])]),$([O;H0;v2]),$([O,S;v1;-]),$([N;v3;!$(N-*=[O,N,P,S])]),n&H0&+0,"
    "$([o;+0;!$([o]:n);!$([o]:c:n)])]",
    _BASE,
    _ACID,
    "[$([C;D3,D4](-[CH3])-[CH3]),$([S;D2](-C)-C)]",
)


class Roles(NamedTuple):
    """Of each atom, as bits, int64 (n,): those of AROUND, for Morgan, and those of POINTS, for ErG."""

    around: np.ndarray
    points: np.ndarray


class _Known(NamedTuple):
    """The patterns, compiled, and the columns of each role."""

    patterns: PatternSet
    around: np.ndarray
    points: np.ndarray


# the last molecule's: both fingerprints ask for the same
_last: "tuple[Graph, Roles] | None" = None


def roles(graph: Graph) -> Roles:
    """The roles of a molecule's atoms."""
    global _last
    if _last is None or _last[0] is not graph:
        known = _known()
        table = known.patterns.table(graph)
        _last = graph, Roles(*_both(table, graph, known.patterns.patterns, known.around, known.points))
    return _last[1]


@cache
def _known() -> _Known:
    """Compiled once."""
    patterns = PatternSet([*AROUND, *POINTS])
    return _Known(
        patterns, *(_columns(patterns.patterns, patterns.places(each)) for each in (AROUND, POINTS))
    )


def _columns(patterns: Patterns, places: np.ndarray) -> np.ndarray:
    """Of patterns of one atom."""
    return patterns.atoms[patterns.first[places], 0]


@numba.njit(cache=True)
def _both(table, graph, patterns, around, points):  # pragma: no cover
    """One call, since each reads all arrays anew."""
    columns = host_of(table, graph, patterns).columns
    return _bits(columns, around, len(table)), _bits(columns, points, len(table))


@numba.njit(cache=True)
def _bits(columns, which, n):  # pragma: no cover
    """Which of some columns each of n atoms is in, as bits: int64 (n,)."""
    result = np.zeros(n, np.int64)
    for i in range(n):
        for place, column in enumerate(which):
            result[i] |= np.int64(columns[column, i >> 6] >> np.uint64(i & 63) & np.uint64(1)) << place
    return result
