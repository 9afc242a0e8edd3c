"""What a split asks of its molecules, each read once: tautomer keys, scaffolds, fingerprints."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

WORDS = 32  # of a fingerprint of 2,048 bits


class Facts(NamedTuple):
    """Of n molecules, in their order; None where nothing asks for it.

    Attributes:
        tautomers: keys that tautomers share (n,).
        scaffolds: Bemis-Murcko scaffolds without stereo (n,); acyclic molecules share the empty one.
        bits: Morgan fingerprints of radius 2, uint64 (n, 32).
    """

    tautomers: list[str] | None
    scaffolds: list[str] | None
    bits: np.ndarray | None

    def take(self, rows: np.ndarray) -> "Facts":
        """The facts of the given rows, in that order."""
        tautomers, scaffolds = (
            None if one is None else [one[row] for row in rows] for one in (self.tautomers, self.scaffolds)
        )
        return Facts(tautomers, scaffolds, None if self.bits is None else self.bits[rows])


def facts_of(
    smiles: Sequence[str],
    *,
    key: Callable[[Chem.Mol], str] | None = None,
    scaffolds: bool = False,
    bits: bool = False,
) -> Facts:
    """Read n molecules and work out what is asked for; `key` makes the key of tautomers of a molecule."""
    keys: list[str] = []
    cores: list[str] = []
    prints = np.empty((len(smiles) if bits else 0, WORDS), dtype=np.uint64)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=64 * WORDS)
    with rdBase.BlockLogs():
        for row, text in enumerate(smiles):
            mol = Chem.MolFromSmiles(text)
            if mol is None:
                raise ValueError(f"{text!r} is not a molecule; curate the table first")
            if bits:
                one = generator.GetFingerprintAsNumPy(mol)
                prints[row] = np.packbits(one, bitorder="little").view(np.uint64)
            if scaffolds:
                cores.append(MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False))
            if key is not None:  # the last: it takes the marks of stereo off the molecule
                keys.append(key(mol))
    return Facts(None if key is None else keys, cores if scaffolds else None, prints if bits else None)
