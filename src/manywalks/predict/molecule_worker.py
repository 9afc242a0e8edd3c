"""What worker processes do with one molecule to be scored: standardize it, then featurize it.

Both go through the same workers, so that a molecule that hangs or crashes RDKit at either costs its own row.
Features come back as base64 of three arrays: a line of JSON holds no bytes.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from rdkit import rdBase
from scipy import sparse

from manywalks.chemistry.sdf import block_smiles
from manywalks.chemistry.standardize import standardize_one
from manywalks.features import Features
from manywalks.featurize.featurize import column_names, featurize_chunk
from manywalks.params.data import CurateParams
from manywalks.params.model import FeatureBlock
from manywalks.runtime.worker_pool import Lost

TARGET = f"{__name__}:worker"
SMILES, BLOCK, FEATURES = "s", "b", "f"


"""First letter of a text: what follows it, or what is asked for."""


class Standard(NamedTuple):
    """A molecule as SMILES, its standard form or None, and why it has none ("reason: sentence")."""

    smiles: str
    standardized: str | None
    rejected: str


def setup(curate: CurateParams, blocks: Sequence[FeatureBlock]) -> dict[str, Any]:
    """The model's settings as plain JSON."""
    return {"curate": curate.model_dump(mode="json"), "blocks": [b.model_dump(mode="json") for b in blocks]}


def worker(given: dict[str, Any]) -> Callable[[str], Any]:
    """What a worker process applies to each text: `SMILES` or `BLOCK` to standardize, or `FEATURES`."""
    curate = CurateParams.model_validate(given["curate"])
    blocks = tuple(FeatureBlock.model_validate(block) for block in given["blocks"])

    def one(text: str) -> Any:
        if text[0] == FEATURES:
            return _featurized(text[1:], blocks)
        return _standardized(text[1:], curate, is_block=text[0] == BLOCK)

    return one


def _standardized(text: str, curate: CurateParams, *, is_block: bool) -> Standard:
    """Of a SMILES or a molecule block."""
    if is_block:
        with rdBase.BlockLogs():
            try:
                text = block_smiles(text)
            # RDKit's reader of blocks raises C++ exceptions of many kinds
            except Exception as error:
                said = " ".join(str(error).split())
                return Standard("", None, f"unparsable: molecule block: {type(error).__name__}: {said}")
    found = standardize_one(text, curate)
    if found.smiles is None:
        return Standard(text, None, f"{found.reason}: {found.detail}")
    return Standard(text, found.smiles, "")


def _featurized(smiles: str, blocks: tuple[FeatureBlock, ...]) -> dict[str, str]:
    """The features of one molecule, or why there are none."""
    try:
        (_, columns, values), dense = featurize_chunk([smiles], blocks, 0, 0)
    # RDKit raises C++ exceptions of many kinds; the row is rejected with what it said
    except Exception as error:
        said = " ".join(str(error).split())
        return {"failed": f"failed: featurizing: {type(error).__name__}: {said}"}
    head = np.array([len(columns)], dtype=np.int32)
    packed = b"".join(a.tobytes() for a in (head, columns, values, dense[0]))
    return {"row": base64.b64encode(packed).decode("ascii")}


def arrived(outcome: Any, text: str, limit: float) -> Standard:
    """A worker's outcome of standardizing, or the rejection that a lost one is."""
    if isinstance(outcome, Lost):
        return Standard(text[1:] if text[0] == SMILES else "", None, lost(outcome, limit))
    return Standard(*outcome)


def lost(outcome: Lost, limit: float) -> str:
    """Why a text has no outcome."""
    if outcome.reason == "timeout":
        return f"timeout: took longer than {limit:g} s (curate.time_limit of the model)"
    return "crashed: ended its process twice"


def assembled(rows: Sequence[str], blocks: Sequence[FeatureBlock]) -> Features:
    """The `row`s of n molecules -> their raw features."""
    counts, names = column_names(blocks)
    width = len(names) - len(counts)
    dense = np.empty((len(rows), width), np.float32)
    columns, values = [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    for i, row in enumerate(rows):
        content = base64.b64decode(row)
        size = int(np.frombuffer(content, np.int32, 1)[0])
        columns.append(np.frombuffer(content, np.int32, size, 4))
        values.append(np.frombuffer(content, np.float32, size, 4 + 4 * size))
        dense[i] = np.frombuffer(content, np.float32, width, 4 + 8 * size)
    ends = np.cumsum([0, *map(len, columns[1:])])
    arrays = np.concatenate(values), np.concatenate(columns), ends
    return Features(sparse.csr_matrix(arrays, shape=(len(rows), len(counts))), dense, tuple(names))
