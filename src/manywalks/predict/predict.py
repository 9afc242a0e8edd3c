"""Predict a table of any size with an ensemble: chunk by chunk, an output row for every input row."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.device.switch import switching
from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.reports_beside import metrics_beside
from manywalks.predict.best import BestRows, best_rows
from manywalks.predict.columns import Record, Want
from manywalks.predict.list_summary import (
    list_summary,
    not_to_trust,
    outside_domain,
    summary_path,
    too_large,
    whole_list,
)
from manywalks.predict.output_columns import schema
from manywalks.predict.parts import Parts, spooled
from manywalks.predict.runner import Runner, orchestrate_of, runner_of
from manywalks.predict.scan import Scan, batches
from manywalks.predict.stream import BEST, RECENT, SUMS, TOO_LARGE, Chunk
from manywalks.predict.written import check_form
from manywalks.runtime import interrupt, progress
from manywalks.runtime.resources import usable_cores
from manywalks.runtime.worker_pool import WorkerPool

# rows of a chunk; a kill costs the two chunks in work
CHUNK = 4096
# the column that names the file of a row, where the input is a folder
FILE = "file"
STDIN = Path("-")


class Scored(NamedTuple):
    """How many rows were written, and how many of them have no prediction."""

    rows: int
    rejected: int


def _on_stderr(line: str) -> None:
    """Say a line beside the progress."""
    print(line, file=sys.stderr)


def predict_table(
    model: Path,
    table: Path,
    output: Path,
    *,
    smiles: str | None = None,
    id_column: str | None = None,
    keep: Sequence[str] = (),
    top: int | None = None,
    sheet: str | None = None,
    say: Callable[[str], None] = _on_stderr,
    workers: WorkerPool | None = None,
) -> Scored:
    """Predict every row of `table` and write `output`, whole or not at all.

    Args:
        model: folder of an ensemble.
        table: CSV, Excel, Parquet, SDF, .gz of one, a folder of them, or `-` for standard input.
        output: what is written (.parquet, .csv, .xlsx or .sdf), in place of an older file; finished chunks
            are in `OUTPUT.parts` until it is.
        smiles, id_column: columns of the input (default: those of the training table, else found).
        sheet: of an Excel workbook (default: the first).
        keep: columns of the input to carry along; of a folder, column `file` stands before them.
        top: how many of the best molecules to look at: which of them would a retrained ensemble choose?
        workers: those of `runner.early_workers`, for the same model (default: they start here).
        say: gets a line each of what a person should know: files passed over, another version.

    Returns:
        How many rows were written. A run that was killed goes on from its last finished chunk.
    """
    check_form(output)
    _check_output(table, output)
    ensemble = Ensemble.load(model)
    _spare_training_table(model, ensemble, output)
    for line in _other_versions(ensemble):
        say(line)
    data = ensemble.about["params"]["data"]
    want = Want(smiles, id_column, tuple(keep), data["smiles"], data["id"], sheet)
    size = _chunk_rows(ensemble)
    content = files.sha256_bytes((model / manifest.FILE).read_bytes())
    carried = (FILE, *keep) if table.is_dir() else tuple(keep)
    asked = [] if top is None else [f"top {top}"]
    parts = Parts(output, [content, str(size), *asked, *carried, *ensemble.predicted_columns])
    with parts.held(), _readable(table, parts) as given:
        scan = Scan(given, want)
        if scan.skipped:
            say(f"{table}: passed over are {', '.join(path.name for path in scan.skipped)}")
        for line in scan.columns_said():
            say(line)
        orchestrate = orchestrate_of(model)
        cores = usable_cores(orchestrate.cores)
        with (
            progress.telling("predict") as tell,
            switching(ensemble, model, cores, say=say) as quick,
            closing(runner_of(model, quick, orchestrate, carried, top, workers)) as runner,
        ):
            counted = _Progress(tell)
            with interrupt.keeping(counted.kept):
                _score(scan, parts, runner, counted, size)
            best = None if top is None else best_rows(ensemble, parts.metadata(BEST), top)
            _assemble(parts, schema(ensemble, carried), best)
            predicted = counted.rows - counted.rejected
            endpoints = _summarize(ensemble, model, output, parts, best)
            larger = sum(int(count) for count in parts.metadata(TOO_LARGE))
            for line in (
                *outside_domain(counted.outside, predicted),
                *whole_list(endpoints, predicted),
                *too_large(ensemble, larger),
                *not_to_trust(metrics_beside(model, ensemble.about)),
            ):
                say(line)
    return Scored(counted.rows, counted.rejected)


def _assemble(parts: Parts, fields: pa.Schema, best: BestRows | None) -> None:
    """Write the output; with the columns of the best molecules, where these were asked for."""
    if best is None:
        parts.assemble(fields)
    else:
        parts.assemble(fields, last=best.with_columns)


def _summarize(
    ensemble: Ensemble, model: Path, output: Path, parts: Parts, best: BestRows | None
) -> dict[str, dict[str, Any]]:
    """Write what a retrained ensemble will agree to over this list, by endpoint."""
    endpoints = list_summary(ensemble, parts.metadata(SUMS))
    for name, one in endpoints.items():
        if best is not None and "sentence" in one:
            one["top"] = best.described(name)
            one["sentence"] += f" {best.sentence(name)}"
    files.write_json(summary_path(output), {"model": str(model), "endpoints": endpoints})
    return endpoints


def _check_output(table: Path, output: Path) -> None:
    """The input must outlive the run, and a folder's next run must not read what this one wrote."""
    if table == STDIN or not table.exists():
        return
    if table.is_dir() and output.resolve().is_relative_to(table.resolve()):
        raise ValueError(f"{output}: lies in the input folder {table}; write it elsewhere")
    if output.exists() and output.samefile(table):
        raise ValueError(f"{output}: is the input itself; name another output")


