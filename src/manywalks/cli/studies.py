"""Commands that study an ensemble: reproduce, compare, data diff."""

from pathlib import Path
from typing import Annotated

import typer

from manywalks.cli.app import HERE, WorkspaceOption, app, console, data_app
from manywalks.pipeline import server
from manywalks.workspace import Workspace


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
    sources: Annotated[
        bool, typer.Option("--sources", help="Instead: say where its replicates part.")
    ] = False,
) -> None:
    """Train a model's ensemble afresh and check that the two agree as promised; status 1 where not.

    Example: manywalks reproduce models/ensemble --replicates 16
    """
    server.apply(model.resolve().parent.parent)
    if sources:
        _sources(Workspace.open(model.resolve().parent.parent), replicates or 16)
        return
    from manywalks.flows.reproduce import reproduce_model
    from manywalks.reproduce.agreement import verdict

    found = reproduce_model(str(model), str(data) if data else None, replicates, from_scratch)
    for name, endpoint in found["endpoints"].items():
        console.print(verdict(endpoint, name), highlight=False)
    console.print(f"report  {model.resolve().parent.parent / 'reports/reproduction.html'}", highlight=False)
    if not found["agrees"]:
        raise typer.Exit(1)


def _sources(workspace: Workspace, replicates: int) -> None:
    """Vary each source of randomness alone and show the spread that it brings."""
    from manywalks.cli.tables import sources_table
    from manywalks.files import read_json
    from manywalks.reproduce.page import same_seed_sentence
    from manywalks.runtime.progress import Board
    from manywalks.runtime.step_process import run_step

    with Board() as board:
        run_step(
            ["sources", str(replicates)],
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


@data_app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="REV1", help="Git revision or tag.")],
    new: Annotated[str, typer.Argument(metavar="REV2", help="Another one; '.' is the file as it is.")] = ".",
    folder: WorkspaceOption = HERE,
    everything: Annotated[
        bool, typer.Option("--all", help="Name every molecule (default: the first and the largest changes).")
    ] = False,
) -> None:
    """Say which molecules were added, removed or changed between two versions of the raw table.

    Example: manywalks data diff v1 v2
    """
    from manywalks.cli.tables import diff_lines
    from manywalks.data.diff import diff_tables
    from manywalks.data.tables import read_table
    from manywalks.pipeline.versions import table_at

    workspace = Workspace.open(folder)
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
    folder: WorkspaceOption = HERE,
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
    """Compare configurations beyond the luck of single replicates, on the same splits.

    Example: manywalks compare params.yaml --set network.dropout=0.1,0.3
    """
    from manywalks.compare.design import Design

    if sources and (capacity or values):
        raise ValueError("--sources: studies one configuration; leave out --set and --capacity")
    design = Design(repeats, folds, replicates, metric, threshold, stop=stop and not sources)
    server.apply(Workspace.open(folder).root)
    from manywalks.cli.tables import tables
    from manywalks.flows.compare import compare as compare_flow

    kind = "sources" if sources else "capacity" if capacity else "compare"
    found = compare_flow(str(folder), [str(p) for p in params or []], values or [], design=design, kind=kind)
    console.print(tables(found), highlight=False)
