"""Everything that measures coverage and false alarms of what manywalks states, and how long it takes.

python -m benchmarks.coverage_all            (`make coverage`) all scripts in turn, on all cores
python -m benchmarks.coverage_all --quick    a twentieth of the experiments, nothing written
"""

import os
import platform
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
    refresh,
)
from benchmarks.experiments import main
from benchmarks.pools import all_pools
from benchmarks.results import table

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
)


TEXT = """
## Coverage: how long it takes

`make coverage`, the pools of replicates (benchmarks/pools.py) being there. {cores} cores, {system},
Python {python}; other processes ready to run when it began: {load:.1f}.

{table}
"""


def sections(share: int) -> dict[str, str]:
    """The sections of all scripts, and one of the time that each took."""
    all_pools()  # trained now if they are not kept yet: that is not part of the time
    found, rows, began, load = {}, [], time.perf_counter(), os.getloadavg()[0]
    for script in SCRIPTS:
        start = time.perf_counter()
        found |= script.sections(share)
        minutes = (time.perf_counter() - start) / 60
        rows.append([script.__name__.removeprefix("benchmarks."), f"{minutes:.1f}"])
    rows.append(["all", f"{(time.perf_counter() - began) / 60:.1f}"])
    text = TEXT.format(
        cores=os.cpu_count(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        load=load,
        table=table(["script", "minutes"], rows),
    )
    return found | {"coverage-time": text}


if __name__ == "__main__":
    main(__doc__, sections)
