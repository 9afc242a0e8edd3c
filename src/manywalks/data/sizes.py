"""How large the molecules of a table are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

# so many molecules are looked at, evenly over the table
LOOKED_AT = 2000
# the share of them that is to have a slot for each atom
SHARE = 0.995
LEAST, MOST = 24, 120


def slots_for(smiles: Sequence[Any]) -> int:
    """Slots for the atoms of nearly all molecules: a multiple of 4, from 24 to 120.

    Every molecule of a graph network costs as much as one that fills its slots. Salts do not count: they are
    removed.
    """
    texts = [text for text in smiles if isinstance(text, str)]
    chosen = texts[:: max(1, len(texts) // LOOKED_AT)]
    sizes = []
    with rdBase.BlockLogs():
        for text in chosen:
            mol = Chem.MolFromSmiles(max(text.split("."), key=len))
            if mol is not None:
                sizes.append(mol.GetNumAtoms())
    most = np.quantile(sizes, SHARE) if sizes else MOST
    return int(np.clip(4 * np.ceil(most / 4), LEAST, MOST))