def _spare_training_table(model: Path, ensemble: Ensemble, output: Path) -> None:
    """The table that the model was trained on must outlive the run too."""
    table = model.resolve().parent.parent / ensemble.about["data"]["path"]
    if output.exists() and table.exists() and output.samefile(table):
        raise ValueError(f"{output}: is the table that the model was trained on; name another output")


def _other_versions(ensemble: Ensemble) -> list[str]:
    """A line for each package that has another version than in training, though the features are the same."""
    here, trained = manifest.versions(), ensemble.about["versions"]
    return [
        f"Warning: the model was trained with {name} {trained[name]}, this is {here[name]}; "
        "the last digits of its predictions may differ"
        for name in ("manywalks", "keras")
        if name in trained and name in here and trained[name] != here[name]
    ]


@contextmanager
def _readable(table: Path, parts: Parts) -> Iterator[Path]:
    """The table; standard input as a file, since it is read twice, for its encoding and for its rows."""
    if table != STDIN:
        yield table
        return
    if sys.stdin is None:
        raise ValueError("standard input is closed; name a table")
    kept = spooled(sys.stdin.buffer, parts.folder)
    try:
        yield kept
    finally:
        kept.unlink()


def _chunk_rows(ensemble: Ensemble) -> int:
    """Rows of a chunk: fewer where each has thousands of columns (32 MiB of them)."""
    return max(256, min(CHUNK, 2**22 // len(ensemble.predicted_columns)))


class _Progress:
    """Rows done, and the bar."""

    def __init__(self, tell: progress.Tell) -> None:
        self._tell = tell
        self._start = time.monotonic()
        self.rows = self.rejected = self.outside = self._earlier = 0
        self._told = 0.0
        self._counted = 0

    def add(self, table: pa.Table, *, earlier: bool) -> None:
        """Count a chunk, made now or by a former run."""
        self.rows += len(table)
        self._earlier += len(table) if earlier else 0
        self.rejected += sum(1 for reason in table.column("rejected").to_pylist() if reason)
        self.outside += table.column("in_domain").to_pylist().count(False)

    def kept(self) -> str:
        """What an interruption keeps."""
        if not self.rows:
            return f"no rows kept yet (they are kept {CHUNK:,} at a time); run again"
        return f"{self.rows:,} rows kept; run again to go on"

    def share(self, done: float, rows: float = 0) -> None:
        """Show how much of the input is done, and how fast; `rows` are those done of the chunk in work.

        Chunks of a former run are met while later ones are read ahead: neither number falls.
        """
        self._told = max(self._told, done)
        self._counted = max(self._counted, self.rows + int(rows))
        seconds = time.monotonic() - self._start
        rate = (self._counted - self._earlier) / max(seconds, 1e-3)
        self._tell(self._told, 1.0, f"{self._counted:,} rows, {rate:,.0f}/s")


def _score(scan: Scan, parts: Parts, runner: Runner, counted: _Progress, size: int) -> None:
    """Every chunk that has no part yet is scored and kept."""
    paths: dict[int, Path] = {}
    finished: deque[pa.Table] = deque(maxlen=RECENT)

    def missing(read: Iterator[Record]) -> Iterator[Chunk]:
        since = 0.0
        for number, records in enumerate(batches(read, size)):
            path = parts.path(number, records)
            table = parts.read(path)
            if table is None:
                while finished:
                    runner.remember(finished.popleft())
                paths[number] = path
                yield Chunk(number, records, scan.share, since)
            else:
                finished.append(table)
                counted.add(table, earlier=True)
                counted.share(scan.share)
            since = scan.share

    def keep(chunk: Chunk, table: pa.Table) -> None:
        parts.write(paths.pop(chunk.number), table)
        counted.add(table, earlier=False)

    # a run that ends with an error leaves no file open
    with closing(scan.records()) as read:
        runner.run(missing(read), keep, counted.share)
    counted.share(1.0)
