"""Commands that look into a model, its settings and its data: reproduce, compare, data diff."""

from pathlib import Path
from typing import Annotated

import typer

from manywalks.cli.app import HERE, VerboseOption, WorkspaceOption, app, console, data_app
from manywalks.pipeline import preflight, server
from manywalks.runtime.imports import without_collector
from manywalks.workspace import Workspace


@app.command()
def reproduce(
    model: Annotated[Path, typer.Argument(help="The model's folder.")] = Path("models/ensemble"),
    data: Annotated[Path | None, typer.Option(help="The model's raw table, if it has moved.")] = None,
    replicates: Annotated[
        int | None, typer.Option(help="Replicates to train, 2 or more (default: as many as the model has).")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Curate and featurize again too.")
    ] = False,
    sources: Annotated[
        bool, typer.Option("--sources", help="Find out instead what makes its replicates differ.")
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Retrain a model and check that its statement holds.

    Ends with status 1 if the two differ by more than the statement allows.

    Example: manywalks reproduce models/ensemble --replicates 16
    """
    from manywalks.ensemble import manifest
    from manywalks.reproduce.reproduce import raw_table

    if sources:
        _sources(Workspace.open(model.resolve().parent.parent), replicates or 16)
        return
    about = manifest.read(model)  # what cannot be done ends here, before anything starts
    if replicates is not None and replicates < 2:
        raise ValueError(
            f"--replicates {replicates}: is too few to see how much they differ; give 2 or more, or leave it "
            "out for as many as the model has"
        )
    raw_table(model, about, data)
    wait_for_server = server.start(model.resolve().parent.parent)
    with without_collector(program=True):
        from manywalks.flows.reproduce import reproduce_model
    from manywalks.reproduce.agreement import verdict

    wait_for_server()
    found = reproduce_model(str(model), str(data) if data else None, replicates, from_scratch)
    for name, endpoint in found["endpoints"].items():
        console.print(verdict(endpoint, name), highlight=False)
    page = model.resolve().parent.parent / "reports/reproduction.html"
    console.print(f"report  {page}", highlight=False, soft_wrap=True)
    if not found["agrees"]:
        raise typer.Exit(1)


def _sources(workspace: Workspace, replicates: int) -> None:
    """Vary each source of randomness alone and show how far the replicates then differ."""
    from manywalks.cli.show.tables import sources_table
    from manywalks.files import read_json
    from manywalks.reproduce.page import same_seed_sentence
    from manywalks.runtime.progress import Board
    from manywalks.runtime.steps.step_process import run_step

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
        console.print(found["data_draws"][name]["sentence"], highlight=False)
    if found["geometry"] is None:
        console.print("Conformers make no difference here: no feature block uses them (conformer3d would).")
    console.print(f"page  {workspace.reports / 'reproduction.html'}", highlight=False, soft_wrap=True)


@data_app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="REV1", help="Git revision or tag.")],
    new: Annotated[
        str, typer.Argument(metavar="REV2", help="Another; '.' means the file as it is now.")
    ] = ".",
    folder: WorkspaceOption = HERE,
    everything: Annotated[
        bool, typer.Option("--all", help="List every molecule (default: the first and the largest changes).")
    ] = False,
) -> None:
    """List molecules added, removed or changed between two versions.

    Example: manywalks data diff v1 v2
    """
    from manywalks.cli.show.tables import diff_lines
    from manywalks.data.diff import diff_tables
    from manywalks.pipeline.versions import table_at
    from manywalks.tables.frame import read_table
    from manywalks.tables.reader import Format

    workspace = Workspace.open(folder)
    data = workspace.params.data
    before, after = (
        read_table(table_at(workspace, None if rev == "." else rev).file, said=Format.of(data))
        for rev in (old, new)
    )
    found = diff_tables(before, after, workspace.params)
    for line in diff_lines(found, most=None if everything else 10):
        # a SMILES is one word however narrow the terminal is, and its brackets are no markup
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command()
def compare(
    params: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of parameters to compare (default: the workspace's own)."),
    ] = None,
    folder: WorkspaceOption = HERE,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Values to try, such as network.dropout=0.1,0.3; may be given more than once."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(help="How often the k-fold is repeated, 1 or more.")] = 5,
    folds: Annotated[int, typer.Option(help="Folds of each k-fold, 3 or more.")] = 5,
    replicates: Annotated[
        int, typer.Option(help="Replicates of every configuration on every split, 2 or more.")
    ] = 8,
    metric: Annotated[str | None, typer.Option(help="Score that decides (default: rmse or auroc).")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Smallest difference that matters (default: the tolerance).")
    ] = None,
    stop: Annotated[bool, typer.Option(help="Stop training configurations that are surely worse.")] = True,
    variance: Annotated[
        bool, typer.Option("--variance", help="Find out instead where the variance of a score comes from.")
    ] = False,
    capacity: Annotated[
        bool, typer.Option("--capacity", help="Compare networks of several widths and depths too.")
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Compare settings, with the luck of single replicates taken out.

    All configurations train on the same splits; every pair gets a verdict.

    Example: manywalks compare params.yaml --set network.dropout=0.1,0.3
    """
    from manywalks.compare.configurations import asked_for
    from manywalks.compare.design import Design

    if variance and (capacity or values):
        raise ValueError("--variance: takes one configuration; leave out --set and --capacity")
    design = Design(repeats, folds, replicates, metric, threshold, stop=stop and not variance)
    workspace = Workspace.open(folder)
    kind = "variance" if variance else "capacity" if capacity else "compare"
    paths = params or [workspace.params_file]
    preflight.check(workspace)
    asked_for(paths, values or [], kind)  # what cannot be compared ends here, before anything starts
    wait_for_server = server.start(workspace.root)
    from manywalks.cli.show.tables import tables

    with without_collector(program=True):
        from manywalks.flows.compare import compare as compare_flow

    wait_for_server()
    found = compare_flow(str(folder), [str(p) for p in paths], values or [], design=design, kind=kind)
    console.print(tables(found), highlight=False)
    name = "compare-variance" if variance else "compare"
    console.print(
        f"report  {workspace.reports / f'{name}.html'}", highlight=False, markup=False, soft_wrap=True
    )
