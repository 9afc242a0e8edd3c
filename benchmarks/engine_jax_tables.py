"""What benchmarks/engine_jax.py has measured: kept on disk row by row, and written as sections."""

import json
from pathlib import Path

from benchmarks.results import table, write_section

# molecules of the whole run
MOLECULES = 1_800
# bytes of the weights, two moments, each read and written once a step
BYTES_A_WEIGHT = 24
SPEED = f"""Milliseconds of wall-clock time per replicate and step, for a whole pack (50 epochs, graph
40) with its initial weights and predictions; `fit` one after another on the same device. Limit:
{BYTES_A_WEIGHT} bytes per weight at the speed at which this device reads and writes an array of 1 GB,
pass after pass. The time of the first pack includes compiling."""
GROWTH = """One family's features (2,048 counts, 240 descriptors), the default network, batch 64, 2 epochs:
for small tables, most of the time goes into initial weights and copying results to the host."""
EXACTNESS = """Whole trainings with the same random numbers; RMSE of the test molecules in SDs of the target.
Seconds include compiling, which is partly kept from earlier runs."""
HEADERS = {
    "speed": ["network (ESOL)", "replicates", "engine", "fit", "fit / engine", "numba engine, all cores",
              "numba / engine", "of the bandwidth limit", "first pack, s"],
    "growth": ["molecules", "replicates", "ms per replicate and step", "s for 2 epochs", "peak GiB so far"],
    "precision": ["network (ESOL)", "replicates", "float32: RMSE ± SD", "tensorfloat32: RMSE ± SD",
                  "p (Welch)", "mean difference of the same replicate", "float32, s", "tensorfloat32, s"],
    "whole": ["step", "replicates", "s"],
    "best": ["step", "replicates", "s"],
    "predict": ["family", "replicates", "all cores, ms per molecule", "device, ms per molecule",
                "cores / device", "largest difference"],
}  # fmt: skip
WHOLE = f"""{MOLECULES:,} molecules of the lipophilicity table, the default mix of two families, each step a
process of its own."""
BEST = f"""{MOLECULES:,} molecules of the lipophilicity table, the preset `best`: two dense families and one
on graphs, each step a process of its own."""
PREDICT = """Outputs of the networks alone, from scaled features, of the model of the run with the preset
`best`; 20,000 molecules, its own again and again. The difference is in SDs of the target."""
TEXTS = {
    "speed": SPEED, "growth": GROWTH, "precision": EXACTNESS, "whole": WHOLE, "best": BEST,
    "predict": PREDICT,
}  # fmt: skip
TITLES = {
    "speed": "speed", "growth": "growth", "precision": "exactness of products", "whole": "a whole run",
    "best": "a whole run with graphs", "predict": "prediction",
}  # fmt: skip


class Kept:
    """Rows by part and what they are of, on disk: other runs on the device add theirs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, dict[str, list[str]]] = json.loads(path.read_text()) if path.is_file() else {}

    def add(self, part: str, name: str, row: list[str]) -> None:
        """Keep and print a row."""
        self.rows.setdefault(part, {})[name] = row
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(json.dumps(self.rows))
        print(part, *row, flush=True)


def write(kept: Kept) -> None:
    """All sections of which something is known."""
    where = kept.rows["device"]["name"][0]
    for part, title in TITLES.items():
        if rows := kept.rows.get(part):
            lines = table(HEADERS[part], list(rows.values()))
            text = f"## Engine for accelerators: {title}\n\n{where}. {TEXTS[part]}\n\n{lines}"
            write_section(f"engine-jax-{part}", text)
