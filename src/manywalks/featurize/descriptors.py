"""Real-valued descriptors of a molecule: RDKit's whole 2D list, and a short readable one."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from rdkit import Chem
from rdkit.Chem import Descriptors

Descriptor = Callable[[Chem.Mol], float]
PHYSCHEM = (
    "MolWt", "MolLogP", "MolMR", "TPSA", "NumHDonors", "NumHAcceptors", "NumRotatableBonds",
    "RingCount", "NumAromaticRings", "NumAliphaticRings", "HeavyAtomCount", "NumHeteroatoms",
    "FractionCSP3", "LabuteASA", "qed", "MaxPartialCharge", "MinPartialCharge",
)  # fmt: skip
# Ipc grows past 1e300 for large molecules: hold every value within float32, keeping its rank
LARGEST = 1e30
# what RDKit's descriptors raise where they have no value (no atoms, an element without parameters)
NO_VALUE = (ValueError, RuntimeError, ArithmeticError, LookupError)


@cache
def descriptor_functions() -> dict[str, Descriptor]:
    """RDKit's 2D descriptors by name, in RDKit's order."""
    return dict(Descriptors._descList)


def descriptors(mols: Sequence[Chem.Mol], names: Sequence[str]) -> np.ndarray:
    """The named RDKit descriptors: n molecules -> float32 (n, d), NaN where RDKit has no value."""
    functions = [descriptor_functions()[name] for name in names]
    # molecule by molecule, since RDKit keeps on the molecule what several descriptors share
    rows = [[_value(function, mol) for function in functions] for mol in mols]
    return finite(np.array(rows, dtype=np.float64).reshape(len(mols), len(names)))


def _value(function: Descriptor, mol: Chem.Mol) -> float:
    """One descriptor of one molecule; NaN where RDKit has no value for it."""
    try:
        return float(function(mol))
    except NO_VALUE:
        return float("nan")


def finite(values: np.ndarray) -> np.ndarray:
    """float64 (n, d) -> float32 with infinities as NaN and overflows held at +-1e30."""
    values = np.where(np.isfinite(values), values, np.nan)
    return np.clip(values, -LARGEST, LARGEST).astype(np.float32)
