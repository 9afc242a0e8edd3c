"""Are atom contributions right, and is the distrust of them earned? A property that is known exactly.

    python -m benchmarks.explain            one run of two minutes on two cores

The replicates learn Crippen's logP of the demo's molecules, which RDKit computes: so the true change on
taking an atom away is known for every atom. Written to benchmarks/RESULTS.md.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import Crippen

from benchmarks.results import table, write_section
from manywalks.ensemble.explain import explain, without_atom
from manywalks.ensemble.model import Ensemble

TABLE = Path(__file__).resolve().parent.parent / "data/raw/solubility.csv"
PARAMS = """
data: {path: table.csv, id: id, endpoints: {logP: {kind: regression}}}
split: {method: random}
replicates: {count: 16}
"""
MOLECULES = 100


class Atom(NamedTuple):
    """One atom of a test molecule: what the model says it adds, whether to trust that, and the truth."""

    contribution: float
    trusted: bool
    truth: float


def train(folder: Path) -> None:
    """An ensemble of Crippen's logP in `folder`."""
    raw = pd.read_csv(TABLE)
    mols = [Chem.MolFromSmiles(text) for text in raw["smiles"]]
    logp = [None if mol is None else Crippen.MolLogP(mol) for mol in mols]  # pyright: ignore
    raw.assign(logP=logp)[["id", "smiles", "logP"]].to_csv(folder / "table.csv", index=False)
    (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
    command = Path(sys.executable).with_name("manywalks")
    subprocess.run([command, "train", "--workspace", folder], check=True)


def atoms(folder: Path) -> list[Atom]:
    """Every atom of some test molecules of 6 atoms or more."""
    predictions = pd.read_parquet(folder / "reports/predictions.parquet")
    test = predictions.loc[predictions["subset"] == "test", "smiles"].tolist()
    large = [text for text in test if Chem.MolFromSmiles(text).GetNumAtoms() >= 6]
    model = Ensemble.load(folder / "models/ensemble")
    return [atom for text in large[:MOLECULES] for atom in _atoms(model, text)]


def _atoms(model: Ensemble, smiles: str) -> list[Atom]:
    """The atoms of one molecule."""
    found = explain(model, smiles)
    mol = Chem.MolFromSmiles(found.smiles)
    whole = Crippen.MolLogP(mol)  # pyright: ignore
    rows = []
    for row in found.atoms().itertuples():
        left = without_atom(mol, int(row.atom))  # pyright: ignore
        if left is not None:
            truth = whole - Crippen.MolLogP(Chem.MolFromSmiles(left))  # pyright: ignore
            rows.append(Atom(float(row.contribution), bool(row.trusted), truth))  # pyright: ignore
    return rows


def main() -> None:
    """Train, compare, write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train(folder)
        found = pd.DataFrame(atoms(folder))
    rows = []
    for label, part in (
        ("trusted", found[found["trusted"]]),
        ("not to be trusted", found[~found["trusted"]]),
    ):
        right = float((np.sign(part["contribution"]) == np.sign(part["truth"])).mean())
        together = float(np.corrcoef(part["contribution"], part["truth"])[0, 1])
        rows.append([label, str(len(part)), f"{100 * right:.0f} %", f"{together:.2f}"])
    text = table(["atoms", "how many", "sign right", "correlation with the truth"], rows)
    print(text)
    words = f"Crippen's logP learned by 16 replicates; the atoms of {MOLECULES} test molecules."
    write_section("explain", f"## Atom contributions\n\n{words}\n\n{text}")


if __name__ == "__main__":
    main()
