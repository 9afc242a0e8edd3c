"""Molecules as a user of the Python API has them: SMILES, RDKit molecules, a column, a table."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from rdkit import Chem

from manywalks.tables.names import hint

NAMES = ("smiles", "canonical_smiles", "structure", "molecule", "mol", "drug")


def smiles_of(molecules: Any, column: str) -> list[str]:
    """The SMILES of each molecule, in order; "" where a value is missing (it becomes a rejected row).

    Args:
        molecules: a SMILES, an RDKit molecule, or any iterable of them; a frame, whose column of SMILES is
            called `column`, or else one of `NAMES` in any case.
        column: what the model's training table calls its SMILES.
    """
    if isinstance(molecules, str | Chem.Mol):
        molecules = [molecules]
    elif isinstance(molecules, pd.DataFrame):
        molecules = molecules[_smiles_column(molecules, column)]
    elif not isinstance(molecules, Iterable):
        raise ValueError(
            f"predict: {molecules!r} is no molecule; give a SMILES, an RDKit molecule, a list of them, or a "
            "frame with a column of SMILES"
        )
    return [_smiles(one, row) for row, one in enumerate(molecules)]


def _smiles(one: Any, row: int) -> str:
    """One molecule's SMILES."""
    if isinstance(one, str):
        return one
    if isinstance(one, Chem.Mol):
        return Chem.MolToSmiles(one)
    if one is None or one is pd.NA or one is pd.NaT or (isinstance(one, float) and one != one):
        return ""
    raise ValueError(f"predict: row {row + 1}: {one!r} is neither a SMILES nor an RDKit molecule")


def _smiles_column(frame: pd.DataFrame, column: str) -> Any:
    """The frame's column of SMILES."""
    if column in frame.columns:
        return column
    lowered = {str(name).lower(): name for name in frame.columns}
    for name in NAMES:
        if name in lowered:
            return lowered[name]
    raise ValueError(
        f"predict: the frame has no column {column!r} (the training table's SMILES) nor 'smiles'; "
        f"{hint(column, [*map(str, frame.columns)])} Give the column itself, such as frame[NAME]"
    )
