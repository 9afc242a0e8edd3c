"""Many SMARTS patterns -> arrays for the compiled matcher.

Each different thing that a pattern asks of an atom is a column of a table of atoms by columns. What follows
from the atom alone (element, charge, hydrogens, rings) is worked out once for each kind of atom and
remembered; what asks for the surroundings follows from patterns of its own, inner ones first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from manywalks.featurize.patterns.expression import Leaf, Node, Tree, atom_tree, bond_mask, recursive
from manywalks.featurize.patterns.graph import FIELDS, Graph, atom_fields

AROUND, LOGIC = 0, 1  # kinds of steps
NOT, AND, OR = -1, -2, -3  # operators among the columns of a logic step
REMEMBERED = 50_000  # kinds of atoms; 100,000 real molecules have 4,000


class Patterns(NamedTuple):
    """Compiled patterns; those that were given come first, then those that they ask for around an atom.

    Attributes:
        first: pattern p has the atoms first[p] : first[p + 1]; int64 (p + 1,).
        atoms: of each atom the column that says what it must be, the place within the pattern of an earlier
            atom that it is bound to (-1: of none), the bonds that it may be bound by, and which of `closures`
            are its further bonds (first and last + 1); int64 (a, 5).
        closures: place of the earlier atom, and mask; int64 (c, 2).
        steps: how columns that are no properties are made, in order: kind, column, and the pattern (AROUND)
            or the part of `program` (LOGIC: first and last + 1); int64 (s, 4).
        program: columns and operators in postfix order.
        n_columns: of the table.
    """

    first: np.ndarray
    atoms: np.ndarray
    closures: np.ndarray
    masks: np.ndarray
    steps: np.ndarray
    program: np.ndarray
    n_columns: int


class PatternSet:
    """Patterns with what is known about kinds of atoms so far."""

    def __init__(self, smarts: Sequence[str]) -> None:
        self._smarts = list(dict.fromkeys(smarts))
        self.place = {text: place for place, text in enumerate(self._smarts)}
        compiler = _Compiler()
        queries = [_query(text) for text in self._smarts]
        self.patterns = compiler.compiled(queries)
        self._trees = compiler.trees
        self._known: dict[int, int] = {}
        self._rows = np.zeros((1024, self.patterns.n_columns), dtype=np.uint8)

    def places(self, smarts: Sequence[str]) -> np.ndarray:
        """Where patterns are among those of the set: int64 (k,)."""
        return np.array([self.place[text] for text in smarts], dtype=np.int64)

    def table(self, graph: Graph) -> np.ndarray:
        """Atoms by columns, uint8 (n, n_columns), columns of single atoms filled in."""
        fields, codes = atom_fields(graph)
        known = self._known
        rows = [known.get(code, -1) for code in codes.tolist()]
        if -1 in rows:
            if len(known) > REMEMBERED:
                known.clear()
            rows = [self._row(code, fields[atom]) for atom, code in enumerate(codes.tolist())]
        return self._rows[rows]

    def _row(self, code: int, fields: np.ndarray) -> int:
        """Where a kind of atom is in the rows, which it is added to."""
        place = self._known.get(code)
        if place is None:
            place = self._known[code] = len(self._known)
            if place == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            values: dict[str, int] = dict(zip(FIELDS, fields.tolist(), strict=True))
            for tree, column in self._trees.items():
                self._rows[place, column] = _holds(tree, values)
        return place


class _Compiler:
    """Collects columns, steps and patterns."""

    def __init__(self) -> None:
        self.trees: dict[Tree, int] = {}
        self.n_columns = 0
        self.around: dict[str, int] = {}
        self.logic: dict[Tree, int] = {}
        self.steps: list[tuple[int, int, int, int]] = []
        self.program: list[int] = []
        self.inner: list[list[_Atom]] = []

    def compiled(self, queries: Sequence[Chem.Mol]) -> Patterns:
        """The arrays of the given patterns and of the inner ones."""
        self.n_given = len(queries)
        sequences = [self._sequence(query) for query in queries]
        sequences += self.inner
        atoms = [atom for sequence in sequences for atom in sequence]
        sizes = [len(sequence) for sequence in sequences]
        closures = [closure for atom in atoms for closure in atom.closures]
        ends = _starts([len(atom.closures) for atom in atoms])
        masks = sorted({atom.mask for atom in atoms} | {mask for _, mask in closures})
        own = [(atom.column, atom.parent, masks.index(atom.mask)) for atom in atoms]
        more = [(place, masks.index(mask)) for place, mask in closures]
        return Patterns(
            first=_starts(sizes),
            atoms=np.column_stack([np.array(own, dtype=np.int64).reshape(-1, 3), ends[:-1], ends[1:]]),
            closures=np.array(more, dtype=np.int64).reshape(-1, 2),
            masks=np.array(masks, dtype=np.int64),
            steps=np.array(self.steps, dtype=np.int64).reshape(-1, 4),
            program=np.array(self.program, dtype=np.int64),
            n_columns=self.n_columns,
        )

    def _sequence(self, query: Chem.Mol) -> "list[_Atom]":
        """A pattern's atoms from its first one on, each behind one that it is bound to."""
        place: dict[int, int] = {}
        sequence: list[_Atom] = []
        for start in range(query.GetNumAtoms()):
            waiting = [(start, -1, 0)]
            while waiting:
                index, parent, mask = waiting.pop()
                if index in place:
                    continue
                atom = query.GetAtomWithIdx(index)
                bonds = [
                    (bond.GetOtherAtomIdx(index), bond_mask(bond.GetSmarts())) for bond in atom.GetBonds()
                ]
                back = [(place[other], one) for other, one in bonds if other in place]
                closures = tuple(pair for pair in back if pair[0] != parent)
                place[index] = len(sequence)
                sequence.append(_Atom(self._column(atom_tree(atom.GetSmarts())), parent, mask, closures))
                waiting += [(other, place[index], one) for other, one in bonds if other not in place]
        return sequence

    def _column(self, tree: Tree) -> int:
        """The column of what is asked of an atom."""
        if not recursive(tree):
            if tree not in self.trees:
                self.trees[tree] = self._new_column()
            return self.trees[tree]
        if isinstance(tree, Leaf):
            return self._around(str(tree.value))
        if tree not in self.logic:
            words = self._postfix(tree)
            column = self.logic[tree] = self._new_column()
            start = len(self.program)
            self.program += words
            self.steps.append((LOGIC, column, start, len(self.program)))
        return self.logic[tree]

    def _postfix(self, tree: Tree) -> list[int]:
        """A tree as columns and operators; parts that ask for the atom alone are one column each."""
        if isinstance(tree, Leaf) or not recursive(tree):
            return [self._column(tree)]
        if tree.kind == "not":
            return [*self._postfix(tree.parts[0]), NOT]
        alone = tuple(part for part in tree.parts if not recursive(part))
        parts = [Node(tree.kind, alone), *(part for part in tree.parts if recursive(part))]
        words = [self._postfix(part) for part in parts if part != Node(tree.kind, ())]
        operator = AND if tree.kind == "and" else OR
        return words[0] + [word for more in words[1:] for word in (*more, operator)]

    def _around(self, smarts: str) -> int:
        """The column of a pattern that must begin at the atom."""
        if smarts not in self.around:
            sequence = self._sequence(_query(smarts))
            column = self.around[smarts] = self._new_column()
            place = len(self.inner)
            self.inner.append(sequence)
            self.steps.append((AROUND, column, self.n_given + place, 0))
        return self.around[smarts]

    def _new_column(self) -> int:
        self.n_columns += 1
        return self.n_columns - 1


class _Atom(NamedTuple):
    """An atom of a pattern, as in `Patterns`."""

    column: int
    parent: int
    mask: int
    closures: tuple[tuple[int, int], ...]


def _query(smarts: str) -> Chem.Mol:
    """RDKit's pattern of a SMARTS."""
    query = Chem.MolFromSmarts(smarts)
    if query is None:
        raise ValueError(f"RDKit does not read the SMARTS {smarts!r}")
    return query


def _starts(sizes: Sequence[int]) -> np.ndarray:
    """Where each of several runs begins, and the end: int64 (k + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _holds(tree: Tree, values: dict[str, int]) -> bool:
    """Whether an atom with these properties is what a tree asks for."""
    if isinstance(tree, Node):
        if tree.kind == "not":
            return not _holds(tree.parts[0], values)
        return (all if tree.kind == "and" else any)(_holds(part, values) for part in tree.parts)
    if tree.field == "any":
        return True
    if tree.field == "in_ring":
        return values["rings"] > 0
    return values[tree.field] == tree.value
