"""Vectors of molecules that were made elsewhere: a table with a column of SMILES or InChIKeys."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem, rdBase

if TYPE_CHECKING:
    import pandas as pd

ALIKE = {"smiles": ("smiles", "canonical_smiles"), "inchikey": ("inchikey", "inchi_key")}


@dataclass(frozen=True)
class Vectors:
    """A table of vectors.

    Attributes:
        name: of its file.
        columns: the d names.
        values: float32 (n, d); NaN where a cell is empty.
        rows: key -> row.
        key: "smiles" (canonical) or "inchikey".
    """

    name: str
    columns: tuple[str, ...]
    values: np.ndarray
    rows: dict[str, int]
    key: str

    def of(self, mol: Chem.Mol) -> np.ndarray:
        """A molecule's vector, float32 (d,); a ValueError that names it where it has none."""
        key = Chem.MolToSmiles(mol) if self.key == "smiles" else Chem.MolToInchiKey(mol)
        row = self.rows.get(key)
        if row is None:
            raise ValueError(f"{self.name} has no row of {self.key} {key}; add one")
        return self.values[row]


def read_vectors(path: str, key: str) -> Vectors:
    """Read a table (Parquet or CSV); it is read again only when it changed."""
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"featurize.blocks: path: {path}: no such file; put it there or correct the path")
    stat = file.stat()
    return _read(path, key, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _read(path: str, key: str, _changed: int, _size: int) -> Vectors:
    """The table, checked."""
    import pandas as pd  # 0.25 s, which a worker without a table need not take

    where = f"featurize.blocks: {Path(path).name}"
    try:
        frame = pd.read_parquet(path) if path.endswith((".parquet", ".pq")) else pd.read_csv(path)
    except (ValueError, OSError) as error:  # of Arrow and pandas alike
        said = " ".join(str(error).split())
        raise ValueError(f"{where}: cannot be read ({said}); give Parquet or CSV") from None
    column = next((c for c in frame.columns if str(c).lower() in ALIKE[key]), None)
    if column is None:
        raise ValueError(f"{where}: no column {key}; it has {', '.join(map(repr, frame.columns[:8]))}")
    names, values = _matrix(frame.drop(columns=column), where)
    keys = frame[column].astype(str).tolist()
    rows: dict[str, int] = {}
    with rdBase.BlockLogs():
        for row, text in enumerate(keys):
            written = _canonical(text) if key == "smiles" else text.strip()
            first = rows.setdefault(written, row)
            if first != row and not np.array_equal(values[first], values[row], equal_nan=True):
                raise ValueError(
                    f"{where}: rows {first + 1} and {row + 1} give {text!r} different vectors; keep one"
                )
    return Vectors(Path(path).name, names, values, rows, key)


def _matrix(frame: "pd.DataFrame", where: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and values of the columns that hold numbers, or of one column that holds lists of them."""
    import pandas as pd

    first: Any = frame.iloc[0, 0] if frame.size else None
    if frame.shape[1] == 1 and isinstance(first, list | np.ndarray):
        lengths = {len(cell) for cell in frame.iloc[:, 0]}
        if len(lengths) > 1:
            raise ValueError(
                f"{where}: vectors of {min(lengths)} to {max(lengths)} numbers; give all as many"
            )
        values = np.stack([np.asarray(cell, dtype=np.float32) for cell in frame.iloc[:, 0]])
        return tuple(map(str, range(values.shape[1]))), _finite(values)
    numeric = {
        str(name): np.array(pd.to_numeric(frame[name], errors="coerce"), dtype=np.float32) for name in frame
    }
    kept = {name: cells for name, cells in numeric.items() if np.isfinite(cells).any()}
    if not kept:
        raise ValueError(f"{where}: no column holds numbers; give the vectors in columns of their own")
    return tuple(kept), _finite(np.stack(list(kept.values()), axis=1))


def _finite(values: np.ndarray) -> np.ndarray:
    """Infinities are no values."""
    return np.where(np.isfinite(values), values, np.float32(np.nan)).astype(np.float32)


def _canonical(smiles: str) -> str:
    """RDKit's SMILES, or the text where RDKit cannot parse it: no molecule will ask for that."""
    mol = Chem.MolFromSmiles(smiles)
    return smiles if mol is None else Chem.MolToSmiles(mol)
