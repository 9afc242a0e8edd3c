"""`manywalks predict`: to a file, or as CSV to standard output."""

import shutil
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from manywalks.cli.app import console
from manywalks.formatting import count
from manywalks.runtime import interrupt
from manywalks.runtime.imports import without_collector

SCREEN = Path("-")


def run_predict(model: Path, table: Path, output: Path, columns: dict[str, Any]) -> None:
    """Predict a table and say how many rows there are; `columns` are arguments of `predict_table`."""
    if output != SCREEN:
        _say(_predicted(model, table, output, columns), str(output), console)
        return
    if sys.stdout is None:
        raise ValueError("standard output is closed; name a file for the predictions")
    # nothing but the rows goes to standard output
    with interrupt.scratch_folder() as folder:
        made = folder / "predictions.csv"
        done = _predicted(model, table, made, columns)
        with made.open("rb") as rows:
            shutil.copyfileobj(rows, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    _say(done, "standard output", Console(stderr=True, markup=False, emoji=False))


def _predicted(model: Path, table: Path, output: Path, columns: dict[str, Any]) -> tuple[str, bool]:
    """The counts in words, and whether an older output was overwritten."""
    from manywalks.predict.runner import early_workers

    was_there = output.exists()
    with early_workers(model, table) as workers:
        with without_collector(program=True):
            from manywalks.predict.predict import predict_table

        done = predict_table(model, table, output, workers=workers, **columns)
    words = count(done.rows, "row")
    if done.rejected:
        words += f", {done.rejected:,} of them not predicted (column rejected says why)"
    return words, was_there


def _say(done: tuple[str, bool], where: str, to: Console) -> None:
    """The last line of the command."""
    words, was_there = done
    line = f"{words}: {where}{' (overwritten)' if was_there else ''}"
    to.print(line, highlight=False, soft_wrap=True)
