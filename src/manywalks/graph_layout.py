"""Where the block `graph` keeps a molecule's atoms and bonds: named columns of small whole numbers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from manywalks.features import Features

PREFIX = "graph"
# 1 where the molecule has more atoms or bonds than there are slots; its other columns are then 0
LARGER = f"{PREFIX}:larger"
ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P", "B", "Si", "Se")
# fields of an atom, and how many values each may have; `element` is 0 in a slot without an atom
ATOM_FIELDS = {
    "element": len(ELEMENTS) + 2,  # the last: any other
    "degree": 7,  # hydrogens included
    "charge": 6,  # 0 is none; 1 and 2 positive, 3 and 4 negative, 5 beyond that
    "hydrogens": 5,
    "hybridization": 5,  # SP, SP2, SP3, SP3D or more; 0 is any other
    "aromatic": 2,
    "ring": 8,  # 0 is none; smallest ring of 3, 4, 5, 6, 7, 8, or more atoms
    "chirality": 3,  # 0 is none; R, S
}
BOND_FIELDS = ("from", "to", "kind")
# of a bond, from 1 on; 0 in a slot without a bond
BOND_KINDS = ("single", "ring", "double", "triple", "aromatic", "E", "Z", "other")
# what a network sends along different bonds is transformed differently: by these five
RELATIONS = ("single", "ring", "double", "triple", "aromatic")
# the relation of each kind of bond; the first is of the empty slots, along which nothing is sent
RELATION_OF_KIND = (0, 0, 1, 2, 3, 4, 2, 2, 0)


@dataclass(frozen=True)
class GraphLayout:
    """The columns of the block, in order: `larger`, each field of all atoms, each field of all bonds.

    Attributes:
        max_atoms: slots for atoms.
    """

    max_atoms: int

    @property
    def max_bonds(self) -> int:
        """Slots for bonds: of drug-like molecules, 1 in 2,000 has more bonds for its atoms."""
        return self.max_atoms + max(2, self.max_atoms // 6)

    @property
    def width(self) -> int:
        """How many columns."""
        return 1 + len(ATOM_FIELDS) * self.max_atoms + len(BOND_FIELDS) * self.max_bonds

    @property
    def first_bond(self) -> int:
        """Where the bonds' columns begin."""
        return 1 + len(ATOM_FIELDS) * self.max_atoms

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        atoms = (f"{PREFIX}:{field}_{slot}" for field in ATOM_FIELDS for slot in range(self.max_atoms))
        bonds = (f"{PREFIX}:bond_{field}_{slot}" for field in BOND_FIELDS for slot in range(self.max_bonds))
        return (LARGER, *atoms, *bonds)


def larger(features: Features) -> np.ndarray:
    """Which of n molecules have no place in the block's slots: bool (n,); none where there is no block."""
    if LARGER not in features.names:
        return np.zeros(len(features), dtype=bool)
    place = features.names.index(LARGER) - (features.width - features.dense.shape[1])
    return features.dense[:, place] == 1
