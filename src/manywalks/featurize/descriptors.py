"""Real-valued descriptors of a molecule: RDKit's whole 2D list, and a short readable one."""

from collections.abc import Sequence
from functools import cache
from operator import itemgetter

import numpy as np
from rdkit import Chem

from manywalks.featurize.rdkit2d.columns import NO_VALUE, descriptor_functions, value, values_of

__all__ = ["NO_VALUE", "PHYSCHEM", "descriptor_functions", "descriptors", "finite"]
PHYSCHEM = (
    "MolWt", "MolLogP", "MolMR", "TPSA", "NumHDonors", "NumHAcceptors", "NumRotatableBonds",
    "RingCount", "NumAromaticRings", "NumAliphaticRings", "HeavyAtomCount", "NumHeteroatoms",
    "FractionCSP3", "LabuteASA", "qed", "MaxPartialCharge", "MinPartialCharge",
)  # fmt: skip
# Ipc grows past 1e300 for large molecules: hold every value within float32, keeping its rank
LARGEST = 1e30


def descriptors(mols: Sequence[Chem.Mol], names: Sequence[str]) -> np.ndarray:
    """The named RDKit descriptors: n molecules -> float32 (n, d), NaN where RDKit has no value."""
    rows = [_row(mol, names) for mol in mols]
    return finite(np.array(rows, dtype=np.float64).reshape(len(mols), len(names)))


def _row(mol: Chem.Mol, names: Sequence[str]) -> list[float]:
    """One molecule's descriptors; those that are not worked out here by RDKit's functions."""
    known = values_of(mol)
    if known and names == tuple(descriptor_functions()) and len(known) == len(names):
        return list(_in_order()(known))
    functions = descriptor_functions()
    return [known[name] if name in known else value(functions[name], mol) for name in names]


@cache
def _in_order() -> itemgetter:
    """Takes all descriptors out of a dictionary: 217 look-ups in one call."""
    return itemgetter(*descriptor_functions())


def finite(values: np.ndarray) -> np.ndarray:
    """float64 (n, d) -> float32 with infinities as NaN and overflows held at +-1e30."""
    values = np.where(np.isfinite(values), values, np.nan)
    # np.clip takes five times as long for the one row of a molecule
    return np.minimum(np.maximum(values, -LARGEST), LARGEST).astype(np.float32)
