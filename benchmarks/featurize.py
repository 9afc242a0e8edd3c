"""Featurizing beside RDKit's own multi-threaded call, on the same molecules, in one run.

    python -m benchmarks.featurize [--molecules 20000]

RDKit's call takes parsed molecules and leaves RDKit objects; both sides are timed from SMILES, since that is
what a user has, to what each leaves: RDKit's list of count vectors, and our sparse matrix. The molecules are
those of the folder MANYWALKS_DATA (default ../shared/data), drug-like ones of the TDC tables first.
"""

import argparse
import os
import time
from pathlib import Path

import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

from benchmarks.results import table, write_section
from manywalks.featurize.featurize import featurize
from manywalks.params.sections.model import FeatureBlock, FeaturizeParams

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))


def molecules(count: int) -> list[str]:
    """`count` SMILES of the TDC tables, repeated where there are fewer."""
    paths = sorted((DATA / "tdc").glob("*.csv"))
    if not paths:
        raise SystemExit(f"{DATA}: has no tdc/*.csv; set MANYWALKS_DATA")
    smiles = [text for path in paths for text in pd.read_csv(path)["Drug"]]
    return (smiles * (count // len(smiles) + 1))[:count]


def rdkit_rate(smiles: list[str], cores: int) -> float:
    """Molecules a second of RDKit: parsed one by one, then one call on all cores."""
    start = time.perf_counter()
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) for text in smiles]
        rdFingerprintGenerator.GetMorganGenerator(2, fpSize=1024).GetCountFingerprints(mols, numThreads=cores)
    return len(smiles) / (time.perf_counter() - start)


def our_rate(smiles: list[str], blocks: tuple[FeatureBlock, ...], cores: int) -> float:
    """Molecules a second of `featurize`."""
    start = time.perf_counter()
    featurize(smiles, blocks, cores=cores)
    return len(smiles) / (time.perf_counter() - start)


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecules", type=int, default=20000)
    count = parser.parse_args().molecules
    cores = len(os.sched_getaffinity(0))
    smiles = molecules(count)
    morgan = (FeatureBlock.model_validate({"kind": "morgan_count"}),)
    default = FeaturizeParams.model_validate({}).blocks
    our_rate(smiles[:5000], morgan, cores)  # starts the worker processes, as any longer run would have
    theirs, ours = rdkit_rate(smiles, cores), our_rate(smiles, morgan, cores)
    names = " + ".join(block.kind for block in default)
    text = table(
        ["features", "by", "molecules a second", "of RDKit's call"],
        [
            ["Morgan counts, 1,024", f"RDKit, `numThreads={cores}`", f"{theirs:,.0f}", "100 %"],
            ["Morgan counts, 1,024", "featurize", f"{ours:,.0f}", f"{ours / theirs:.0%}"],
            [names, "featurize", f"{our_rate(smiles[: count // 5], default, cores):,.0f}", ""],
        ],
    )
    text = f"## Featurizing\n\n{count:,} SMILES, {cores} cores (`python -m benchmarks.featurize`).\n\n{text}"
    print(text)
    write_section("featurize", text)


if __name__ == "__main__":
    main()
