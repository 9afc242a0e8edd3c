"""Groups of similar molecules: scaffolds, and clusters on Tanimoto similarity."""

from collections.abc import Sequence

import numpy as np
from rdkit import DataStructs, rdBase
from rdkit.Chem import MolFromSmiles, rdFingerprintGenerator
from rdkit.DataStructs import ExplicitBitVect

from manywalks.split.facts import facts_of

# Butina compares every pair: 20,000 molecules take half a minute on one core, and it grows with the square
BUTINA_LIMIT = 20_000
FOLDED = 256


def scaffolds(smiles: Sequence[str]) -> list[str]:
    """Bemis-Murcko scaffold of each molecule (n,), without stereo; acyclic molecules share the empty one."""
    return facts_of(smiles, scaffolds=True).scaffolds or []


def similarity_fingerprints(smiles: Sequence[str], size: int = 2048) -> list[ExplicitBitVect]:
    """Morgan similarity_fingerprints of radius 2 (n,), which Tanimoto similarity is taken of everywhere."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=size)
    with rdBase.BlockLogs():
        return [generator.GetFingerprint(MolFromSmiles(text)) for text in smiles]


def similarity_bits(smiles: Sequence[str]) -> np.ndarray:
    """The bits of `similarity_fingerprints`, uint64 (n, 32)."""
    bits = facts_of(smiles, bits=True).bits
    assert bits is not None
    return bits


def clusters(smiles: Sequence[str], similarity: float, bits: np.ndarray | None = None) -> np.ndarray:
    """A cluster number for each molecule, int (n,); `bits` are its `similarity_bits` where they are known.

    Up to 20,000 molecules by Butina's algorithm on Tanimoto similarity; beyond, where pairs are too many, by
    k-means on folded similarity_fingerprints with 50 molecules a cluster.
    """
    if len(smiles) <= BUTINA_LIMIT:
        prints = similarity_fingerprints(smiles) if bits is None else _vectors(bits)
        return butina(prints, similarity)
    return _k_means(smiles, max(2, len(smiles) // 50))


def _vectors(bits: np.ndarray) -> list[ExplicitBitVect]:
    """Fingerprints from their bits, uint64 (n, 32)."""
    return [DataStructs.CreateFromFPSText(row.tobytes().hex()) for row in bits]


def butina(prints: Sequence[ExplicitBitVect], similarity: float) -> np.ndarray:
    """Butina's clusters (n,): the molecule with most neighbours takes them all, then the next, and so on."""
    n = len(prints)
    neighbours = [np.array([i]) for i in range(n)]
    found: list[list[np.ndarray]] = [[one] for one in neighbours]
    for i in range(1, n):
        near = np.flatnonzero(
            np.array(DataStructs.BulkTanimotoSimilarity(prints[i], prints[:i])) >= similarity
        )
        found[i].append(near)
        for j in near:
            found[j].append(neighbours[i])
    near_all = [np.concatenate(pieces) for pieces in found]
    label = np.full(n, -1)
    # most neighbours first; ties by position, which is by SMILES in a split
    for i in sorted(range(n), key=lambda i: (-len(near_all[i]), i)):
        if label[i] < 0:
            free = near_all[i][label[near_all[i]] < 0]
            label[free] = i
    return np.unique(label, return_inverse=True)[1]


def _k_means(smiles: Sequence[str], k: int) -> np.ndarray:
    """Mini-batch k-means on folded fingerprints, in chunks: 40 MB for 10,000 molecules."""
    from sklearn.cluster import MiniBatchKMeans

    k = min(k, 1000)
    model = MiniBatchKMeans(k, random_state=0, batch_size=10_000, n_init=1)  # pyright: ignore[reportArgumentType]
    rng = np.random.default_rng(0)
    sample = rng.choice(len(smiles), size=min(len(smiles), 20 * k), replace=False)
    model.fit(_bits([smiles[int(i)] for i in sample]))
    chunks = np.array_split(np.array(smiles, dtype=object), max(1, len(smiles) // 10_000))
    return np.concatenate([model.predict(_bits(list(chunk))) for chunk in chunks])


def _bits(smiles: Sequence[str]) -> np.ndarray:
    """Folded similarity_fingerprints as float32 (n, 256)."""
    bits = np.empty((len(smiles), FOLDED), dtype=np.float32)
    for row, one in enumerate(similarity_fingerprints(smiles, FOLDED)):
        DataStructs.ConvertToNumpyArray(one, bits[row])
    return bits
