"""The command line. Each command says in one line what is wrong and ends with status 2."""

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from manywalks.cli.app import HERE, VerboseOption, WorkspaceOption, app, console
from manywalks.params.load import load_params
from manywalks.params.presets import Preset
from manywalks.pipeline import definition, preflight, server
from manywalks.runtime import interrupt
from manywalks.runtime.imports import without_collector
from manywalks.runtime.terminal import replace_unwritable
from manywalks.workspace import Workspace


def _say_version(asked: bool) -> None:
    """Show the version and end."""
    if asked:
        console.print(f"manywalks {metadata.version('manywalks')}", highlight=False)
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and end."),
    ] = False,
) -> None:
    """Predict molecular properties with one model made of many replicates.

    The report says how good the model is, and how close a retrained one would come.
    """
    if context.invoked_subcommand is None:
        console.print(context.get_help(), highlight=False, markup=False)


@app.command()
def train(
    folder: WorkspaceOption = HERE,
    params: Annotated[
        Path | None, typer.Option("--params", help="Other parameters; their run gets a folder of its own.")
    ] = None,
    verbose: VerboseOption = False,
) -> None:
    """Train a model on your table and write the report.

    Only steps whose input has changed run again: curate, featurize, split, train, ensemble, evaluate, report.

    Example: manywalks train --workspace my-assay
    """
    workspace = Workspace.open(folder) if params is None else _run_beside(folder, params)
    _ = workspace.params  # bad parameters end here, before anything starts
    stages = definition.load_stages(workspace)
    if all(definition.is_current(stage, workspace) for stage in stages.values()):
        console.print("Nothing changed: every step is up to date.\n")
    else:
        preflight.check(workspace)
        wait_for_server = server.start(workspace.root)
        with without_collector(program=True):
            from manywalks.flows.train import train as train_flow

        wait_for_server()
        server.outlast(lambda: train_flow(str(workspace.root)), workspace.root)
    _show(workspace)


@app.command()
def init(
    table: Annotated[Path, typer.Argument(help="Your table: CSV, Excel, Parquet or SDF, also as .gz.")],
    folder: WorkspaceOption = HERE,
    smiles: Annotated[
        str | None, typer.Option(help="Column of SMILES (default: found by its name or its cells).")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of an Excel workbook (default: the first).")
    ] = None,
    preset: Annotated[
        Preset,
        typer.Option(
            help="fast: one dense network; default: two, on different features; best: those and a network on "
            "graphs, with weights fitted to the table, which takes several times as long."
        ),
    ] = "default",
    dvc: Annotated[
        bool,
        typer.Option("--dvc", help="Write a dvc.yaml too, for DVC in your own repository."),
    ] = False,
) -> None:
    """Look at your table and write params.yaml for it.

    Example: manywalks init assay.csv --workspace my-assay
    """
    from manywalks.cli.init import run_init

    for line in run_init(table, folder, smiles=smiles, sheet=sheet, preset=preset, dvc=dvc):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(help="The model: its folder, such as models/ensemble, or a .zip of `export`.")
    ],
    table: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="Molecules: CSV, Excel, Parquet or SDF, also as .gz, a folder of these, or -.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Argument(
            help="File to write: .parquet, .csv, .xlsx or .sdf, one row for each row of INPUT; - is CSV on "
            "standard output."
        ),
    ] = None,
    named_output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The same as OUTPUT, as an option.")
    ] = None,
    smiles: Annotated[
        str | None,
        typer.Option(
            help="Column of SMILES (default: as in the training table, else found by name or content)."
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id",
            help="Column that names a row (default: as in the training table, else id, name, mol_id, "
            "compound_id or molecule_id, else found by name and cells, else the row's number).",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Column of INPUT to copy to the output; may be given more than once."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of an Excel workbook (default: the first).")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            help="Mark the K best molecules, and say which of them a retrained ensemble would replace.",
        ),
    ] = None,
) -> None:
    """Predict the molecules of a table of any size.

    A run that was stopped continues where it was. An older output is overwritten.

    Example: manywalks predict models/ensemble new.csv predictions.parquet
    """
    from manywalks.cli.predict import run_predict
    from manywalks.ensemble.model_file.archive import model_folder

    if output is not None and named_output is not None:
        raise ValueError("predict: OUTPUT and --output are both given; leave out one of them")
    written = output or named_output
    if written is None:
        raise ValueError("predict: no output; name a file (.csv, .parquet, .xlsx, .sdf), or - for the screen")
    columns = {"smiles": smiles, "id_column": id_column, "sheet": sheet, "keep": keep or [], "top": top}
    with model_folder(model) as there:
        run_predict(there, table, written, columns)


