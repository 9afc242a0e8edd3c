"""Curation: speed beside the bare ChEMBL pipeline in a process pool, and robustness on nasty real strings.

Run `python -m benchmarks.curation [--speed 6000] [--beside 40000] [--large 762105]`; data from
MANYWALKS_DATA. Sections "curation", "curation-before" and "curation-proof" of RESULTS.md are written anew.
"""

import argparse
import collections
import json
import multiprocessing
import os
import platform
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from chembl_structure_pipeline import standardizer
from rdkit import Chem, RDLogger

from benchmarks.before import run, source
from benchmarks.results import table, write_section
from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.data.curate import curate_table
from manywalks.params.load import parse_params
from manywalks.params.sections.curate import CurateParams
from manywalks.split.split import split_molecules
from manywalks.tables.frame import read_table

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("MANYWALKS_DATA", ROOT / "../shared/data")).resolve()


def bare(smiles: str) -> str | None:
    """What a script does with the pipeline: parse, standardize, parent, write."""
    try:
        mol = Chem.MolFromSmiles(smiles)
        return Chem.MolToSmiles(standardizer.get_parent_mol(standardizer.standardize_mol(mol))[0])
    except Exception:  # a benchmark counts it as done
        return None


def quiet() -> None:
    """RDKit's log off, in each process of the pool."""
    RDLogger.DisableLog("rdApp.*")  # pyright: ignore[reportAttributeAccessIssue]


def speed(n: int, cores: int, rounds: int = 3) -> str:
    """Molecules a second of both, turn by turn in one run, on a sample of the mixed table."""
    smiles = read_table(DATA / "large/mixed_real.csv.gz")["smiles"].drop_duplicates()
    sample = smiles.sample(n, random_state=0).tolist()
    rates: dict[str, list[float]] = {"bare": [], "curate": []}
    with multiprocessing.get_context("spawn").Pool(cores, initializer=quiet) as pool:
        pool.map(bare, sample[:200], chunksize=20)
        for _ in range(rounds):
            start = time.perf_counter()
            pool.map(bare, sample, chunksize=50)
            rates["bare"].append(n / (time.perf_counter() - start))
            start = time.perf_counter()
            standardize_smiles(sample, CurateParams.model_validate({}), cores=cores)
            rates["curate"].append(n / (time.perf_counter() - start))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    rows = [
        ["`chembl_structure_pipeline` in a process pool", f"{middle['bare']:.0f}", "1.00"],
        ["`standardize_smiles`", f"{middle['curate']:.0f}", f"{middle['curate'] / middle['bare']:.2f}"],
    ]
    lines = table(["on the same molecules", "molecules a second", "ratio"], rows)
    return (
        f"## Curation: speed\n\n{n} molecules drawn from 18 public sets, {cores} cores, {_machine()}, median "
        f"of {rounds} turns. Starting worker processes is counted for manywalks, not for the pool.\n\n{lines}"
    )


BESIDE = """
import json, sys, time
from pathlib import Path
from manywalks.data.curate import curate_table
from manywalks.params.load import parse_params
from manywalks.tables.frame import read_table

frame = read_table(Path(sys.argv[1])).assign(number="1")
asked = {"data": {"path": "mixed", "endpoints": {"number": {}}}, "orchestrate": {"cores": int(sys.argv[2])}}
params = parse_params(asked, source="mixed")
start = time.perf_counter()
curate_table(frame, params)
print(json.dumps(time.perf_counter() - start))
"""


def beside(records: int, cores: int, turns: int = 2) -> str:
    """Curating before the descriptors were compiled and now, in turn: seconds for a million records."""
    mixed = read_table(DATA / "large/mixed_real.csv.gz").sample(records, random_state=0)
    with tempfile.TemporaryDirectory() as name:
        mixed.to_csv(Path(name) / "mixed.csv", index=False)
        packages = {"before": source(Path(name) / "before"), "now": ROOT / "src"}
        found: dict[str, list[float]] = {way: [] for way in packages}
        for _ in range(turns):
            for way, package in packages.items():
                done = run(package, [str(Path(name) / "mixed.csv"), str(cores)], code=BESIDE)
                found[way].append(1e6 / records * json.loads(done.output))
    ratios = [one / other for one, other in zip(found["before"], found["now"], strict=True)]
    rows = [[way, f"{statistics.median(each):,.0f}"] for way, each in found.items()]
    return (
        f"## Curation: before and now\n\n{records:,} records of mixed_real from raw table to molecules, "
        f"{cores} cores, {turns} turns, both packages in turn. Now is "
        f"{statistics.median(ratios):.1f} times as fast ({min(ratios):.1f} to {max(ratios):.1f}).\n\n"
        + table(["package", "seconds for a million records"], rows)
    )


