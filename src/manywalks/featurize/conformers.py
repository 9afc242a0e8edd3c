"""Shape descriptors of one conformer a molecule: ETKDG coordinates, relaxed with MMFF94."""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.Chem import AllChem, rdMolDescriptors

from manywalks.featurize.descriptors import NO_VALUE, finite

SHAPE = {
    "PMI1": rdMolDescriptors.CalcPMI1,
    "PMI2": rdMolDescriptors.CalcPMI2,
    "PMI3": rdMolDescriptors.CalcPMI3,
    "NPR1": rdMolDescriptors.CalcNPR1,
    "NPR2": rdMolDescriptors.CalcNPR2,
    "RadiusOfGyration": rdMolDescriptors.CalcRadiusOfGyration,
    "InertialShapeFactor": rdMolDescriptors.CalcInertialShapeFactor,
    "Eccentricity": rdMolDescriptors.CalcEccentricity,
    "Asphericity": rdMolDescriptors.CalcAsphericity,
    "SpherocityIndex": rdMolDescriptors.CalcSpherocityIndex,
    "PBF": rdMolDescriptors.CalcPBF,
}
USR = 12  # ultrafast shape recognition: three moments of the distances to four points
CONFORMER = (*SHAPE, *(f"USR{moment}" for moment in range(1, USR + 1)))
ATTEMPTS = 20  # ETKDG's tries at a molecule; without a bound, some cages never end
STEPS = 500  # MMFF94 iterations


def conformer3d(mols: Sequence[Chem.Mol], seed: int) -> np.ndarray:
    """Shape of one conformer: n molecules -> float32 (n, 23), NaN where none could be embedded.

    Lengths in angstrom, moments of inertia in dalton angstrom^2. The start coordinates follow from `seed`:
    another seed is another conformer, the same one gives the same values in any order of molecules.
    """
    rows = [_shape(mol, seed) for mol in mols]
    return finite(np.array(rows, dtype=np.float64).reshape(len(mols), len(CONFORMER)))


def _shape(mol: Chem.Mol, seed: int) -> list[float]:
    """The descriptors of one molecule's conformer."""
    none = [float("nan")] * len(CONFORMER)
    embedded = Chem.AddHs(mol)
    settings = AllChem.ETKDGv3()  # pyright: ignore[reportAttributeAccessIssue]
    settings.randomSeed = seed
    settings.maxIterations = ATTEMPTS
    try:
        if AllChem.EmbedMolecule(embedded, settings) < 0:  # pyright: ignore[reportAttributeAccessIssue]
            return none
        if AllChem.MMFFHasAllMoleculeParams(embedded):  # pyright: ignore[reportAttributeAccessIssue]
            AllChem.MMFFOptimizeMolecule(embedded, maxIters=STEPS)  # pyright: ignore[reportAttributeAccessIssue]
        usr = rdMolDescriptors.GetUSR(embedded) if mol.GetNumAtoms() > 2 else none[-USR:]
        return [*(function(embedded) for function in SHAPE.values()), *usr]
    except NO_VALUE:
        return none
