"""A molecule's 2D descriptors by name, with the values of RDKit's functions.

Most are worked out from arrays (`numbers`, `matched`, `crippen`), the others by RDKit's own code. A molecule
with a bond that the arrays do not know (dative, zero order), or with hydrogens that are atoms (deuterium),
which some functions leave out and others do not, has all of them from RDKit's functions.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from rdkit import Chem
from rdkit.Chem import QED, Descriptors, rdFingerprintGenerator, rdMolDescriptors, rdPartialCharges

from manywalks.featurize.circular import different, surroundings
from manywalks.featurize.patterns.graph import Graph, graph_of
from manywalks.featurize.rdkit2d import numbers
from manywalks.featurize.rdkit2d.crippen import contributions
from manywalks.featurize.rdkit2d.distances import plain_distances
from manywalks.featurize.rdkit2d.matched import Matched, desirability, desirability_table, matched
from manywalks.featurize.rdkit2d.rings import cycles_without, overlaps
from manywalks.featurize.rdkit2d.spacial import spacial_score

Values = dict[str, float]
Descriptor = Callable[[Chem.Mol], float]
NAN = float("nan")
# what RDKit's descriptors raise where they have no value (no atoms, an element without parameters)
NO_VALUE = (ValueError, RuntimeError, ArithmeticError, LookupError)
_RADII = (1, 2, 3)
# RDKit's own code, which reads what it knows of the molecule already
_BY_RDKIT: dict[str, Descriptor] = {
    name: getattr(rdMolDescriptors, f"Calc{name}")
    for name in (
        "HallKierAlpha", "Kappa1", "TPSA", "FractionCSP3", "ExactMolWt", "NumAmideBonds",
        "NumAtomStereoCenters", "NumUnspecifiedAtomStereoCenters",
    )
}  # fmt: skip
_BY_RDKIT["NOCount"] = rdMolDescriptors.CalcNumLipinskiHBA
_BY_RDKIT["NHOHCount"] = rdMolDescriptors.CalcNumLipinskiHBD
_BY_RDKIT["MolWt"] = rdMolDescriptors._CalcMolWt


@cache
def descriptor_functions() -> dict[str, Descriptor]:
    """RDKit's 2D descriptors by name, in RDKit's order."""
    return dict(Descriptors._descList)


def values_of(mol: Chem.Mol) -> Values:
    """All that is made here of a sanitized molecule; none of a molecule that the arrays do not know."""
    atoms = list(mol.GetAtoms())
    graph = graph_of(mol, atoms)
    if graph is None or (graph.number == 1).any():
        return {}
    values = {name: value(function, mol) for name, function in _BY_RDKIT.items()}
    values["HeavyAtomMolWt"] = rdMolDescriptors._CalcMolWt(mol, True)
    given = contributions(graph)
    values["MolLogP"], values["MolMR"] = given.total.tolist()
    charges, all_known = _charges(mol, atoms)
    table = numbers.elements()
    # of isotopes only the atoms know the mass
    masses = np.array([atom.GetMass() for atom in atoms]) if graph.isotope.any() else table.mass[graph.number]
    properties = masses, charges, given.atoms
    found = numbers.numbers(graph, plain_distances(graph), properties, values["HallKierAlpha"], table)
    values |= zip(numbers.NAMES, found.tolist(), strict=True)
    if not all_known:
        functions = descriptor_functions()
        values |= {name: value(functions[name], mol) for name in numbers.OF_CHARGES}
    heavy = values["HeavyAtomCount"]
    values["Phi"] = values["Kappa1"] * values["Kappa2"] / heavy if heavy else NAN
    values["SPS"] = spacial_score(mol, graph) if heavy else NAN
    values |= _of_rings(mol, graph)
    values |= _densities(mol, graph, heavy)
    patterns = matched(graph)
    values |= {name: float(count) for name, count in patterns.counts.items() if count >= 0}
    values["qed"] = _qed(mol, graph, values, patterns)
    return values


def value(function: Descriptor, mol: Chem.Mol) -> float:
    """One descriptor of one molecule; NaN where RDKit has no value for it."""
    try:
        return float(function(mol))
    except NO_VALUE:
        return NAN


def _of_rings(mol: Chem.Mol, graph: Graph) -> Values:
    """Atoms of two rings; RDKit looks for them, which takes longest, only where rings overlap so."""
    one, several = overlaps(graph)
    return {
        "NumSpiroAtoms": rdMolDescriptors.CalcNumSpiroAtoms(mol) if one else 0,
        "NumBridgeheadAtoms": rdMolDescriptors.CalcNumBridgeheadAtoms(mol) if several else 0,
    }


@cache
def _generators() -> list[rdFingerprintGenerator.FingerprintGenerator64]:
    return [rdFingerprintGenerator.GetMorganGenerator(radius) for radius in _RADII]


def _densities(mol: Chem.Mol, graph: Graph, heavy: float) -> Values:
    """How many different surroundings there are for each heavy atom."""
    around = surroundings(graph)
    if around is None:
        found = [len(one.GetSparseCountFingerprint(mol).GetNonzeroElements()) for one in _generators()]
    else:
        found = different(*around)[1:].tolist()
    return {f"FpDensityMorgan{r}": n / heavy if heavy else 0.0 for r, n in zip(_RADII, found, strict=True)}


def _charges(mol: Chem.Mol, atoms: list[Chem.Atom]) -> tuple[np.ndarray, bool]:
    """Gasteiger's charges (n,), and whether he has parameters for all atoms and they are numbers."""
    known = True
    try:
        rdPartialCharges.ComputeGasteigerCharges(mol, 12, True)
    except NO_VALUE:
        known = False
        rdPartialCharges.ComputeGasteigerCharges(mol)
    charges = np.array([atom.GetDoubleProp("_GasteigerCharge") for atom in atoms])
    return charges, known and bool(np.isfinite(charges).all())


def _qed(mol: Chem.Mol, graph: Graph, values: Values, patterns: Matched) -> float:
    """RDKit's quantitative estimate of drug-likeness, of properties that are known here already."""
    if patterns.acceptors < 0:
        return value(QED.qed, mol)
    given = (
        values["MolWt"],
        values["MolLogP"],
        patterns.acceptors,
        values["NumHDonors"],
        values["TPSA"],
        values["NumRotatableBonds"],
        cycles_without(graph, patterns.not_aromatic),
        patterns.alerts,
    )
    return desirability(np.array(given, dtype=np.float64), *desirability_table())
