"""The features of one molecule, and how they pass between processes: as the bytes of three arrays."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from rdkit import Chem, rdBase

from manywalks.featurize.conformers import CONFORMER, conformer3d
from manywalks.featurize.descriptors import PHYSCHEM, descriptor_functions, descriptors
from manywalks.featurize.fingerprints import FROM_ARRAYS, fingerprint, fingerprint_names, fingerprint_width
from manywalks.featurize.foreign.foreign import function_columns, function_values, warm
from manywalks.featurize.foreign.vectors import read_vectors
from manywalks.featurize.ionization import IONIZATION, ionization
from manywalks.featurize.molecular_graph import graph_columns
from manywalks.graph_layout import GraphLayout
from manywalks.params.sections.block_sources import FUNCTIONS, function_name
from manywalks.params.sections.model import FeatureBlock
from manywalks.runtime.compiled import compiled_once, is_compiled
from manywalks.runtime.worker_pool import WithBytes

DENSE = ("rdkit2d", "physchem", "ionization", "conformer3d", "table", *FUNCTIONS, "graph")
COMPILED = ("rdkit2d", "physchem", "ionization")
# a molecule with groups that ionize: what it takes is all that is compiled
TYROSINE = "N[C@@H](Cc1ccc(O)cc1)C(=O)O"
TARGET = f"{__name__}:worker"


class Failure(NamedTuple):
    """Why a molecule has no features: a reason code, and a sentence."""

    reason: str
    detail: str


class FeatureRow(NamedTuple):
    """Features of one molecule: columns and values of its counts, and float32 (d_dense,)."""

    columns: np.ndarray
    values: np.ndarray
    dense: np.ndarray

    def to_bytes(self) -> bytes:
        """How many counts there are, then the three arrays."""
        head = np.array([len(self.columns)], dtype=np.int32)
        return b"".join(array.tobytes() for array in (head, self.columns, self.values, self.dense))

    @classmethod
    def from_bytes(cls, content: bytes) -> "FeatureRow":
        """What `to_bytes` gave."""
        size = int(np.frombuffer(content, np.int32, 1)[0])
        return cls(
            np.frombuffer(content, np.int32, size, 4),
            np.frombuffer(content, np.float32, size, 4 + 4 * size),
            np.frombuffer(content, np.float32, -1, 4 + 8 * size),
        )


def featurize_molecule(
    smiles: str, blocks: Sequence[FeatureBlock], seed: int = 0, *, mol: Chem.Mol | None = None
) -> "FeatureRow | Failure":
    """Featurize one molecule in this process, without a time limit; RDKit's complaints stay silent.

    `mol` is what RDKit reads in `smiles`, where that is known already.
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles) if mol is None else mol
        if mol is None or mol.GetNumAtoms() == 0:
            what = "RDKit cannot parse" if mol is None else "no atoms in"
            return Failure("failed", f"{what} {smiles!r}; curate the table first")
        try:
            return _features(mol, blocks, seed)
        # RDKit raises C++ exceptions of many kinds
        except Exception as error:
            said = " ".join(str(error).split())
            return Failure("failed", f"featurizing: {type(error).__name__}: {said}")


def _features(mol: Chem.Mol, blocks: Sequence[FeatureBlock], seed: int) -> FeatureRow:
    """All blocks of a molecule, the sparse ones side by side."""
    # first, since most fingerprints are made of the arrays that descriptors read
    dense = [_real_valued(mol, block, seed) for block in _dense(blocks)]
    columns, values, at = [np.empty(0, np.int32)], [np.empty(0, np.float32)], 0
    for block in blocks:
        if block.kind not in DENSE:
            row = fingerprint(mol, block)
            columns.append(row.columns + np.int32(at))
            values.append(row.values)
            at += fingerprint_width(block)
    return FeatureRow(
        np.concatenate(columns), np.concatenate(values), np.concatenate([np.empty(0, np.float32), *dense])
    )


def _dense(blocks: Sequence[FeatureBlock]) -> list[FeatureBlock]:
    """The blocks that are not sparse; the graph is the last, where networks on graphs look for it."""
    return sorted((block for block in blocks if block.kind in DENSE), key=lambda block: block.kind == "graph")


