"""Fingerprints of molecules as sparse rows: hashed counts, bits, MACCS keys, ErG."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors, rdReducedGraphs

from manywalks.params.sections.model import FeatureBlock

MACCS_KEYS = 167  # RDKit's bit vector; key 0 is never set
ERG_SIZE = 315  # 21 pairs of pharmacophore types at distances 1 to 15


class SparseRows(NamedTuple):
    """Rows of a sparse matrix: lengths (n,), and the columns and values of all rows after each other."""

    lengths: np.ndarray
    columns: np.ndarray
    values: np.ndarray


def fingerprint_names(block: FeatureBlock) -> tuple[str, ...]:
    """Column names of a fingerprint block, such as `morgan2_1024_count:17`."""
    width = {"maccs": MACCS_KEYS, "erg": ERG_SIZE}.get(block.kind, block.n_bits)
    return _names(block.prefix, width)


@cache
def _names(prefix: str, width: int) -> tuple[str, ...]:
    """They are asked for with each molecule that is featurized by itself."""
    return tuple(f"{prefix}:{column}" for column in range(width))


def fingerprints(mols: Sequence[Chem.Mol], block: FeatureBlock) -> SparseRows:
    """One fingerprint block of n molecules, as sparse rows with ascending columns."""
    if block.kind == "erg":
        return _from_arrays([rdReducedGraphs.GetErGFingerprint(mol) for mol in mols])
    if block.kind == "maccs":
        return _from_bits([rdMolDescriptors.GetMACCSKeysFingerprint(mol) for mol in mols])
    if block.kind == "avalon_count":
        drawn = map(_with_coordinates, mols)
        return _from_counts([pyAvalonTools.GetAvalonCountFP(mol, nBits=block.n_bits) for mol in drawn])
    generator = _generator(block.kind, block.radius, block.n_bits)
    if block.kind == "morgan_bits":
        return _from_bits(generator.GetFingerprints(mols))
    return _from_counts(generator.GetCountFingerprints(mols))


def _with_coordinates(mol: Chem.Mol) -> Chem.Mol:
    """The molecule with coordinates, all of them 0.

    Avalon reads a molecule block. For one without coordinates RDKit works out a drawing, which takes as long
    as the fingerprint, that does not look at it.
    """
    drawn = Chem.Mol(mol)
    if not drawn.GetNumConformers():
        drawn.AddConformer(Chem.Conformer(drawn.GetNumAtoms()))
    return drawn


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


def _from_counts(vectors: Sequence[Any]) -> SparseRows:
    """Rows of RDKit's sparse count vectors, whose elements come in ascending order."""
    rows = [vector.GetNonzeroElements() for vector in vectors]
    lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    # a dictionary's own iterators: a loop over its items takes three times as long
    columns = [np.fromiter(row, np.int32, len(row)) for row in rows]
    values = [np.fromiter(row.values(), np.float32, len(row)) for row in rows]
    return SparseRows(
        lengths,
        np.concatenate([np.empty(0, np.int32), *columns]),
        np.concatenate([np.empty(0, np.float32), *values]),
    )


def _from_bits(vectors: Sequence[Any]) -> SparseRows:
    """Rows of RDKit's bit vectors."""
    rows = [np.array(vector.GetOnBits(), dtype=np.int32) for vector in vectors]
    lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    columns = np.concatenate([np.empty(0, np.int32), *rows])
    return SparseRows(lengths, columns, np.ones(len(columns), np.float32))


def _from_arrays(vectors: Sequence[np.ndarray]) -> SparseRows:
    """Rows of dense vectors that are mostly zero."""
    rows = [np.flatnonzero(vector).astype(np.int32) for vector in vectors]
    lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    values = [vector[row] for vector, row in zip(vectors, rows, strict=True)]
    return SparseRows(
        lengths,
        np.concatenate([np.empty(0, np.int32), *rows]),
        np.concatenate([np.empty(0), *values]).astype(np.float32),
    )
