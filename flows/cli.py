"""The command line. Each command says in one line what is wrong and ends with status 2."""

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from manywalks.flows import cli_models, settings
from manywalks.tasks import pipeline
from manywalks.tasks.params import ReportParams, load_params
from manywalks.tasks.workspace import Workspace

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(no_args_is_help=True, help="Versions of the raw table.")
app.add_typer(data_app, name="data")
HERE = Path()
Work = Annotated[Path, typer.Option("--work", help="Workspace: a folder with a params.yaml.")]
console = Console()


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
    work: Work = HERE,
    params: Annotated[
        Path | None, typer.Option("--params", help="Other parameters: they run in a folder of their own.")
    ] = None,
) -> None:
    """Bring a workspace up to date: curate, featurize, split, train, ensemble, evaluate, report.

    Example: manywalks train --work my-assay
    """
    workspace = Workspace.open(work) if params is None else _aside(work, params)
    _ = workspace.params  # bad parameters end here, before anything starts
    stages = pipeline.load_stages(workspace)
    if all(pipeline.is_current(stage, workspace) for stage in stages.values()):
        console.print("Nothing changed: every step is up to date.\n")
    else:
        settings.apply(workspace.root)
        from manywalks.flows.outlast import outlast
        from manywalks.flows.train import train as train_flow

        outlast(lambda: train_flow(str(workspace.root)), workspace.root)
    _show(workspace)


@app.command()
def init(
    table: Annotated[Path, typer.Argument(help="Your table: CSV, Parquet or SDF, also .gz.")],
    work: Work = HERE,
) -> None:
    """Look at a table and write a commented params.yaml for it.

    Example: manywalks init assay.csv --work my-assay
    """
    from manywalks.tasks import files
    from manywalks.tasks.inspect_table import guess_params
    from manywalks.tasks.params_text import render
    from manywalks.tasks.tables import read_table

    target = work / "params.yaml"
    if target.exists():
        raise ValueError(f"{target}: exists; edit it, or name another folder with --work")
    path = table.resolve()
    inside = path.relative_to(work.resolve()) if path.is_relative_to(work.resolve()) else path
    guess = guess_params(read_table(table), str(inside), str(table))
    # "manywalks" above every report would tell none from another
    titled = guess.params.model_copy(update={"report": ReportParams(title=table.name.split(".")[0])})
    files.write_text(target, render(titled, f"Parameters for {table.name}, as `manywalks init` saw it."))
    console.print(f"{target} assumes")
    for line in guess.assumed:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"\nEdit it where that is wrong, then: manywalks train --work {work}")