SETS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "nasty_smiles": ("nasty/nasty_smiles.csv", {"endpoints": {"line": {}}}, {}),
    "rdkit_100kPCS_changed": ("nasty/rdkit_100kPCS_changed.csv", {}, {}),
    "witch-salts": ("nasty/witch-salts.sdf", {}, {}),
    "odd_drawings": ("nasty/odd_drawings.sdf", {}, {}),
    "MAO-A, raw ChEMBL export": (
        "assay/chembl_raw_maoa_human_ic50.csv",
        {
            "smiles": "Smiles",
            "id": "Molecule ChEMBL ID",
            "where": {"Data Validity Comment": [""]},
            "endpoints": {
                "pIC50": {
                    "column": "Standard Value",
                    "unit": "pIC50",
                    "unit_column": "Standard Units",
                    "relation_column": "Standard Relation",
                    "transform": "p",
                }
            },
        },
        {"method": "time", "column": "Document Year"},
    ),
    "tox21, 12 classes": ("assay/tox21.csv", {"id": "mol_id", "endpoints": "tox21"}, {}),
    "biogen ADME, 6 endpoints": ("assay/biogen_adme_3521.csv", {"smiles": "SMILES", "endpoints": "LOG"}, {}),
}


def proof(large: int, cores: int) -> str:
    """Every nasty table through curate_table: nothing lost, and how long it took."""
    rows, reasons, before = [], collections.Counter(), _largest()
    for name, (path, data, split) in SETS.items():
        rows.append(_prove(name, read_table(DATA / path), data, split, cores, reasons))
    if large:
        mixed = read_table(DATA / "large/mixed_real.csv.gz")
        name = "mixed_real"
        if large > len(mixed):
            name = f"mixed_real, the first {large - len(mixed):,} once more"
            mixed = pd.concat([mixed, mixed.iloc[: large - len(mixed)]], ignore_index=True)
        mixed = mixed.iloc[:: max(1, len(mixed) // large)]
        rows.append(_prove(name, mixed, {}, {}, cores, reasons))
    header = ["table", "records", "kept", "merged", "rejected", "sum", "seconds"]
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
    return (
        "## Curation: nothing lost\n\nEach record is kept, merged into one that is kept, or rejected with "
        f"one reason. {cores} cores, {_machine()}; largest memory of the main process {_largest():.2f} GiB, "
        f"{before:.2f} of them before the first table was read; tables and results are part of it.\n\n"
        f"{table(header, rows)}\n\nReasons over all tables: {listed}."
    )


def _prove(
    name: str, frame: pd.DataFrame, data: dict, split: dict, cores: int, reasons: collections.Counter
) -> list[str]:
    """A row of the table; a lost record is an error."""
    if not data.get("endpoints"):
        frame, data = frame.assign(number="1"), data | {"endpoints": {"number": {}}}
    elif data["endpoints"] == "tox21":
        data = data | {"endpoints": {c: {"kind": "classification"} for c in frame.columns[:12]}}
    elif data["endpoints"] == "LOG":
        data = data | {"endpoints": {c: {} for c in frame.columns if c.startswith("LOG")}}
    params = parse_params(
        {"data": {"path": name, **data}, "split": split, "orchestrate": {"cores": cores}}, source=name
    )
    start = time.perf_counter()
    molecules, rejected, card = curate_table(frame, params)
    took = time.perf_counter() - start
    kept, merged = len(molecules), int(molecules["records"].to_numpy().sum()) - len(molecules)
    if kept + merged + len(rejected) != len(frame) or rejected["row"].duplicated().any():
        raise RuntimeError(f"{name}: {kept} + {merged} + {len(rejected)} is not {len(frame)}")
    if kept < 100_000:
        split_molecules(molecules, params.split)
    reasons.update({reason: found["count"] for reason, found in card["reasons"].items()})
    cells = [f"{count:,}" for count in (len(frame), kept, merged, len(rejected))]
    print(name, *cells, f"{took:.1f} s", flush=True)
    return [name, *cells, "holds", f"{took:.1f}"]


def _largest() -> float:
    """This process's largest memory so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


def main() -> None:
    """Both sections, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=int, default=6000, help="molecules to time; 0: leave out")
    parser.add_argument("--large", type=int, default=762_105, help="records of the mixed table; -1: no proof")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--beside", type=int, default=40_000, help="records for both commits; 0: leave out")
    chosen = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA}: no such folder; set MANYWALKS_DATA to the folder of public tables")
    if chosen.speed:
        write_section("curation", speed(chosen.speed, chosen.cores))
    if chosen.beside:
        write_section("curation-before", beside(chosen.beside, chosen.cores))
    if chosen.large >= 0:
        write_section("curation-proof", proof(chosen.large, chosen.cores))


if __name__ == "__main__":
    main()
