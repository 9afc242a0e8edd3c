"""Standardizing with its early exit beside the whole way for every molecule: the same outcome, and how fast.

    python -m benchmarks.standardizing [--large 762105] [--seconds 0] [--only TEXT]

The strings are those of the folder MANYWALKS_DATA (default ../shared/data): large/mixed_real.csv.gz (so many)
and the nasty tables, these under four policies; each once, in an order of chance. The whole way is ChEMBL's
own functions for every molecule until nothing changes, as `manywalks` took it before. A string with another
outcome is printed and ends the run with status 1.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from chembl_structure_pipeline import standardizer as chembl
from rdkit import Chem

from benchmarks.results import table, write_section
from manywalks.chemistry import standardize
from manywalks.chemistry.standardize import Standardized, standardize_one
from manywalks.params.sections.curate import CurateParams
from manywalks.tables.frame import read_table

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
BLOCK = 500  # strings that go one way before they go the other
NASTY = ("nasty_smiles.csv", "rdkit_100kPCS_changed.csv", "witch-salts.sdf", "odd_drawings.sdf")
KEEP = {"metals": "keep", "inorganics": "keep", "polymers": "keep", "isotopes": "keep"}
POLICIES = {
    "defaults": {},
    "keep": KEEP | {"mixtures": "keep", "stereo": "flag"},
    "drop": KEEP | {"mixtures": "largest", "stereo": "drop", "isotopes": "drop"},
    "reject": {"stereo": "reject", "isotopes": "reject"},
}


class Compared(NamedTuple):
    """Of some strings: how many, seconds of each way by block (b,), and those with another outcome."""

    strings: int
    ours: np.ndarray
    whole: np.ndarray
    different: list[str]


@contextmanager
def the_whole_way() -> Iterator[None]:
    """Nothing leaves early, and the pipeline's functions are called as they are."""
    slow = {
        "_is_settled": lambda *_: False,
        "standard_mol": chembl.standardize_mol,
        "parent": parent,
    }
    with patch.multiple(standardize, **slow):
        yield


def parent(mol: Chem.Mol, *, labels: bool) -> Chem.Mol:
    """The pipeline's parent; a molecule of one part loses no part."""
    if not labels:
        mol = chembl.get_isotope_parent_mol(mol)
    if len(Chem.GetMolFrags(mol)) > 1:
        return chembl.get_fragment_parent_mol(mol, neutralize=True, check_exclusion=True)[0]
    return chembl.uncharge_mol(Chem.RemoveHs(mol, sanitize=False))


def timed(smiles: list[str], params: CurateParams) -> tuple[list[Standardized], float]:
    """Outcomes, and core seconds for all."""
    start = time.process_time()
    found = [standardize_one(text, params) for text in smiles]
    return found, time.process_time() - start


def compare(smiles: list[str], params: CurateParams, seconds: float = 0) -> Compared:
    """Block by block, both ways; after so many seconds (0: never) the rest is left out."""
    ours, whole, different, done = [], [], [], 0
    until = time.monotonic() + (seconds or np.inf)
    timed(smiles[:20], params)
    for start in range(0, len(smiles), BLOCK):
        if time.monotonic() > until:
            break
        block = smiles[start : start + BLOCK]
        found, took = timed(block, params)
        ours.append(took)
        with the_whole_way():
            expected, took = timed(block, params)
        whole.append(took)
        done += len(block)
        both = zip(block, found, expected, strict=True)
        different += [f"{text}: {one} is not {other}" for text, one, other in both if one != other]
    return Compared(done, np.array(ours), np.array(whole), different)


def row(name: str, found: Compared) -> list[str]:
    """A row of the table: milliseconds a string, and the ratio over blocks."""
    ratios = found.whole / np.maximum(found.ours, 1e-9)
    low, high = np.quantile(ratios, [0.05, 0.95])
    return [
        name,
        f"{found.strings:,}",
        f"{1000 * found.whole.sum() / found.strings:.2f}",
        f"{1000 * found.ours.sum() / found.strings:.2f}",
        f"{found.whole.sum() / found.ours.sum():.1f} ({low:.1f} to {high:.1f})",
        str(len(found.different)),
    ]


def main() -> None:
    """Compare, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=762_105)
    parser.add_argument(
        "--seconds", type=float, default=0, help="the most for each row of the table (0: all)"
    )
    parser.add_argument("--only", default="", help="rows whose name holds this")
    asked = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA}: no such folder; set MANYWALKS_DATA to the folder of public tables")
    large = read_table(DATA / "large/mixed_real.csv.gz")["smiles"].tolist()
    nasty = [text for name in NASTY for text in read_table(DATA / "nasty" / name)["smiles"]]
    sets = {f"nasty, {name}": (nasty, policy) for name, policy in POLICIES.items()}
    sets = {"mixed_real, defaults": (large, POLICIES["defaults"])} | sets
    rows, different = [], []
    for name, (smiles, policy) in sets.items():
        if asked.only not in name:
            continue
        unique = list(dict.fromkeys(smiles))
        random.Random(0).shuffle(unique)
        found = compare(unique[: asked.large], CurateParams.model_validate(policy), asked.seconds)
        rows.append(row(name, found))
        different += [f"{name}: {line}" for line in found.different]
        print(*rows[-1], *found.different[:20], sep="\n  ", flush=True)
    header = ["strings", "number", "whole way, core ms", "here, core ms", "ratio (blocks)", "other outcome"]
    write_section("standardizing", f"""## Standardizing: leaving early

`python -m benchmarks.standardizing`: every string both ways in the same run, {BLOCK} one way and then the
other. The whole way is ChEMBL's own functions for every molecule until nothing changes. In brackets, the
middle 90 % of blocks. An outcome is the SMILES, the reason, its sentence and all flags.

{table(header, rows)}
""")  # fmt: skip
    if different:
        sys.exit(f"{len(different)} strings have another outcome")


if __name__ == "__main__":
    main()
