"""How the dense engine's time and memory grow with replicates, molecules, features and parameters.

    python -m benchmarks.engine_growth

Besides its section it draws docs/images/engine-growth.svg.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmarks import problems
from benchmarks.engine import CORES, seconds, trained
from benchmarks.results import table, write_section
from manywalks.features import Features
from manywalks.report.charts.charts import Plane, axis
from manywalks.train.problem import Problem
from manywalks.train.weights import weight_shapes

COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
COLUMNS = (1024, 4096, 16_384, 65_536)
WIDTHS = (128, 256, 512, 1024, 2048)
PICTURE = Path(__file__).resolve().parent.parent / "docs/images/engine-growth.svg"
STYLE = (
    "text{font:13px sans-serif;fill:#59636e}.title,.note{fill:#1c2127}.grid{stroke:#e2e5e9}"
    ".axis{stroke:#59636e}.line{stroke:#0072b2;stroke-width:2;fill:none}"
    ".marks{stroke:#d55e00;stroke-width:8;stroke-linecap:round}"
)


def growth() -> str:
    """Time and memory against the number of replicates and of molecules."""
    problem = problems.problem("esol", "S", 5)
    trained(problem, 1)
    times = [seconds(lambda n=n: trained(problem, n)) for n in COUNTS]
    slope, intercept = np.polyfit(COUNTS[1:], times[1:], 1)
    replicates = [[str(n), f"{t:.2f}", f"{1000 * t / n:.0f}"] for n, t in zip(COUNTS, times, strict=True)]
    PICTURE.write_text(picture(np.array(times), float(slope), float(intercept)), encoding="utf-8")
    held = {n: _peak_memory(f"engine.trained(problems.problem('esol', 'S', 1), {n})") for n in (2, 32)}
    kept = {
        n: _peak_memory(
            "from manywalks.train.engines import train_pack\n"
            "from manywalks.train.problem import Pack\n"
            f"kept = list(train_pack(Pack(problems.problem('esol', 'S', 1), range({n}), 1, threads=2)))"
        )
        for n in (2, 32)
    }
    molecules = []
    for n in (1000, 10_000, 100_000):
        molecules.append([f"{n:,}", *_cells(f"many_molecules({n})")])
        print(molecules[-1], flush=True)
    columns = [[f"{n:,}", *_cells(f"of_columns({n})")] for n in COLUMNS]
    widths = [_cells(f"of_width({n})") for n in WIDTHS]
    return f"""## Dense engine: growth

Replicates of S on ESOL, 145 steps each, compiled before: {1000 * slope:.0f} ms a replicate and
{intercept:.2f} s besides (least squares from 2 on; [picture](../docs/images/engine-growth.svg)).

{table(["replicates", "s", "ms a replicate"], replicates)}

