"""Look at a raw table: which column holds the SMILES, which are endpoints, and what was assumed."""

import re
from typing import NamedTuple

import pandas as pd
from rdkit import Chem, rdBase

from manywalks.tasks.params import DataParams, EndpointParams, Params, SplitParams

SMILES_NAMES = ("smiles", "canonical_smiles", "drug", "mol", "structure", "molecule")
PARTS = {"train", "train_val", "trainval", "training", "valid", "val", "validation", "test"}
# Columns that describe a molecule or a row; not what an assay measured.
NOT_MEASURED = re.compile(
    r"\b(id|cid|index|row|number of|minimum degree|molecular weight"
    r"|mw|mass|alogp|clogp|xlogp|tpsa|psa"
    r"|polar surface area|ring|rings|rotatable|hbd|hba|predicted|prediction|weight|year|date)\b"
    r"|^unnamed|_id$|^id_",
    re.IGNORECASE,
)
LOOKED_AT = 200
CLASSES = ({"0", "1"}, {"0.0", "1.0"}, {"true", "false"}, {"active", "inactive"}, {"yes", "no"})


class Guess(NamedTuple):
    """Parameters for a table, and a sentence for each thing that was assumed."""

    params: Params
    assumed: list[str]


def guess_params(frame: pd.DataFrame, path: str, name: str) -> Guess:
    """Parameters for the raw table `frame` (strings); `path` is what params.yaml will say.

    Raises:
        ValueError: no column of SMILES, or none of measurements; `name` stands in the message.
    """
    smiles = find_smiles(frame, name)
    part = find_part(frame)
    assumed = [f"SMILES: column {smiles!r}"]
    others = [column for column in frame.columns if column not in (smiles, part)]
    endpoints = {
        column: guess for column in others if (guess := guess_endpoint(pd.Series(frame[column]), column))
    }
    if not endpoints:
        raise ValueError(f"{name}: no column of measurements among {', '.join(map(repr, others))}; add one")
    assumed += [_sentence(column, endpoint) for column, endpoint in endpoints.items()]
    split = SplitParams(method="random")
    if part:
        split = SplitParams(method="column", column=part)
        assumed.append(f"split: column {part!r} says train and test")
    else:
        assumed.append("split: random, 20 % test (split.method: scaffold is the harder test)")
    identity = next(
        (c for c in others if c not in endpoints and re.search(r"\bid\b|_id$|^id|cid", c, re.I)), None
    )
    ignored = [column for column in others if column not in endpoints and column != identity]
    if ignored:
        assumed.append("left alone: " + ", ".join(map(repr, ignored)))
    data = DataParams(path=path, smiles=smiles, id=identity, endpoints=endpoints)
    return Guess(Params(data=data, split=split), assumed)


def find_smiles(frame: pd.DataFrame, name: str) -> str:
    """The column whose cells RDKit reads as molecules; a well-known name decides between several."""
    shares = {
        column: share
        for column in frame.columns
        if (share := _share_molecules(pd.Series(frame[column]))) > 0.8
    }
    if not shares:
        raise ValueError(
            f"{name}: no column holds SMILES (columns: {', '.join(map(repr, frame.columns))}); "
            "name it in params.yaml as data.smiles"
        )
    known = [column for column in shares if column.lower() in SMILES_NAMES]
    return known[0] if known else max(shares, key=lambda column: shares[column])


def _share_molecules(column: pd.Series) -> float:
    """Share of the first cells that parse and hold more than letters of a word would."""
    cells = [cell for cell in column.astype(str).head(LOOKED_AT) if cell.strip()]
    if not cells:
        return 0.0
    with rdBase.BlockLogs():
        good = sum(
            1 for cell in cells if (mol := Chem.MolFromSmiles(cell)) is not None and mol.GetNumAtoms() > 0
        )
    varied = len(set(cells)) > len(cells) / 4
    # "C" and "CO" are words too: a column of SMILES has bonds and rings in it somewhere
    marked = any(any(mark in cell for mark in "()=#1") for cell in cells)
    return good / len(cells) if varied and marked else 0.0


def find_part(frame: pd.DataFrame) -> str | None:
    """The column whose cells are train, valid and test, under any of their usual names."""
    for column in frame.columns:
        cells = {cell.strip().lower() for cell in frame[column].astype(str) if cell.strip()}
        if cells and cells <= PARTS and len(cells) > 1:
            return str(column)
    return None


def guess_endpoint(column: pd.Series, name: str) -> EndpointParams | None:
    """What a column measures, None where it seems to measure nothing."""
    if NOT_MEASURED.search(name.replace("_", " ")) or NOT_MEASURED.search(name):
        return None
    cells = column.astype(str).str.strip()
    cells = cells[(cells != "") & (cells.str.lower() != "nan")]
    if len(cells) == 0:
        return None
    values = set(cells.str.lower())
    if any(values <= pair and len(values) == 2 for pair in CLASSES):
        return EndpointParams(kind="classification")
    numbers = pd.Series(pd.to_numeric(cells.str.lstrip("<>=~ "), errors="coerce"))
    if numbers.notna().mean() < 0.9 or numbers.nunique() < 5:
        return None
    unit = re.search(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]\s*$", name)
    text = unit[1].strip() if unit else ""
    return EndpointParams(
        kind="regression", unit=f"log {text}" if text and name.lower().startswith("log") else text
    )


def _sentence(column: str, endpoint: EndpointParams) -> str:
    """What was assumed of one endpoint."""
    unit = f", unit {endpoint.unit!r}" if endpoint.unit else ", no unit (give one as unit:)"
    return f"endpoint {column!r}: {endpoint.kind}" + (unit if endpoint.kind == "regression" else "")
