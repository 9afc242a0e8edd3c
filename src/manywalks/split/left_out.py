"""Molecules without features: they are in no subset, whatever the split drew for them."""

from pathlib import Path

import numpy as np
import pandas as pd


def left_out(curated: pd.DataFrame, listed: Path) -> np.ndarray:
    """Which molecules of the curated table (n,) are in data/not_featurized.csv: bool (n,)."""
    try:
        smiles = pd.read_csv(listed, usecols=["smiles"], dtype=str, keep_default_na=False)["smiles"]
    except FileNotFoundError:
        raise ValueError(f"{listed}: no such file; run the step featurize") from None
    except ValueError as error:
        raise ValueError(f"{listed}: is damaged ({error}); delete it and run again") from None
    return curated["smiles"].isin(smiles).to_numpy()


def without(subsets: np.ndarray, out: np.ndarray) -> np.ndarray:
    """The subsets (n,) with "" for the molecules that are left `out` (n,).

    The draw comes first and does not know of them, so the others are where they would be anyway.
    """
    return np.where(out, "", subsets)