def _real_valued(mol: Chem.Mol, block: FeatureBlock, seed: int) -> np.ndarray:
    """A block of real values: float32 (d,)."""
    if block.kind in FUNCTIONS:
        return function_values(block, Chem.MolToSmiles(mol))
    if block.kind == "table":
        return read_vectors(str(block.path), block.key).of(mol)
    if block.kind == "conformer3d":
        return conformer3d([mol], seed)[0]
    if block.kind == "ionization":
        return ionization([mol])[0]
    if block.kind == "graph":
        return _graph(mol, block)
    return descriptors([mol], PHYSCHEM if block.kind == "physchem" else tuple(descriptor_functions()))[0]


def _graph(mol: Chem.Mol, block: FeatureBlock) -> np.ndarray:
    """The graph's columns; a ValueError of a molecule that is too large, where that is to be rejected."""
    row = graph_columns(mol, GraphLayout(block.max_atoms))
    if row[0] and block.larger == "reject":
        raise ValueError(
            f"{mol.GetNumAtoms()} atoms and {mol.GetNumBonds()} bonds are more than the block graph has room "
            f"for (max_atoms: {block.max_atoms})"
        )
    return row


def column_names(blocks: Sequence[FeatureBlock]) -> tuple[list[str], list[str]]:
    """Names of the sparse columns, and of all columns (sparse, then real-valued)."""
    counts = [name for block in blocks if block.kind not in DENSE for name in fingerprint_names(block)]
    dense = [name for block in _dense(blocks) for name in _dense_names(block)]
    names = counts + dense
    if len(set(names)) < len(names):
        raise ValueError("featurize.blocks: the same block stands there twice; remove one")
    return counts, names


def _dense_names(block: FeatureBlock) -> list[str]:
    """Column names of a block of real values: they begin with its kind."""
    if block.kind in FUNCTIONS:
        return [f"{block.prefix}:{name}" for name in function_columns(block)]
    if block.kind == "table":
        vectors = read_vectors(str(block.path), block.key)
        return [f"{block.prefix}:{name}" for name in vectors.columns]
    if block.kind == "graph":
        return list(GraphLayout(block.max_atoms).names)
    of = {
        "rdkit2d": tuple(descriptor_functions()),
        "physchem": PHYSCHEM,
        "ionization": IONIZATION,
        "conformer3d": CONFORMER,
    }
    return [f"{block.kind}:{name}" for name in of[block.kind]]


def read_blocks(dumped: Sequence[dict[str, Any]]) -> tuple[FeatureBlock, ...]:
    """Blocks from JSON, what they import and read loaded: a worker's first molecule need not wait for it."""
    blocks = tuple(FeatureBlock.model_validate(block) for block in dumped)
    column_names(blocks)
    for block in blocks:
        if block.kind in FUNCTIONS:
            warm(function_name(block))
    # compiling, once for an installation, is no molecule's time
    compiled = [block for block in blocks if block.kind in (*COMPILED, *FROM_ARRAYS)]
    if name := _compiled_as(blocks):
        with compiled_once(name):
            featurize_molecule(TYROSINE, compiled)
    return blocks


def must_compile(blocks: Sequence[FeatureBlock]) -> bool:
    """Whether the first molecule waits, about a minute, for code that this installation did not need yet."""
    name = _compiled_as(blocks)
    return bool(name) and not is_compiled(name)


def _compiled_as(blocks: Sequence[FeatureBlock]) -> str:
    """What the compiled code of these blocks is kept as; "" where there is none."""
    kinds = {block.kind for block in blocks if block.kind in (*COMPILED, *FROM_ARRAYS)}
    return "-".join(sorted(kinds)) if kinds & set(COMPILED) else ""


def worker(setup: dict[str, Any]) -> Callable[[str], Any]:
    """What a worker process applies to each SMILES: `blocks` and `seed` as JSON -> bytes, or a Failure."""
    blocks = read_blocks(setup["blocks"])

    def one(smiles: str) -> Any:
        found = featurize_molecule(smiles, blocks, setup["seed"])
        return found if isinstance(found, Failure) else WithBytes(None, found.to_bytes())

    return one
