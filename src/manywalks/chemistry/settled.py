"""Molecules that standardizing leaves as they are, found by tests that take a tenth of its time.

Each condition rules out what a step of ChEMBL's pipeline could act on; one that cannot be ruled out goes the
whole way. That RDKit writes the molecule as it read it is for the caller to see.

| step | acts on | ruled out by |
|---|---|---|
| metals off their acids, exclusion | metals | the elements of `_PLAIN` |
| substance groups, drawing | CXSMILES, coordinates | a SMILES has none |
| hydrogens | atoms that are hydrogens, isotopes | the brackets of `_PLAIN` |
| normalizing | sulfoxides, O=S-C, imidic acids, bare halogens, diazonium | `_TOUCHED`, `_PLAIN` |
| | neutral N of four bonds, O of three | RDKit, which does not read them |
| uncharging | charges that no neighbour balances | brackets of `_PLAIN`, N+ beside O- by `_TOUCHED` |
| tartrate | a fragment of ten atoms with marked centres | their number |
| salts, solvents, mixtures | several parts | no dot in `_PLAIN` |
"""

import re
from functools import lru_cache

from rdkit import Chem

_PLAIN = re.compile(r"(?:[BCNOPSFIbcnopslr=#/\\()%0-9-]|\[(?:C@@?H?|nH|[Nn]\+|O-)\])+")
_TOUCHED = (
    "[$([#16;D2,D3]=O),$([CX3](=N)[OH1]),"  # of the normalizer's patterns more than they ask for
    "$([#7+;!$([#7X3H0v4][O-])]),$([#7+]([O-])[O-]),$([O-;!$([O-][#7+])])]"
)
TARTRATE = 10  # heavy atoms


def is_settled(smiles: str, mol: Chem.Mol) -> bool:
    """Whether each step of the pipeline is sure to leave `mol` as it is.

    Args:
        smiles: canonical.
        mol: what RDKit reads in it.
    """
    if not _PLAIN.fullmatch(smiles) or (mol.GetNumAtoms() == TARTRATE and "@" in smiles):
        return False
    # imidic acids have a C=N, all others an S or a charge
    may_be = "S" in smiles or "[" in smiles or ("N" in smiles and "O" in smiles and "=" in smiles)
    return not (may_be and mol.HasSubstructMatch(_touched()))


@lru_cache(maxsize=1)
def _touched() -> Chem.Mol:
    return Chem.MolFromSmarts(_TOUCHED)
