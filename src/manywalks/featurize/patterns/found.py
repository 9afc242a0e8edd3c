"""Where patterns begin in a molecule, and how often: in compiled code, or by RDKit."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from rdkit import Chem

from manywalks.featurize.patterns.compile import PatternSet
from manywalks.featurize.patterns.graph import Graph
from manywalks.featurize.patterns.match import counts_at, host_of, labels


class Found:
    """Where patterns are in a molecule, by RDKit: of one with bonds that `graph_of` does not know."""

    def __init__(self, mol: Chem.Mol) -> None:
        self._mol = mol

    def first(self, patterns: Sequence[str]) -> dict[int, int]:
        """Atom -> place of the first pattern that begins at it."""
        found: dict[int, int] = {}
        for place, smarts in enumerate(patterns):
            # of matches with the same atoms RDKit gives one, though another may begin elsewhere
            for match in self._mol.GetSubstructMatches(_pattern(smarts), uniquify=False):
                found.setdefault(match[0], place)
        return found

    def times(self, patterns: Sequence[str], atoms: Sequence[int]) -> np.ndarray:
        """How many different sets of atoms match each pattern from each of some atoms: (k, atoms)."""
        found = np.zeros((len(patterns), len(atoms)), dtype=np.int64)
        for place, smarts in enumerate(patterns):
            matches = self._mol.GetSubstructMatches(_pattern(smarts), uniquify=False)
            for first, _ in {(match[0], frozenset(match)) for match in matches}:
                if first in atoms:
                    found[place, list(atoms).index(first)] += 1
        return found


class FoundAtOnce:
    """The same from a molecule's arrays, all patterns in compiled code."""

    def __init__(self, graph: Graph, patterns: tuple[str, ...]) -> None:
        """`patterns` are all that will be asked for."""
        self._known = _compiled(patterns)
        self._given = host_of(self._known.table(graph), graph, self._known.patterns), self._known.patterns

    def first(self, patterns: Sequence[str]) -> dict[int, int]:
        """Atom -> place of the first pattern that begins at it."""
        found = labels(self._known.places(patterns), *self._given)
        return {atom: place for atom, place in enumerate(found.tolist()) if place >= 0}

    def times(self, patterns: Sequence[str], atoms: Sequence[int]) -> np.ndarray:
        """How many different sets of atoms match each pattern from each of some atoms: (k, atoms)."""
        return counts_at(self._known.places(patterns), np.array(atoms, dtype=np.int64), *self._given)


@cache
def _compiled(patterns: tuple[str, ...]) -> PatternSet:
    return PatternSet(patterns)


@cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)
