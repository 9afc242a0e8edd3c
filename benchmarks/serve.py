"""A service under load: requests a second and latency, then minutes of it with bad input mixed in.

    python -m benchmarks.serve [--model .] [--minutes 10] [--seconds 20]

Real HTTP clients, each with a connection of its own, ask a `manywalks serve` of the model. The molecules are
those of the demo's table with a chain of another length on each, so that no answer is remembered. Then 16
clients ask for minutes: one request in five is bad (no SMILES, a table without molecules, a body that is too
large or no JSON). Nothing may be answered with 500, no good molecule wrongly, and memory must not grow.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import psutil

from benchmarks.results import table, write_section
from manywalks.ensemble.model import Ensemble
from manywalks.serve.source import Source

DEMO = Path(__file__).resolve().parent.parent / "data/raw/solubility.csv"
CLIENTS = (1, 16, 64)
PREDICT = "/v1/models/demo/predict"
JSON = "application/json"
# seconds between two looks at the memory
LOOK_S = 2.0
Body = tuple[bytes, str, int]


@contextmanager
def running(model: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A service of the model on a free port, and its process."""
    program = Path(sys.executable).with_name("manywalks")
    process = subprocess.Popen(
        [program, "serve", f"demo={model}", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        lines = (process.stdout.readline().strip() for _ in range(10))
        yield next(line for line in lines if line.startswith("http")), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def molecules() -> Iterator[str]:
    """Molecules without end, each another one."""
    known = [text for text in pd.read_csv(DEMO)["smiles"].tolist() if "." not in text]
    for length in itertools.count(1):
        yield from ("C" * length + text for text in random.Random(length).sample(known, len(known)))


def resident(process: psutil.Process) -> float:
    """MiB of a service and its workers."""
    return sum(one.memory_info().rss for one in [process, *process.children()]) / 2**20


def load(url: str, clients: int, seconds: float, body: Callable[[], Body]) -> list[tuple[float, int, int]]:
    """Ask for so long: seconds, status and expected status of each request."""
    end = time.monotonic() + seconds

    def one(_: int) -> list[tuple[float, int, int]]:
        found = []
        with httpx.Client(base_url=url, timeout=120) as client:
            while time.monotonic() < end:
                content, kind, expected = body()
                start = time.perf_counter()
                answer = client.post(PREDICT, content=content, headers={"Content-Type": kind})
                found.append((time.perf_counter() - start, answer.status_code, expected))
        return found

    with ThreadPoolExecutor(clients) as pool:
        return list(itertools.chain.from_iterable(pool.map(one, range(clients))))


def speed(url: str, seconds: float) -> list[list[str]]:
    """A row for each number of clients and of molecules a request."""
    source, lock = molecules(), threading.Lock()
    rows = []
    for size in (1, 32):

        def body(size: int = size) -> Body:
            with lock:
                return json.dumps(list(itertools.islice(source, size))).encode(), JSON, 200

        for clients in CLIENTS:
            start = time.monotonic()
            took = load(url, clients, seconds, body)
            assert all(status == expected for _, status, expected in took)
            middle, late = np.quantile([one for one, _, _ in took], [0.5, 0.99]) * 1000
            rate = len(took) / (time.monotonic() - start)
            rows.append(
                [
                    str(clients),
                    str(size),
                    f"{rate:,.0f}",
                    f"{rate * size:,.0f}",
                    f"{middle:,.0f}",
                    f"{late:,.0f}",
                ]
            )
    return rows


def mixed(source: Iterator[str], lock: threading.Lock) -> Body:
    """A request, one in five of them bad."""
    with lock:
        kind = random.randrange(20)
        if kind == 0:
            return b'{"not": "a list"', JSON, 400
        if kind == 1:
            return b"a,b\n1,2\n3,4\n", "text/csv", 400
        if kind == 2:
            return b"x" * (17 * 2**20), JSON, 413
        some = list(itertools.islice(source, 8))
        if kind == 3:
            some[3:5] = ["(((((", "C1CC" + "\x00"]
        return json.dumps(some).encode(), JSON, 200


def endurance(url: str, process: psutil.Process, minutes: float) -> tuple[list[float], int, int]:
    """Memory as time goes on, requests, and how many of them were answered otherwise than expected."""
    seen: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_S):
            seen.append(resident(process))

    watching = threading.Thread(target=watch)
    watching.start()
    source, lock = molecules(), threading.Lock()
    took = load(url, 16, 60 * minutes, lambda: mixed(source, lock))
    ended.set()
    watching.join()
    return seen, len(took), sum(status != expected for _, status, expected in took)


def largest_error(url: str, model: Path) -> float:
    """How far answers are from `Ensemble.predict`, on 200 molecules of the demo."""
    smiles = pd.read_csv(DEMO)["smiles"].tolist()[:200]
    known = Ensemble.load(model).predict(smiles)["logS"].to_numpy()
    answer = httpx.post(url + PREDICT, json=smiles, timeout=120).json()["predictions"]
    found = [one["endpoints"]["logS"]["mean"] if one["endpoints"] else np.nan for one in answer]
    return float(np.nanmax(np.abs(known - found)))


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(), help="a trained workspace of the demo")
    parser.add_argument("--minutes", type=float, default=10.0, help="of mixed load")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each row")
    asked = parser.parse_args()
    busy = os.getloadavg()[0]
    with running(asked.model) as (url, process):
        rows = speed(url, asked.seconds)
        memory, requests, wrong = endurance(url, process, asked.minutes)
        error = largest_error(url, Source.parse(str(asked.model)).model())
    third = max(1, len(memory) // 3)
    first, last = np.median(memory[third : 2 * third]), np.median(memory[2 * third :])
    cores = len(os.sched_getaffinity(0))
    heads = [
        "clients",
        "molecules a request",
        "requests a second",
        "molecules a second",
        "median ms",
        "99 % within ms",
    ]
    text = f"""## A service under load

`python -m benchmarks.serve --minutes {asked.minutes:g}`: the demo's model, {cores} cores, which
the clients share with the service. Every molecule is another one, so no answer is remembered. Load average
before the start, of other programs: {busy:.1f}.

{table(heads, rows)}

{asked.minutes:g} minutes of 16 clients with eight molecules a request, one request in five bad:
{requests:,} requests, {wrong} answered otherwise than they should be. Afterwards 200 answers differ from
`Ensemble.predict` by {error:.1g} at most. Memory of the service and its workers: {first:,.0f} MiB in the
second third of the time, {last:,.0f} MiB in the last.
"""
    print(text)
    write_section("serve", text)


if __name__ == "__main__":
    main()
