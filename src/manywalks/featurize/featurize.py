"""SMILES -> the feature matrix, on all cores, in chunks."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem, rdBase
from scipy import sparse

from manywalks.features import Features
from manywalks.featurize.conformers import CONFORMER, conformer3d
from manywalks.featurize.descriptors import PHYSCHEM, descriptor_functions, descriptors
from manywalks.featurize.fingerprints import SparseRows, fingerprint_names, fingerprints
from manywalks.featurize.ionization import IONIZATION, ionization
from manywalks.params.model import FeatureBlock

DENSE = ("rdkit2d", "physchem", "ionization", "conformer3d")
# microseconds a molecule on one core (2.5 GHz), parsing included in the first: they choose
# chunks of about a second, and whether starting processes (about a second each) pays
COST = {
    "parse": 150, "morgan_count": 60, "morgan_bits": 50, "morgan_feature_count": 100, "rdkit2d": 3000,
    "maccs": 400, "avalon_count": 400, "erg": 200, "atom_pair_count": 120, "torsion_count": 100,
    "rdkit_path_count": 400, "physchem": 1500, "ionization": 800, "conformer3d": 20000,
}  # fmt: skip
PROCESSES_PAY = 4e6  # microseconds of work
CHUNK = 0.5e6  # microseconds of work in one chunk
Progress = Callable[[int, int], None]


class FeatureChunk(NamedTuple):
    """Features of some molecules: the sparse rows, and float32 (n, d_dense)."""

    sparse: SparseRows
    dense: np.ndarray


def featurize(
    smiles: Sequence[str],
    blocks: Sequence[FeatureBlock],
    *,
    cores: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Features:
    """Featurize n molecules; the result depends on neither `cores` nor the neighbours of a row.

    Args:
        smiles: n SMILES that RDKit parses to at least one atom; otherwise a ValueError names the row.
        blocks: featurizers; the sparse ones come first, then the real-valued ones, each in this order.
        cores: processes at most; small inputs stay in this one.
        seed: start coordinates of conformers; nothing else is random.
        progress: called with (molecules done, molecules) after each chunk.
    """
    smiles = [str(text) for text in smiles]
    counts, names = column_names(blocks)
    rows = _Rows(len(smiles), len(counts), len(names) - len(counts))
    done = 0
    for chunk in _chunks(smiles, tuple(blocks), cores, seed):
        rows.add(chunk)
        done += len(chunk.dense)
        if progress is not None:
            progress(done, len(smiles))
    return Features(rows.csr(), rows.dense, tuple(names))


def column_names(blocks: Sequence[FeatureBlock]) -> tuple[list[str], list[str]]:
    """Names of the sparse columns, and of all columns (sparse, then real-valued)."""
    counts = [name for block in blocks if block.kind not in DENSE for name in fingerprint_names(block)]
    of = {
        "rdkit2d": tuple(descriptor_functions()),
        "physchem": PHYSCHEM,
        "ionization": IONIZATION,
        "conformer3d": CONFORMER,
    }
    dense = [f"{b.kind}:{name}" for b in blocks if b.kind in DENSE for name in of[b.kind]]
    names = counts + dense
    if len(set(names)) < len(names):
        raise ValueError("featurize.blocks: the same block stands there twice; remove one")
    return counts, names


class _Rows:
    """Chunks put together as they come, without a second copy of them at the end."""

    def __init__(self, n: int, d_counts: int, d_dense: int) -> None:
        self.shape = (n, d_counts)
        self.dense = np.empty((n, d_dense), dtype=np.float32)
        self.indptr = np.zeros(n + 1, dtype=np.int64)
        self.columns = np.empty(0, dtype=np.int32)
        self.values = np.empty(0, dtype=np.float32)
        self.rows = 0

    def add(self, chunk: FeatureChunk) -> None:
        """Append the next rows."""
        lengths, columns, values = chunk.sparse
        end = self.rows + len(lengths)
        start = int(self.indptr[self.rows])
        self.dense[self.rows : end] = chunk.dense
        self.indptr[self.rows + 1 : end + 1] = start + np.cumsum(lengths)
        total = int(self.indptr[end])
        if total > len(self.columns):
            # room for the rest at this density; the kernel moves large arrays without copying them
            room = max(total, int(total / end * self.shape[0] * 1.05))
            self.columns.resize(room, refcheck=False)
            self.values.resize(room, refcheck=False)
        self.columns[start:total] = columns
        self.values[start:total] = values
        self.rows = end

    def csr(self) -> sparse.csr_matrix:
        """The sparse part, (n, d_counts)."""
        total = int(self.indptr[-1])
        self.columns.resize(total, refcheck=False)
        self.values.resize(total, refcheck=False)
        return sparse.csr_matrix((self.values, self.columns, self.indptr), shape=self.shape)


def _chunks(
    smiles: list[str], blocks: tuple[FeatureBlock, ...], cores: int, seed: int
) -> Iterator[FeatureChunk]:
    """Chunks of about half a second of work each, in order, made here or by `cores` processes."""
    cost = COST["parse"] + sum(COST[block.kind] for block in blocks)
    size = max(1, int(CHUNK / cost))
    starts = range(0, len(smiles), size)
    parts = ((smiles[start : start + size], blocks, start, seed) for start in starts)
    if cores == 1 or len(smiles) * cost < PROCESSES_PAY:
        yield from (featurize_chunk(*part) for part in parts)
        return
    from joblib import Parallel, delayed  # its processes neither fork this one nor import its __main__

    jobs = (delayed(featurize_chunk)(*part) for part in parts)
    # a generator of results in order, with no more than two chunks a process under way
    yield from Parallel(cores, return_as="generator", batch_size=1, pre_dispatch="2*n_jobs")(jobs)  # pyright: ignore


def featurize_chunk(
    smiles: list[str], blocks: tuple[FeatureBlock, ...], start: int, seed: int
) -> FeatureChunk:
    """Featurize some molecules in this process; `start` is the row of the first, for messages."""
    with rdBase.BlockLogs():
        mols = [_parse(text, start + row) for row, text in enumerate(smiles)]
        parts = [fingerprints(mols, block) for block in blocks if block.kind not in DENSE]
        dense = [_real_valued(mols, block, seed) for block in blocks if block.kind in DENSE]
    widths = [len(fingerprint_names(block)) for block in blocks if block.kind not in DENSE]
    return FeatureChunk(
        _beside(parts, widths, len(mols)),
        np.concatenate([np.empty((len(mols), 0), np.float32), *dense], axis=1),
    )


def _real_valued(mols: list[Chem.Mol], block: FeatureBlock, seed: int) -> np.ndarray:
    """A block of real values: float32 (n, d)."""
    if block.kind == "conformer3d":
        return conformer3d(mols, seed)
    if block.kind == "ionization":
        return ionization(mols)
    return descriptors(mols, PHYSCHEM if block.kind == "physchem" else tuple(descriptor_functions()))


def _parse(text: str, row: int) -> Chem.Mol:
    """The molecule; a ValueError where there is none."""
    mol = Chem.MolFromSmiles(text)
    if mol is None or mol.GetNumAtoms() == 0:
        what = "RDKit cannot parse" if mol is None else "no atoms in"
        raise ValueError(f"smiles: row {row}: {what} {text!r}; curate the table first")
    return mol


def _beside(parts: list[SparseRows], widths: list[int], n: int) -> SparseRows:
    """Sparse blocks of the same n rows, side by side."""
    if not parts:
        return SparseRows(np.zeros(n, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    if n == 1:  # SciPy takes as long for one row as RDKit for a fingerprint
        starts = np.cumsum([0, *widths[:-1]]).astype(np.int32)
        columns = np.concatenate([part.columns + at for part, at in zip(parts, starts, strict=True)])
        values = np.concatenate([part.values for part in parts])
        return SparseRows(np.array([len(columns)]), columns, values)
    matrices = [
        sparse.csr_matrix(
            (p.values, p.columns, np.concatenate([[0], np.cumsum(p.lengths)])), shape=(n, width)
        )
        for p, width in zip(parts, widths, strict=True)
    ]
    joined = sparse.csr_matrix(sparse.hstack(matrices, format="csr"))
    return SparseRows(np.diff(joined.indptr).astype(np.int64), joined.indices.astype(np.int32), joined.data)
