"""Where the time of a molecule goes: each part's core milliseconds, now and before, in turn.

    python -m benchmarks.parts [--molecules 1000] [--turns 3] [--before COMMIT]

The molecules are drawn from the folder MANYWALKS_DATA (default ../shared/data), large/mixed_real.csv.gz.
"Before" is the last commit before the descriptors were compiled. A part is measured on one core, after 100
molecules that do not count.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.before import COMMIT, ROOT, run, source
from benchmarks.results import table, write_section
from manywalks.tables.frame import read_table

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
WARM = 100
KINDS = (
    "morgan_count", "morgan_feature_count", "erg", "atom_pair_count", "torsion_count", "avalon_count",
    "rdkit2d", "ionization",
)  # fmt: skip
# runs with the package of either commit, so it uses what both have
CODE = f"""
import json, sys, time
from rdkit import Chem, rdBase
from manywalks.chemistry.standardize import standardize_one
from manywalks.chemistry.tautomers import tautomer_keys
from manywalks.featurize.molecule import featurize_molecule
try:
    from manywalks.params.sections.curate import CurateParams
    from manywalks.params.sections.model import FeatureBlock
except ModuleNotFoundError:  # of a former commit
    from manywalks.params.curate import CurateParams
    from manywalks.params.model import FeatureBlock

given = json.load(open(sys.argv[1]))
took = {{}}

def measure(name, work, items):
    for item in items[:{WARM}]:
        work(item)
    start = time.process_time()
    found = [work(item) for item in items[{WARM}:]]
    took[name] = 1000 * (time.process_time() - start) / (len(items) - {WARM})
    return found

with rdBase.BlockLogs():
    curate = CurateParams()
    measure("standardizing", lambda text: standardize_one(text, curate), given)
    clean = [found for text in given if (found := standardize_one(text, curate).smiles)]
    measure("reading", Chem.MolFromSmiles, clean)
    blocks = [FeatureBlock.model_validate({{"kind": kind}}) for kind in {KINDS!r}]
    for block in blocks:
        measure(block.kind, lambda text: featurize_molecule(text, [block]), clean)
        took[block.kind] -= took["reading"]
    measure("all features, with reading", lambda text: featurize_molecule(text, blocks), clean)
    measure("tautomer key of a split", lambda text: tautomer_keys([text]), clean)
print(json.dumps(took))
"""


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecules", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--before", default=COMMIT)
    asked = parser.parse_args()
    path = DATA / "large/mixed_real.csv.gz"
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; set MANYWALKS_DATA")
    with tempfile.TemporaryDirectory() as name:
        given = Path(name) / "given.json"
        smiles = read_table(path)["smiles"].sample(asked.molecules + WARM, random_state=0)
        given.write_text(json.dumps(smiles.tolist()), encoding="utf-8")
        packages = {"before": source(Path(name) / "before", asked.before), "now": ROOT / "src"}
        found: dict[str, list[dict[str, float]]] = {way: [] for way in packages}
        for _ in range(asked.turns):
            for way, package in packages.items():
                found[way].append(json.loads(run(package, [str(given)], code=CODE).output))
    text = section(found, asked.molecules, asked.turns)
    print(text)
    write_section("parts", text)


def section(found: dict[str, list[dict[str, float]]], molecules: int, turns: int) -> str:
    """The table: medians, and the ratio with its range over turns."""
    rows = []
    for part in found["now"][0]:
        before, now = (np.array([turn[part] for turn in found[way]]) for way in ("before", "now"))
        ratios = before / now
        rows.append(
            [part, f"{np.median(before):.3f}", f"{np.median(now):.3f}",
             f"{np.median(ratios):.1f} ({ratios.min():.1f} to {ratios.max():.1f})"]
        )  # fmt: skip
    return f"""## Where the time of a molecule goes

`python -m benchmarks.parts`: {molecules:,} molecules of mixed_real, core milliseconds a molecule, the median
of {turns} turns, both packages in turn. "Before" is the commit before the descriptors were compiled. Blocks
are given without reading the molecule, which all of them share. A fingerprint alone is RDKit's; beside
rdkit2d the first five are made from the arrays that it reads, so all features take less than their sum.

{table(["part", "before", "now", "ratio (least to most)"], rows)}
"""


if __name__ == "__main__":
    main()
