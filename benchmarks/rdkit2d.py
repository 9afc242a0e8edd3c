"""The 217 descriptors beside RDKit's own functions: are they the same, and how much faster are they?

    python -m benchmarks.rdkit2d [--molecules 50000] [--seed 0]

The molecules are drawn from the folder MANYWALKS_DATA (default ../shared/data): as many from
large/mixed_real.csv.gz, and from nasty/nasty_smiles.csv half as many, as they are written. Equal means equal
as float32, to a unit in the last place or two; every column with a difference is listed.
"""

import argparse
import os
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase

from benchmarks.results import table, write_section
from manywalks.featurize.descriptors import descriptor_functions, descriptors, finite
from manywalks.featurize.rdkit2d.columns import value

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
WARM = 200  # molecules before the clock counts: compiled code is loaded with them


class Compared(NamedTuple):
    """Of one table: molecules, processor ms a molecule here and by RDKit, differences by column, examples."""

    molecules: int
    ours: float
    rdkits: float
    different: Counter[str]
    examples: dict[str, str]


def drawn(path: Path, count: int, seed: int) -> list[str]:
    """So many SMILES of a table, all where it has fewer."""
    smiles = pd.read_csv(path)["smiles"].dropna().astype(str)
    return smiles.sample(min(count, len(smiles)), random_state=seed).tolist()


def by_rdkit(mol: Chem.Mol) -> np.ndarray:
    """RDKit's values, float32 (217,)."""
    return finite(np.array([[value(function, mol) for function in descriptor_functions().values()]]))[0]


def compare(smiles: list[str]) -> Compared:
    """Each molecule by both, in turn."""
    names = tuple(descriptor_functions())
    different: Counter[str] = Counter()
    examples: dict[str, str] = {}
    ours = rdkits = 0.0
    molecules = 0
    for text in smiles:
        # each gets a molecule of its own: RDKit keeps on a molecule what it has worked out
        one, other = Chem.MolFromSmiles(text), Chem.MolFromSmiles(text)
        if one is None or not one.GetNumAtoms():
            continue
        molecules += 1
        if molecules == WARM:
            ours = rdkits = 0.0
        start = time.process_time()
        found = descriptors([one], names)[0]
        middle = time.process_time()
        expected = by_rdkit(other)
        ours, rdkits = ours + middle - start, rdkits + time.process_time() - middle
        same = np.isclose(found, expected, rtol=1e-6, atol=1e-6, equal_nan=True)
        for place in np.flatnonzero(~same):
            different[names[place]] += 1
            examples.setdefault(names[place], f"{text}: {found[place]:.7g}, RDKit {expected[place]:.7g}")
    timed = max(1, molecules - WARM)
    return Compared(molecules, 1000 * ours / timed, 1000 * rdkits / timed, different, examples)


def main() -> None:
    """Compare, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecules", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA}: no such folder; set MANYWALKS_DATA to the folder of public tables")
    tables = {
        "mixed real strings": drawn(DATA / "large/mixed_real.csv.gz", asked.molecules, asked.seed),
        "nasty strings": drawn(DATA / "nasty/nasty_smiles.csv", asked.molecules // 2, asked.seed),
    }
    rows, listed = [], []
    with rdBase.BlockLogs():
        for name, smiles in tables.items():
            found = compare(smiles)
            ratio = found.rdkits / found.ours
            rows.append(
                [name, f"{found.molecules:,}", f"{found.rdkits:.2f}", f"{found.ours:.2f}", f"{ratio:.1f}",
                 f"{found.different.total():,} of {217 * found.molecules:,}"]
            )  # fmt: skip
            listed += [
                f"- {name}, {column}: {count:,} molecules; {found.examples[column]}"
                for column, count in found.different.most_common()
            ]
    header = [
        "molecules",
        "number",
        "RDKit's functions, core ms",
        "here, core ms",
        "ratio",
        "values that differ",
    ]
    text = f"""## RDKit's 2D descriptors

All 217 of a molecule, parsed already, beside RDKit's own Python functions in the same run
(`python -m benchmarks.rdkit2d`). Equal is equal to float32 rounding, NaN where RDKit has none.

{table(header, rows)}

{chr(10).join(listed) or "No value differs."}
"""
    print(text)
    write_section("rdkit2d", text)


if __name__ == "__main__":
    main()
