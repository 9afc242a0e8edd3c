"""Command benchmark: scores on public tables, beside published ones."""

from pathlib import Path
from typing import Annotated, Any

import typer

from manywalks.cli.app import app, console
from manywalks.params.presets import Preset

RESULTS = Path("benchmark-results")


@app.command()
def benchmark(
    suite: Annotated[str, typer.Argument(help="Which suite: tdc, moleculeace or table.")],
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of CSV files, one for each task (tdc: columns Drug, Y, split; moleculeace: smiles, "
            "y, cliff_mol, split), or one table."
        ),
    ],
    replicates: Annotated[int, typer.Option(min=2, help="Replicates for each task.")] = 16,
    results: Annotated[
        Path, typer.Option(help="Folder that keeps results and predictions; what it has is not run again.")
    ] = RESULTS,
    params: Annotated[
        Path | None, typer.Option(help="params.yaml sections that replace the defaults (not data).")
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help="Which networks to train, as in `manywalks init`: fast, default or best.")
    ] = "default",
    smiles: Annotated[
        str | None, typer.Option(help="table: column of SMILES (default: found as by `manywalks init`).")
    ] = None,
    split_column: Annotated[str, typer.Option(help="table: column that says test.")] = "split",
    endpoints: Annotated[
        str, typer.Option(help="table: columns to predict, with commas (default: all that hold numbers).")
    ] = "",
    log10: Annotated[
        str, typer.Option(help="table: those of them to train and score as log10(value + 1).")
    ] = "",
) -> None:
    """Score public benchmark tasks, next to published scores.

    Trains every task with the parameters that `manywalks init` writes, and scores its test rows once. Ends
    with status 1 if a task could not be scored.

    Example: manywalks benchmark tdc --data tdc/
    """
    from manywalks.benchmark.forms import FORMS, Asked
    from manywalks.benchmark.run import Suite, run_folder
    from manywalks.runtime.resources import usable_cores

    if suite not in FORMS:
        raise ValueError(f"benchmark: {suite!r} is not a known suite; give {', '.join(FORMS)}")
    if not data.exists():
        raise ValueError(f"{data}: no such file or folder; give the tables with --data")
    asked = Asked(smiles, split_column, _names(endpoints), _names(log10))
    what = Suite(suite, replicates, usable_cores(), _sections(params), asked, preset)
    found = run_folder(data, what, results, tell=_say)
    _show(found.results, results / suite)
    if found.failed:
        raise typer.Exit(1)


def _names(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _sections(path: Path | None) -> dict[str, Any] | None:
    """The sections of a params.yaml; that they are right is checked with each table."""
    if path is None:
        return None
    from manywalks.params.load import read_sections

    return read_sections(path)


def _say(line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)


def _show(results: dict[str, dict[str, Any]], folder: Path) -> None:
    """The tables and what they leave to say."""
    from manywalks.benchmark.shown import published_table, score_table, sentences
    from manywalks.cli.show.tables import fitted_table

    if not results:
        return
    console.print(fitted_table(*score_table(results), console.width))
    header, rows = published_table(results)
    if rows:
        console.print()
        console.print(fitted_table(header, rows, console.width))
    for line in sentences(results):
        console.print(line, highlight=False)
    _say(f"results and predictions  {folder}")
