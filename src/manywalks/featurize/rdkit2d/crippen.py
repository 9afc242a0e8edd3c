"""Wildman and Crippen's contributions of atoms to log P and molar refractivity, by RDKit's own table.

J. Chem. Inf. Comput. Sci. 39 (1999) 868. The first pattern of the table that begins at an atom says what it
gives; hydrogens are atoms there, of which those of a carbon are alike, so that one stands for all.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
from rdkit.Chem import Crippen

from manywalks.featurize.patterns.compile import PatternSet
from manywalks.featurize.patterns.expression import SINGLE
from manywalks.featurize.patterns.graph import Graph
from manywalks.featurize.patterns.match import host_of, labels

# the file's patterns for hydrogens on other elements take in aromatic N; those in RDKit's own code do not
_ELEMENTS = {"[!C;!N;!O;!S]": "[!#6;!#7;!#8;!#16]", "[!C;!N;!O]": "[!#6;!#7;!#8]"}


class Table(NamedTuple):
    """Patterns in order, and what each gives: log P and refractivity (k + 1, 2), the last for none."""

    patterns: PatternSet
    which: np.ndarray
    gives: np.ndarray


class Contributions(NamedTuple):
    """Of the atoms (n, 2), and of the whole molecule with its hydrogens (2,): log P and refractivity."""

    atoms: np.ndarray
    total: np.ndarray


@cache
def crippen_table() -> Table:
    """RDKit's table, in the order of its file."""
    smarts, gives = [], []
    with Path(Crippen.defaultPatternFileName).open(encoding="utf-8") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if not line.startswith("#") and len(cells) >= 4 and cells[0] and cells[1] != "SMARTS":
                text = cells[1]
                for written, meant in _ELEMENTS.items() if text.startswith("[#1]") else ():
                    text = text.replace(written, meant)
                smarts.append(text)
                gives.append((float(cells[2]), float(cells[3] or 0)))
    patterns = PatternSet(smarts)
    return Table(patterns, patterns.places(smarts), np.array([*gives, (0.0, 0.0)]))


# the last molecule's: descriptors and ionization ask for the same
_last: "tuple[Graph, Contributions] | None" = None


def contributions(graph: Graph) -> Contributions:
    """What the atoms of a molecule give."""
    global _last
    if _last is None or _last[0] is not graph:
        _last = graph, _contributions(graph)
    return _last[1]


def _contributions(graph: Graph) -> Contributions:
    """The same, worked out."""
    table = crippen_table()
    whole, each = with_hydrogens(graph)
    rows = table.patterns.table(whole)
    given = table.gives[_first(table.which, rows, whole, table.patterns.patterns)]
    n = len(graph.number)
    atoms = given[:n]
    return Contributions(atoms, atoms.sum(axis=0) + each @ given[n:])


@numba.njit(cache=True)
def _first(which, table, graph, patterns):  # pragma: no cover
    """The first pattern that begins at each atom: one call, since each reads all arrays anew."""
    return labels(which, host_of(table, graph, patterns), patterns)


@numba.njit(cache=True, error_model="numpy")
def with_hydrogens(graph):  # pragma: no cover
    """The molecule with hydrogens as atoms, one at each carbon; how many each of these stands for: (h,)."""
    n = len(graph.number)
    copies = np.where(graph.number == 6, np.minimum(graph.hydrogens, 1), graph.hydrogens)
    more = copies.sum()
    holders, each = np.empty(more, np.int64), np.empty(more)
    none = np.zeros(more, np.int64)
    ones = np.ones(more, np.int64)
    starts = np.zeros(n + more + 1, np.int64)
    neighbours = np.empty(len(graph.neighbours) + 2 * more, np.int64)
    bonds = np.empty(len(neighbours), np.int64)
    at, hydrogen = 0, n
    for i in range(n):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            neighbours[at], bonds[at] = graph.neighbours[k], graph.bonds[k]
            at += 1
        for _ in range(copies[i]):
            holders[hydrogen - n] = i
            each[hydrogen - n] = graph.hydrogens[i] / copies[i]
            neighbours[at], bonds[at] = hydrogen, 1 << SINGLE
            at += 1
            hydrogen += 1
        starts[i + 1] = at
    for k in range(more):
        neighbours[at], bonds[at] = holders[k], 1 << SINGLE
        at += 1
        starts[n + k + 1] = at
    left = graph.hydrogens - copies
    whole = Graph(
        np.concatenate((graph.number, ones)),
        np.concatenate((graph.aromatic, none)),
        np.concatenate((graph.charge, none)),
        np.concatenate((left, none)),
        np.concatenate((graph.valence, ones)),
        np.concatenate((graph.isotope, none)),
        np.concatenate((graph.radicals, none)),
        np.concatenate((graph.hybrid, none)),
        starts,
        neighbours,
        bonds,
        np.concatenate((graph.rings, none)),
        np.concatenate((graph.ring, none)),
        graph.members,
        graph.sizes,
    )
    return whole, each
