"""The command line. Each command says in one line what is wrong and ends with status 2."""

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from manywalks.cli.app import HERE, WorkspaceOption, app, console
from manywalks.params.load import load_params
from manywalks.params.run import ReportParams
from manywalks.pipeline import definition, server
from manywalks.workspace import Workspace


def _say_version(asked: bool) -> None:
    """Say the version and end."""
    if asked:
        console.print(f"manywalks {metadata.version('manywalks')}", highlight=False)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """Replicate ensembles of Keras models for molecules, with a reproducibility statement."""


@app.command()
def train(
    folder: WorkspaceOption = HERE,
    params: Annotated[
        Path | None, typer.Option("--params", help="Other parameters: they run in a folder of their own.")
    ] = None,
) -> None:
    """Bring a workspace up to date: curate, featurize, split, train, ensemble, evaluate, report.

    Example: manywalks train --workspace my-assay
    """
    workspace = Workspace.open(folder) if params is None else _run_beside(folder, params)
    _ = workspace.params  # bad parameters end here, before anything starts
    stages = definition.load_stages(workspace)
    if all(definition.is_current(stage, workspace) for stage in stages.values()):
        console.print("Nothing changed: every step is up to date.\n")
    else:
        server.apply(workspace.root)
        from manywalks.flows.train import train as train_flow
        from manywalks.pipeline.server import outlast

        outlast(lambda: train_flow(str(workspace.root)), workspace.root)
    _show(workspace)


@app.command()
def init(
    table: Annotated[Path, typer.Argument(help="Your table: CSV, Parquet or SDF, also .gz.")],
    folder: WorkspaceOption = HERE,
) -> None:
    """Look at a table and write a commented params.yaml for it.

    Example: manywalks init assay.csv --workspace my-assay
    """
    from manywalks import files
    from manywalks.data.guess import guess_params
    from manywalks.data.tables import read_table
    from manywalks.params.render import render

    target = folder / "params.yaml"
    if target.exists():
        raise ValueError(f"{target}: exists; edit it, or name another folder with --workspace")
    path = table.resolve()
    inside = path.relative_to(folder.resolve()) if path.is_relative_to(folder.resolve()) else path
    guess = guess_params(read_table(table), str(inside), str(table))
    # "manywalks" above every report would tell none from another
    titled = guess.params.model_copy(update={"report": ReportParams(title=table.name.split(".")[0])})
    files.write_text(target, render(titled, f"Parameters for {table.name}, as `manywalks init` saw it."))
    console.print(f"{target} assumes")
    for line in guess.assumed:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"\nEdit it where that is wrong, then: manywalks train --workspace {folder}")


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Folder of an ensemble, such as models/ensemble.")],
    table: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="Molecules: CSV, Parquet, SDF, also .gz, a folder of them, or - for standard input.",
        ),
    ],
    output: Annotated[Path, typer.Argument(help="Predictions: .parquet or .csv, a row an input row.")],
    smiles: Annotated[
        str | None,
        typer.Option(help="Column of SMILES (default: that of the training table, else by name or content)."),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id",
            help="Column that names a row (default: that of the training table, else id, name, mol_id, "
            "compound_id or molecule_id, else the row's number).",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="Column of the input to carry along; may be repeated.")
    ] = None,
) -> None:
    """Predict the molecules of a table of any size. A run that was ended goes on where it was.

    Example: manywalks predict models/ensemble new.csv predictions.parquet
    """
    from manywalks.predict.predict import predict_table

    done = predict_table(model, table, output, smiles=smiles, id_column=id_column, keep=keep or [])
    console.print(
        f"{done.rows} rows, {done.rejected} of them not predicted (column rejected says why): {output}"
    )


@app.command()
def explain(
    smiles: Annotated[str, typer.Argument(help="One molecule.")],
    model: Annotated[Path, typer.Option(help="Folder of an ensemble.")] = Path("models/ensemble"),
    output: Annotated[Path, typer.Option(help="Where the picture goes (.svg).")] = Path("explanation.svg"),
    endpoint: Annotated[str | None, typer.Option(help="Which endpoint (default: the first).")] = None,
) -> None:
    """Draw what each atom of a molecule contributes, and which contributions not to trust.

    Example: manywalks explain "CCOC(=O)c1ccccc1" --model models/ensemble
    """
    from manywalks.ensemble.explain import explain as explain_molecule
    from manywalks.ensemble.model import Ensemble
    from manywalks.report.explanation import check_svg, write_svg

    check_svg(output)
    found = explain_molecule(Ensemble.load(model), smiles)
    write_svg(found, output, endpoint)
    atoms = found.atoms(endpoint)
    for line in found.headline(endpoint):
        console.print(line, highlight=False, markup=False)
    console.print(f"\n{atoms.to_string(index=False, float_format='%.3f')}\n", highlight=False)
    console.print(found.legend(endpoint), highlight=False, markup=False)
    doubtful = (~atoms["trusted"].to_numpy(dtype=bool)).sum()
    console.print(f"{doubtful} of {len(atoms)} atoms not to be trusted; drawn in {output}")


@app.command()
def benchmark(
    suite: Annotated[str, typer.Argument(help="Which suite: tdc.")],
    data: Annotated[Path, typer.Option(help="Folder of the tasks' CSV files (columns Drug, Y, split).")],
    replicates: Annotated[int, typer.Option(help="Replicates a task.")] = 16,
) -> None:
    """Score every task of a folder with the default parameters, beside what is published.

    Example: manywalks benchmark tdc --data tdc/
    """
    from manywalks.evaluate.public_benchmark import header, rows, run_folder

    if suite != "tdc":
        raise ValueError(f"benchmark: {suite!r} is no suite; 'tdc' is")
    scores = run_folder(data, replicates=replicates, cores=os.cpu_count() or 1)
    from manywalks.cli.tables import plain_table

    console.print(plain_table(header(), rows(scores)))


def _run_beside(folder: Path, params: Path) -> Workspace:
    """A folder of its own for parameters other than the workspace's params.yaml."""
    from manywalks.pipeline.side_workspace import run_beside

    load_params(params)
    return run_beside(Workspace.open(folder), params)


def _show(workspace: Workspace) -> None:
    """The table at the end."""
    from manywalks.cli.tables import summary

    console.print(summary(workspace))


def main() -> None:
    """Entry point: a ValueError is the user's to mend, and takes one line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # these register their commands; the commands import what they need when they run
    from manywalks.cli import models, studies  # noqa: F401

    try:
        app(standalone_mode=False)
    except ValueError as error:
        _end(" ".join(str(error).split()), 2)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _end("stopped; what was finished is kept", 130)
    except Exception as error:  # the last line of defence: a line for people, the traceback on request
        if hasattr(error, "format_message"):
            command = getattr(getattr(error, "ctx", None), "command_path", "manywalks")
            _end(f"{error.format_message()} (see {command} --help)", 2)  # pyright: ignore
        if os.environ.get("MANYWALKS_DEBUG"):
            raise
        _end(f"{type(error).__name__}: {error} (MANYWALKS_DEBUG=1 shows where)", 1)


def _end(line: str, status: int) -> None:
    """Say one line on standard error and end."""
    Console(stderr=True).print(line, style="red", highlight=False, soft_wrap=True, markup=False)
    sys.exit(status)
