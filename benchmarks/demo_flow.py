"""The whole flow on the demo data with 32 replicates of the default recipe: how long, and where it goes.

    python -m benchmarks.demo_flow [--replicates 32] [--turns 3] [--graph]

With --graph, the only family is the network on graphs of the preset `best`: 64 units, 3 layers.

Each turn is a workspace of its own, so nothing is cached but compiled code. A stage's share is read from when
its last output was written; the flow's own are starting its server and, at the end, its record and artifacts.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import table, write_section
from manywalks.params.load import Params, parse_params
from manywalks.params.presets import with_preset
from manywalks.params.render import render
from manywalks.workspace import Workspace

HERE = Path(__file__).resolve().parent.parent
LAST = {
    "curate": "data/curated.parquet",
    "featurize, split": "data/features.npz",
    "train": "models/replicates",
    "ensemble": "models/ensemble/manifest.json",
    "evaluate": "reports/statement.json",
    "report": "reports/report.html",
}
MANYWALKS = str(Path(sys.executable).with_name("manywalks"))


def fresh(work: Path, replicates: int, *, graph: bool) -> None:
    """A workspace of the demo table that asks for so many replicates, whatever the tolerance."""
    raw = HERE / "data/raw/solubility.csv"
    if not raw.is_file():
        raise SystemExit(f"{raw}: not there; run dvc pull first")
    done = subprocess.run(
        [MANYWALKS, "init", str(raw), "--workspace", str(work)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    params = Workspace.open(work).params
    asked = params.model_copy(
        update={"replicates": params.replicates.model_copy(update={"count": replicates})}
    )
    made = on_graphs_alone(asked) if graph else asked
    (work / "params.yaml").write_text(render(made), encoding="utf-8")


def on_graphs_alone(params: Params) -> Params:
    """The preset `best` without its dense families; molecules without room in its graph are rejected."""
    best = with_preset(params, "best", max_atoms=36).model_dump(mode="json")
    best["families"] = [family for family in best["families"] if "graph" in family["blocks"]]
    best["weights"] = "given"
    best["featurize"]["blocks"] = [
        {**block, "larger": "reject"} for block in best["featurize"]["blocks"] if block["kind"] == "graph"
    ]
    return parse_params(best, source="benchmarks/demo_flow.py")


def written(path: Path) -> float:
    """When a file, or the newest file of a folder, was last written."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return max(file.stat().st_mtime for file in files)


def turn(replicates: int, *, graph: bool) -> dict[str, float]:
    """Seconds of each stage of one run, and of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        fresh(work, replicates, graph=graph)
        start = time.time()
        done = subprocess.run([MANYWALKS, "train", "--workspace", str(work)], capture_output=True, text=True)
        end = time.time()
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        ends = {stage: written(work / output) for stage, output in LAST.items()}
    begins = [start, *list(ends.values())[:-1]]
    spent = {stage: at - before for (stage, at), before in zip(ends.items(), begins, strict=True)}
    return {**spent, "record, artifacts, end": end - ends["report"], "whole": end - start}


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=32)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--graph", action="store_true", help="a small network on graphs alone")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    turns = [turn(asked.replicates, graph=asked.graph) for _ in range(asked.turns)]
    lines = [
        [
            "Python, Prefect's server, curate" if name == "curate" else name,
            f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})",
            f"{statistics.median(one[name] / one['whole'] for one in turns):.0%}",
        ]
        for name in turns[0]
        for seconds in [[one[name] for one in turns]]
    ]
    option, network = (" --graph", "64 units, 3 layers") if asked.graph else ("", "default recipe")
    text = (
        f"## The whole flow on the demo data{', a network on graphs alone' if asked.graph else ''}\n\n"
        f"`python -m benchmarks.demo_flow{option}`: `manywalks train`, {network}, {asked.replicates} "
        f"replicates, a fresh workspace each of {asked.turns} turns; {len(os.sched_getaffinity(0))} cores, "
        f"load {load:.1f}. Seconds: median (least to most).\n\n{table(['part', 'seconds', 'share'], lines)}"
    )
    print(text)
    write_section("demo-flow-graph" if asked.graph else "demo-flow", text)


if __name__ == "__main__":
    main()