@app.command()
def score(
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

    Example: manywalks score models/ensemble new.csv predictions.parquet
    """
    from manywalks.tasks.score import score_table

    done = score_table(model, table, output, smiles=smiles, id_column=id_column, keep=keep or [])
    console.print(
        f"{done.rows} rows, {done.rejected} of them not predicted (column rejected says why): {output}"
    )


@app.command()
def reproduce(
    model: Annotated[Path, typer.Argument(help="Folder of an ensemble.")] = Path("models/ensemble"),
    data: Annotated[Path | None, typer.Option(help="Its raw table, where that lies elsewhere now.")] = None,
    replicates: Annotated[
        int | None, typer.Option(help="Fresh replicates (default: as many as it has).")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Curate and featurize again too.")
    ] = False,
    sources: Annotated[bool, typer.Option("--sources", help="Instead: say where its walks part.")] = False,
) -> None:
    """Train a model's ensemble afresh and check that the two agree as promised; status 1 where not.

    Example: manywalks reproduce models/ensemble --replicates 16
    """
    settings.apply(model.resolve().parent.parent)
    if sources:
        _sources(Workspace.open(model.resolve().parent.parent), replicates or 16)
        return
    from manywalks.flows.reproduce import reproduce_model
    from manywalks.tasks.agreement import verdict

    found = reproduce_model(str(model), str(data) if data else None, replicates, from_scratch)
    for name, endpoint in found["endpoints"].items():
        console.print(verdict(endpoint, name), highlight=False)
    console.print(f"report  {model.resolve().parent.parent / 'reports/reproduction.html'}", highlight=False)
    if not found["agrees"]:
        raise typer.Exit(1)


def _sources(workspace: Workspace, walks: int) -> None:
    """Vary each source of randomness alone and show the spread that it brings."""
    from manywalks.tasks.child import run_step
    from manywalks.tasks.files import read_json
    from manywalks.tasks.reproduction_page import same_seed_sentence
    from manywalks.tasks.show import Board, sources_table

    with Board() as board:
        run_step(
            ["sources", str(walks)],
            folder=workspace.root,
            time_limit=workspace.params.orchestrate.time_limit,
            tell=board.follow("sources"),
        )
    console.print(sources_table(workspace))
    found = read_json(workspace.reports / "sources.json")
    for name in found["endpoints"]:
        console.print(same_seed_sentence(name, found), highlight=False)
    if found["geometry"] is None:
        console.print("Geometry is no source here: no feature block depends on it (conformer3d does).")
    console.print(f"page  {workspace.reports / 'reproduction.html'}", highlight=False)


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
    from manywalks.tasks.ensemble import Ensemble
    from manywalks.tasks.explain import explain as explain_molecule
    from manywalks.tasks.explain_picture import check_svg, write_svg

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
    from manywalks.tasks.benchmark import header, rows, run_folder

    if suite != "tdc":
        raise ValueError(f"benchmark: {suite!r} is no suite; 'tdc' is")
    scores = run_folder(data, replicates=replicates, cores=os.cpu_count() or 1)
    from manywalks.tasks.show import plain_table

    console.print(plain_table(header(), rows(scores)))


@data_app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="REV1", help="Git revision or tag.")],
    new: Annotated[str, typer.Argument(metavar="REV2", help="Another one; '.' is the file as it is.")] = ".",
    work: Work = HERE,
    everything: Annotated[
        bool, typer.Option("--all", help="Name every molecule (default: the first and the largest changes).")
    ] = False,
) -> None:
    """Say which molecules were added, removed or changed between two versions of the raw table.

    Example: manywalks data diff v1 v2
    """
    from manywalks.tasks.data_diff import diff_tables
    from manywalks.tasks.revisions import table_at
    from manywalks.tasks.show import diff_lines
    from manywalks.tasks.tables import read_table

    workspace = Workspace.open(work)
    data = workspace.params.data
    before, after = (
        read_table(
            table_at(workspace, None if rev == "." else rev).file,
            delimiter=data.delimiter,
            encoding=data.encoding,
        )
        for rev in (old, new)
    )
    found = diff_tables(before, after, workspace.params)
    for line in diff_lines(found, most=None if everything else 10):
        # a SMILES is one word however narrow the terminal is, and its brackets are no markup
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command()
def compare(
    params: Annotated[
        list[Path] | None, typer.Argument(help="Files of parameters (default: the workspace's own).")
    ] = None,
    work: Work = HERE,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="Values to try, such as network.dropout=0.1,0.3; may be repeated."),
    ] = None,
    repeats: Annotated[int, typer.Option(help="Of the k-fold.")] = 5,
    folds: Annotated[int, typer.Option(help="Of each repeat.")] = 5,
    replicates: Annotated[int, typer.Option(help="Of every configuration on every split.")] = 8,
    metric: Annotated[str | None, typer.Option(help="What decides (default: rmse, auroc).")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Smallest difference that matters (default: the tolerance).")
    ] = None,
    stop: Annotated[bool, typer.Option(help="Stop configurations that are worse beyond doubt.")] = True,
    sources: Annotated[bool, typer.Option("--sources", help="Where the variance comes from.")] = False,
    capacity: Annotated[bool, typer.Option("--capacity", help="Sweep width and depth.")] = False,
) -> None:
    """Compare configurations beyond the luck of single walks: same splits, many walks, a verdict a pair.

    Example: manywalks compare params.yaml --set network.dropout=0.1,0.3
    """
    from manywalks.tasks.compare_design import Design

    if sources and (capacity or values):
        raise ValueError("--sources: studies one configuration; leave out --set and --capacity")
    design = Design(repeats, folds, replicates, metric, threshold, stop=stop and not sources)
    settings.apply(Workspace.open(work).root)
    from manywalks.flows.compare import compare as compare_flow
    from manywalks.tasks.compare_tables import tables

    kind = "sources" if sources else "capacity" if capacity else "compare"
    found = compare_flow(str(work), [str(p) for p in params or []], values or [], design=design, kind=kind)
    console.print(tables(found), highlight=False)


cli_models.register(app)


def _aside(work: Path, params: Path) -> Workspace:
    """A folder of its own for parameters other than the workspace's params.yaml."""
    from manywalks.tasks.aside import run_aside

    load_params(params)
    return run_aside(Workspace.open(work), params)


def _show(workspace: Workspace) -> None:
    """The table at the end."""
    from manywalks.tasks.show import summary

    console.print(summary(workspace))


def main() -> None:
    """Entry point: a ValueError is the user's to mend, and takes one line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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