Largest memory of a process that trains and forgets: {held[2]:.0f} MB with 2 replicates, {held[32]:.0f} MB
with 32 ({(held[32] - held[2]) / 30:.1f} MB a replicate). That keeps all results: {kept[2]:.0f} and
{kept[32]:.0f} MB ({(kept[32] - kept[2]) / 30:.1f} MB a replicate, 4.5 of them the result's weights).

S on molecules of the lipophilicity set, repeated: one epoch of two replicates.

{table(["molecules", "ms a replicate and step", "largest memory, MB"], molecules)}

S on 2,000 molecules of 60 random bits, the more columns the fewer molecules share one:

{table(["columns", "ms a replicate and step", "largest memory, MB"], columns)}

S on ESOL with other widths:

{table(["widths", "parameters", "ms a replicate and step", "ns a parameter", "memory, MB"], widths)}"""


def many_molecules(n: int) -> tuple[str, str]:
    """One epoch on n molecules: ms a replicate and step, and the process's largest memory in MB."""
    small = problems.problem("lipophilicity", "S", 1)
    rows = np.arange(n) % len(small.features)
    problem = replace(
        small, features=small.features.take(rows), targets=small.targets.take(rows),
        train=np.arange(n * 9 // 10), valid=np.arange(n * 9 // 10, n), predict=np.arange(n * 9 // 10, n),
    )  # fmt: skip
    return f"{_ms_a_step(problem):.3f}", f"{_largest():.0f}"


def of_columns(d: int) -> tuple[str, str]:
    """2,000 molecules of 60 random bits in d columns: ms a replicate and step, largest memory in MB."""
    small, n, rng = problems.problem("lipophilicity", "S", 1), 2000, np.random.default_rng(0)
    bits = sparse.csr_matrix(
        (np.ones(60 * n, np.float32), rng.integers(0, d, 60 * n), np.arange(0, 60 * n + 1, 60)), (n, d)
    )
    bits.sum_duplicates()
    features = Features(bits, np.zeros((n, 0), np.float32), tuple(f"bit_{i}" for i in range(d)))
    problem = replace(
        small, features=features, targets=small.targets.take(np.arange(n)),
        train=np.arange(1800), valid=np.arange(1800, n), predict=np.arange(1800, n),
    )  # fmt: skip
    return f"{_ms_a_step(problem):.3f}", f"{_largest():.0f}"


def of_width(width: int) -> tuple[str, str, str, str, str]:
    """Two hidden layers: their widths, parameters, ms a replicate and step, ns a parameter, memory in MB."""
    small = problems.problem("esol", "S", 3)
    network = small.network.model_copy(update={"widths": (width, width // 4)})
    shapes = weight_shapes(network, small.features.width, 1)
    parameters = sum(int(np.prod(shape)) for shape in shapes)
    ms = _ms_a_step(replace(small, network=network))
    return (
        f"{width}-{width // 4}", f"{parameters:,}", f"{ms:.3f}", f"{1e6 * ms / parameters:.2f}",
        f"{_largest():.0f}",
    )  # fmt: skip


def _ms_a_step(problem: Problem) -> float:
    """Of one replicate, with one on every core, compiled before."""
    trained(replace(problem, train=problem.train[:64]), CORES)
    took = seconds(lambda: trained(problem, CORES))
    return 1000 * took / CORES / problem.steps_per_epoch / problem.epochs


def _largest() -> float:
    """This process's largest memory so far, MB; what `getrusage` says is inherited from the parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _cells(call: str) -> list[str]:
    """What one of the functions above returns in a fresh process."""
    return _in_child(f"print(*engine_growth.{call}, end='')").split()


def _in_child(code: str) -> str:
    """What a fresh process prints."""
    command = [sys.executable, "-c", f"from benchmarks import engine, engine_growth, problems\n{code}"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _peak_memory(code: str) -> float:
    """Largest memory of a fresh process that runs it, MB."""
    return float(_in_child(f"{code}\nprint(engine_growth._largest(), end='')"))


def picture(times: np.ndarray, slope: float, intercept: float) -> str:
    """Seconds against replicates, and the straight line through them, as an SVG file."""
    counts = np.array(COUNTS, dtype=float)
    plane = Plane(axis("replicates", counts, zero=True), axis("seconds", times, zero=True))
    ends = np.array([0.0, counts[-1]])
    marks = [plane.line(ends, intercept + slope * ends), plane.dots(counts, times, "marks")]
    alt = f"1 to {counts[-1]:.0f} replicates take {times[0]:.1f} to {times[-1]:.1f} s, on a straight line"
    chart = plane.svg(marks, alt).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return chart.replace(">", f"><style>{STYLE}</style>", 1) + "\n"


def main() -> None:
    """Measure, print, write the section."""
    busy = os.getloadavg()[0]
    text = f"{growth()}\n\nOther processes ready to run when it began: {busy:.1f}."
    print(text, flush=True)
    write_section("engine-growth", text)


if __name__ == "__main__":
    main()
