"""SMILES -> the feature matrix, on all cores, within a time limit for each molecule."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from manywalks.features import Features
from manywalks.featurize.molecule import (
    TARGET,
    Failure,
    FeatureRow,
    column_names,
    featurize_molecule,
)
from manywalks.params.sections.model import FeatureBlock
from manywalks.runtime.worker_pool import Lost, WithBytes, WorkerPool

# microseconds a molecule on one core (2.5 GHz), parsing included in the first: they tell whether starting
# processes (about a second each) pays
COST = {
    "parse": 150, "morgan_count": 60, "morgan_bits": 50, "morgan_feature_count": 100, "rdkit2d": 800,
    "maccs": 400, "avalon_count": 400, "erg": 200, "atom_pair_count": 120, "torsion_count": 100,
    "rdkit_path_count": 400, "physchem": 800, "ionization": 800, "conformer3d": 20000, "function": 10000,
    "table": 100, "minimol": 12000, "graph": 150,
}  # fmt: skip
PROCESSES_PAY = 4e6  # microseconds of work
LOT = 2048  # molecules whose features wait at most as bytes (1 to 5 kB each), twice
# characters; the slowest of the demo's molecules, all of them shorter, takes 20 ms without a conformer
TAME = 150
LIMIT = 10.0  # seconds for one molecule, as curate.time_limit is by default
Progress = Callable[[int, int], None]


class Featurized(NamedTuple):
    """Features of n molecules; by row, why some have none (theirs hold no counts, and NaN)."""

    features: Features
    failures: dict[int, Failure]


def featurize(
    smiles: Sequence[str],
    blocks: Sequence[FeatureBlock],
    *,
    cores: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Features:
    """`featurize_each` where every molecule must have features; a ValueError names the first without."""
    features, failures = featurize_each(smiles, blocks, cores=cores, seed=seed, progress=progress)
    if failures:
        row, failure = min(failures.items())
        raise ValueError(f"smiles: row {row}: {failure.detail} ({smiles[row]!r})")
    return features


def featurize_each(
    smiles: Sequence[str],
    blocks: Sequence[FeatureBlock],
    *,
    cores: int = 1,
    seed: int = 0,
    limit: float = LIMIT,
    always_workers: bool = False,
    progress: Progress | None = None,
) -> Featurized:
    """Featurize n molecules; the result depends on neither `cores` nor the neighbours of a row.

    Args:
        smiles: n SMILES. One that RDKit does not parse, or that takes too long, or ends its process, costs
            its own row.
        blocks: featurizers; the sparse ones come first, then the real-valued ones, each in this order.
        cores: worker processes at most.
        seed: start coordinates of conformers; nothing else is random.
        limit: seconds for one molecule.
        always_workers: whether few small molecules go to workers too, so that none can hang this process.
        progress: called with (molecules done, molecules) now and then.
    """
    smiles = [str(text) for text in smiles]
    counts, names = column_names(blocks)
    rows = _Rows(len(smiles), len(counts), len(names) - len(counts))
    if always_workers or not _few_and_tame(smiles, blocks):
        found = _by_workers(smiles, blocks, cores=cores, seed=seed, limit=limit, progress=progress)
    else:
        found = _here(smiles, blocks, seed, progress)
    failures: dict[int, Failure] = {}
    for row, one in enumerate(found):
        if isinstance(one, Failure):
            failures[row] = one
            rows.add(None)
        else:
            rows.add(one)
    return Featurized(Features(rows.csr(), rows.dense, tuple(names)), failures)


def features_of(rows: Iterable[FeatureRow], n: int, blocks: Sequence[FeatureBlock]) -> Features:
    """The rows of n molecules -> their raw features."""
    counts, names = column_names(blocks)
    found = _Rows(n, len(counts), len(names) - len(counts))
    for row in rows:
        found.add(row)
    return Features(found.csr(), found.dense, tuple(names))


class _Rows:
    """Rows put together as they come, without a second copy of them at the end."""

    def __init__(self, n: int, d_counts: int, d_dense: int) -> None:
        self.shape = (n, d_counts)
        self.dense = np.empty((n, d_dense), dtype=np.float32)
        self.indptr = np.zeros(n + 1, dtype=np.int64)
        self.columns = np.empty(0, dtype=np.int32)
        self.values = np.empty(0, dtype=np.float32)
        self.rows = 0

    def add(self, row: FeatureRow | None) -> None:
        """Append the next row; one without counts and values where None."""
        start = int(self.indptr[self.rows])
        total = start + (0 if row is None else len(row.columns))
        self.dense[self.rows] = np.nan if row is None else row.dense
        self.rows += 1
        self.indptr[self.rows] = total
        if total > len(self.columns):
            # room for the rest at this density; the kernel moves large arrays without copying them
            room = max(total, int(total / self.rows * self.shape[0] * 1.05))
            self.columns.resize(room, refcheck=False)
            self.values.resize(room, refcheck=False)
        if row is not None:
            self.columns[start:total] = row.columns
            self.values[start:total] = row.values

    def csr(self) -> sparse.csr_matrix:
        """The sparse part, (n, d_counts)."""
        total = int(self.indptr[-1])
        self.columns.resize(total, refcheck=False)
        self.values.resize(total, refcheck=False)
        return sparse.csr_matrix((self.values, self.columns, self.indptr), shape=self.shape)


def _cost(blocks: Sequence[FeatureBlock]) -> float:
    """Microseconds for one molecule."""
    return COST["parse"] + sum(COST[block.kind] for block in blocks)


def _few_and_tame(smiles: Sequence[str], blocks: Sequence[FeatureBlock]) -> bool:
    """Whether starting processes does not pay, and no molecule is expected to hang this one."""
    return len(smiles) * _cost(blocks) < PROCESSES_PAY and all(len(text) <= TAME for text in smiles)


def _here(
    smiles: Sequence[str], blocks: Sequence[FeatureBlock], seed: int, progress: Progress | None
) -> Iterator[FeatureRow | Failure]:
    """Features made in this process, in order."""
    for done, text in enumerate(smiles, start=1):
        yield featurize_molecule(text, blocks, seed)
        if progress is not None:
            progress(done, len(smiles))


def _by_workers(
    smiles: Sequence[str],
    blocks: Sequence[FeatureBlock],
    *,
    cores: int,
    seed: int,
    limit: float,
    progress: Progress | None,
) -> Iterator[FeatureRow | Failure]:
    """Features made by worker processes, in order; while one lot is waited for, the next one is in work."""
    setup = {"blocks": [block.model_dump(mode="json") for block in blocks], "seed": seed}
    pool = WorkerPool(TARGET, setup, limit, cores)
    starts = range(0, len(smiles), LOT)
    try:
        lots = (pool.add(smiles[start : start + LOT]) for start in starts)
        following = next(lots, None)
        for start in starts:
            lot, following = following, next(lots, None)
            assert lot is not None
            for outcome in pool.finish(lot, _shifted(progress, start, len(smiles))):
                yield _arrived(outcome, limit)
    finally:
        pool.stop()


def _shifted(progress: Progress | None, before: int, n: int) -> Progress | None:
    """The progress of a lot, told as that of all molecules."""
    return None if progress is None else lambda done, _: progress(before + done, n)


def _arrived(outcome: Any, limit: float) -> FeatureRow | Failure:
    """A worker's outcome, or the failure that a lost one is."""
    if isinstance(outcome, WithBytes):
        return FeatureRow.from_bytes(outcome.content)
    if isinstance(outcome, Lost):
        timeout = f"featurizing took longer than {limit:g} s (curate.time_limit)"
        said = timeout if outcome.reason == "timeout" else "featurizing ended its process twice"
        return Failure(outcome.reason, said)
    return Failure(*outcome)
