"""Fingerprints of a molecule as sparse rows: hashed counts, bits, MACCS keys, ErG."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors, rdReducedGraphs

from manywalks.featurize import erg, pairs
from manywalks.featurize.circular import MOST, folded, of_roles, surroundings
from manywalks.featurize.patterns.graph import graph_known
from manywalks.params.sections.model import FeatureBlock

MACCS_KEYS = 167  # RDKit's bit vector; key 0 is never set
# made here from arrays, where these are known
FROM_ARRAYS = ("morgan_count", "morgan_feature_count", "erg", "atom_pair_count", "torsion_count")


class SparseRow(NamedTuple):
    """A fingerprint: columns that are not zero, int32 ascending, and their float32 values."""

    columns: np.ndarray
    values: np.ndarray


def fingerprint_names(block: FeatureBlock) -> tuple[str, ...]:
    """Column names of a fingerprint block, such as `morgan2_1024_count:17`."""
    return _names(block.prefix, fingerprint_width(block))


def fingerprint_width(block: FeatureBlock) -> int:
    """Number of columns of a fingerprint block."""
    return {"maccs": MACCS_KEYS, "erg": erg.SIZE}.get(block.kind, block.n_bits)


@cache
def _names(prefix: str, width: int) -> tuple[str, ...]:
    """They are asked for with each molecule that is featurized by itself."""
    return tuple(f"{prefix}:{column}" for column in range(width))


def fingerprint(mol: Chem.Mol, block: FeatureBlock) -> SparseRow:
    """One fingerprint block of a molecule."""
    if (known := _from_arrays(mol, block)) is not None:
        return known
    if block.kind == "erg":
        # a copy that knows no distances: RDKit would take them for those of the reduced graph
        vector = rdReducedGraphs.GetErGFingerprint(Chem.Mol(mol, True))
        columns = np.flatnonzero(vector)
        return SparseRow(columns.astype(np.int32), vector[columns].astype(np.float32))
    if block.kind == "maccs":
        return _of_bits(rdMolDescriptors.GetMACCSKeysFingerprint(mol))
    if block.kind == "avalon_count":
        return _avalon(mol, block.n_bits)
    generator = _generator(block.kind, block.radius, block.n_bits)
    if block.kind == "morgan_bits":
        return _of_bits(generator.GetFingerprint(mol))
    return _of_counts(generator.GetCountFingerprint(mol))


def _from_arrays(mol: Chem.Mol, block: FeatureBlock) -> SparseRow | None:
    """A fingerprint of a molecule whose arrays descriptors have read, in a fraction of RDKit's time."""
    graph = graph_known(mol)
    if graph is None or block.kind not in FROM_ARRAYS:
        return None
    if block.kind == "morgan_feature_count":
        return SparseRow(*folded(*of_roles(graph, block.radius), block.radius, block.n_bits))
    if block.kind == "erg":
        return SparseRow(*erg.erg_counts(graph)) if len(graph.number) <= erg.LARGEST else None
    if block.kind == "atom_pair_count":
        return SparseRow(*pairs.pair_counts(graph, block.n_bits))
    if block.kind == "torsion_count":
        return SparseRow(*pairs.torsion_counts(graph, block.n_bits))
    found = surroundings(graph)
    if found is None or block.radius > MOST:
        return None
    return SparseRow(*folded(*found, block.radius, block.n_bits))


def _avalon(mol: Chem.Mol, n_bits: int) -> SparseRow:
    """Avalon's counts of a molecule, which has coordinates, all of them 0, meanwhile.

    Avalon reads a molecule block. For one without coordinates RDKit works out a drawing, which takes as long
    as the fingerprint, that does not look at it.
    """
    if mol.GetNumConformers():
        return _of_counts(pyAvalonTools.GetAvalonCountFP(mol, nBits=n_bits))
    place = mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
    try:
        return _of_counts(pyAvalonTools.GetAvalonCountFP(mol, nBits=n_bits))
    finally:
        mol.RemoveConformer(place)


@cache
def _generator(kind: str, radius: int, n_bits: int) -> Any:
    """RDKit's fingerprint generator of a hashed block; making one takes as long as a fingerprint."""
    if kind in ("morgan_count", "morgan_bits"):
        return rdFingerprintGenerator.GetMorganGenerator(radius, fpSize=n_bits)
    if kind == "morgan_feature_count":
        roles = rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
        return rdFingerprintGenerator.GetMorganGenerator(radius, fpSize=n_bits, atomInvariantsGenerator=roles)
    if kind == "atom_pair_count":
        return rdFingerprintGenerator.GetAtomPairGenerator(fpSize=n_bits)
    if kind == "torsion_count":
        return rdFingerprintGenerator.GetTopologicalTorsionGenerator(fpSize=n_bits)
    return rdFingerprintGenerator.GetRDKitFPGenerator(fpSize=n_bits)


def _of_counts(vector: Any) -> SparseRow:
    """Of RDKit's sparse counts, whose elements come in ascending order."""
    found = vector.GetNonzeroElements()
    # a dictionary's own iterators: a loop over its items takes three times as long
    return SparseRow(
        np.fromiter(found, np.int32, len(found)), np.fromiter(found.values(), np.float32, len(found))
    )


def _of_bits(vector: Any) -> SparseRow:
    """Of RDKit's bits."""
    columns = np.array(vector.GetOnBits(), dtype=np.int32)
    return SparseRow(columns, np.ones(len(columns), np.float32))
