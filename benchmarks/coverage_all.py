"""Everything that measures coverage and false alarms of what manywalks states, and how long it takes.

python -m benchmarks.coverage_all            (`make coverage`) all scripts in turn, on all cores
python -m benchmarks.coverage_all --quick    a twentieth of the experiments, nothing written
"""

import argparse
import os
import platform
import resource
import time

from benchmarks import (
    coverage,
    coverage_decisions,
    coverage_levels,
    coverage_lists,
    coverage_metrics,
    coverage_reproduce,
    coverage_series,
    mondrian,
    record,
    refresh,
)
from benchmarks.pools import all_pools
from benchmarks.results import table, write_section

SCRIPTS = (
    coverage,
    coverage_metrics,
    coverage_lists,
    coverage_decisions,
    coverage_levels,
    coverage_series,
    coverage_reproduce,
    mondrian,
    refresh,
    record,
)

TEXT = """
## Coverage: how long it takes

`make coverage`, with what is trained once (benchmarks/pools.py, benchmarks/record.py) being there. {cores}
cores, {system}, Python {python}; other processes ready to run when it began:
{load:.1f}. Where others ran too, the clock says little: the processor's time over the cores is what it takes.

{table}
"""


def main() -> None:
    """Run all scripts, write each one's sections, and last how long they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the experiments, nothing written"
    )
    quick = parser.parse_args().quick
    all_pools()
    record.assay()
    rows, load, begin = [], os.getloadavg()[0], clocks()
    for script in SCRIPTS:
        start = clocks()
        for name, text in script.sections(20 if quick else 1).items():
            print(text)
            if not quick:
                write_section(name, text)
        rows.append([script.__name__.removeprefix("benchmarks."), *minutes_since(start)])
    rows.append(["all", *minutes_since(begin)])
    text = TEXT.format(
        cores=os.cpu_count(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        load=load,
        table=table(["script", "minutes", "minutes of one processor"], rows),
    )
    print(text)
    if not quick:
        write_section("coverage-time", text)


def clocks() -> tuple[float, float]:
    """Seconds by the clock, and of processor time of this process and of those that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used)


def minutes_since(start: tuple[float, float]) -> list[str]:
    """Minutes since then, by the clock and of processor time."""
    return [f"{(now - then) / 60:.1f}" for now, then in zip(clocks(), start, strict=True)]


if __name__ == "__main__":
    main()
