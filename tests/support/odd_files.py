"""What init, train and predict make of one file, in seconds."""

from pathlib import Path
from typing import NamedTuple

import pytest
from rdkit import Chem

from manywalks.data.curate import curate_table
from manywalks.data.guess.guess import Guess, guess_params
from manywalks.predict.columns import Record, Want
from manywalks.predict.scan import Scan
from manywalks.tables.frame import Whole, read_whole

SMILES = ["CCO", "CCN", "CC(=O)O", "c1ccccc1O", "CC(C)=O", "C1CCCCC1", "CCCO", "CCCN", "CCOCC", "c1ccncc1"]
STANDARD = [smiles.replace("c1ccccc1O", "Oc1ccccc1") for smiles in SMILES]
IDS = [f"M-{i}" for i in range(10)]
VALUES = [1.25 * i - 2 for i in range(10)]
PLAIN = {"id": IDS, "smiles": SMILES, "y": [f"{value:.2f}" for value in VALUES]}
# what the plain table holds: value by id and standardized molecule
EXPECTED = {(name, smiles): value for name, smiles, value in zip(IDS, STANDARD, VALUES, strict=True)}


class Seen(NamedTuple):
    """What the three make of a file.

    Attributes:
        values: of the first endpoint, by id and molecule.
        relations: by id.
        rejected: reason by row (1 = first).
        said: what init says.
        guess, whole, records: what init, the reader and prediction found.
    """

    values: dict[tuple[str, str], float]
    relations: dict[str, str]
    rejected: dict[int, str]
    said: str
    guess: Guess
    whole: Whole
    records: list[Record]


def table(columns: dict[str, list[str]], delimiter: str = ",", end: str = "\n") -> str:
    """Columns as the text of a CSV, nothing quoted."""
    rows = zip(*columns.values(), strict=True)
    return "".join(delimiter.join(cells) + end for cells in [tuple(columns), *rows])


def written(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    """A file."""
    path = folder / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


def record(smiles: str, name: str, value: object, field: str = "> <y>", *, v3000: bool = False) -> str:
    """A record of an SDF."""
    mol = Chem.MolFromSmiles(smiles)
    mol.SetProp("_Name", name)
    block = Chem.MolToV3KMolBlock(mol) if v3000 else Chem.MolToMolBlock(mol)
    return f"{block}{field}\n{value}\n\n$$$$\n"


def sdf(*, ids: list[str] = IDS, field: str = "> <y>", v3000: bool = False) -> str:
    """The plain table as an SDF."""
    rows = zip(SMILES, ids, VALUES, strict=True)
    return "".join(record(*row, field, v3000=v3000) for row in rows)


def seen(path: Path) -> Seen:
    """Read a file by init, train and predict; all records are accounted for, and the three agree on them."""
    whole = read_whole(path)
    guess = guess_params(whole.frame.drop(index=list(whole.faults)), path.name, path.name)
    curated = curate_table(whole.frame, guess.params, faults=whole.faults)
    records = list(Scan(path, Want()).records())
    kept = curated.molecules
    assert sum(kept["records"].tolist()) + len(curated.rejected) == len(whole.frame) == len(records)
    assert [bool(record.fault) for record in records] == [row in whole.faults for row in range(len(records))]
    endpoint = next(iter(guess.params.data.endpoints))
    names = list(zip(kept["id"], kept["smiles"], strict=True))
    return Seen(
        dict(zip(names, kept[endpoint].tolist(), strict=True)),
        dict(zip(kept["id"], kept[f"{endpoint}:relation"], strict=True)),
        dict(zip(curated.rejected["row"].tolist(), curated.rejected["reason"].tolist(), strict=True)),
        " | ".join(guess.assumed),
        guess,
        whole,
        records,
    )


def refusal(path: Path) -> str:
    """The one line with which all refuse a file."""
    with pytest.raises(ValueError) as one:
        read_whole(path)
    with pytest.raises(ValueError) as other:
        list(Scan(path, Want()).records())
    assert str(one.value) == str(other.value)
    assert "\n" not in str(one.value)
    return str(one.value)


def init_refusal(path: Path) -> str:
    """The line with which `init` refuses a file that can be read."""
    whole = read_whole(path)
    with pytest.raises(ValueError) as refused:
        guess_params(whole.frame, path.name, path.name)
    assert "\n" not in str(refused.value)
    return str(refused.value)