@app.command()
def explain(
    molecules: Annotated[
        str, typer.Argument(help="One molecule, as SMILES, or a table of up to 500 molecules.")
    ],
    model: Annotated[Path, typer.Option(help="The model's folder.")] = Path("models/ensemble"),
    output: Annotated[
        Path | None,
        typer.Option(
            help="Picture of a molecule (.svg or .png), or page of a table (.html) (default: explanation.svg "
            "or explanations.html)."
        ),
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Which endpoint (default: the first).")] = None,
) -> None:
    """Draw what each atom contributes to a prediction.

    Atoms whose contribution depends on the replicate are marked: do not trust them.

    Example: manywalks explain "CCOC(=O)c1ccccc1" --model models/ensemble
    """
    from manywalks.cli.explain import run_explain
    from manywalks.ensemble.model_file.archive import model_folder

    with model_folder(model) as there:
        run_explain(molecules, there, output, endpoint)


def _run_beside(folder: Path, params: Path) -> Workspace:
    """A folder of its own for parameters other than the workspace's params.yaml."""
    from manywalks.pipeline.side_workspace import other_table, run_beside

    given, workspace = load_params(params), Workspace.open(folder)
    if note := other_table(workspace, given):
        console.print(note, highlight=False, soft_wrap=True)
    return run_beside(workspace, params)


def _show(workspace: Workspace) -> None:
    """The table at the end."""
    from manywalks.cli.show.summary import summary

    console.print(summary(workspace))


def program() -> Any:
    """All commands, shell completion among the options but not in the help's list."""
    # these register their commands; the commands import what they need when they run
    from manywalks.cli import benchmarks, models, serving, studies, tuning  # noqa: F401

    command = typer.main.get_command(app)
    for parameter in command.params:
        if parameter.name in ("install_completion", "show_completion"):
            parameter.hidden = True  # pyright: ignore[reportAttributeAccessIssue]
    return command


def main() -> None:
    """Entry point: a ValueError is for the user to fix, and takes one line."""
    interrupt.watch()
    replace_unwritable()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        # without standalone_mode, what Exit carries comes back as a value
        status = program()(standalone_mode=False)
    except ValueError as error:
        _end(" ".join(str(error).split()), 2)
    except Exception as error:  # the last line of defence: a line for people, the traceback on request
        if hasattr(error, "format_message"):
            command = getattr(getattr(error, "ctx", None), "command_path", "manywalks")
            # the argument parser puts the kind of error before its sentence
            said = error.format_message().replace("Value error, ", "")  # pyright: ignore
            _end(f"{said} (see {command} --help)", 2)
        if os.environ.get("MANYWALKS_DEBUG"):
            raise
        kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
        _end(f"{kind}{error} (MANYWALKS_DEBUG=1 shows where)", 1)
    interrupt.wait_if_stopping()
    sys.exit(status if isinstance(status, int) else 0)


def _end(line: str, status: int) -> None:
    """Say one line on standard error and end."""
    interrupt.wait_if_stopping()
    Console(stderr=True).print(line, style="red", highlight=False, soft_wrap=True, markup=False)
    sys.exit(status)
