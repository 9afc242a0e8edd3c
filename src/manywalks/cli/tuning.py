"""The command tune: search better parameters."""

from pathlib import Path
from typing import Annotated

import typer

from manywalks.cli.app import HERE, VerboseOption, WorkspaceOption, app, console
from manywalks.formatting import count
from manywalks.pipeline import preflight, server
from manywalks.runtime.imports import without_collector
from manywalks.workspace import Workspace


@app.command()
def tune(
    folder: WorkspaceOption = HERE,
    trials: Annotated[int, typer.Option(help="Settings to try.")] = 60,
    time: Annotated[
        str | None,
        typer.Option(
            help="Time for search and verdict, such as 30m or 2h, from when the features are there. If it is "
            "too short you are told what is needed (default: no limit)."
        ),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="What to search: a copy of params.yaml with ranges (default: see --show-space)."),
    ] = None,
    resume: Annotated[bool, typer.Option("--continue", help="Go on with the last search.")] = False,
    show_space: Annotated[
        bool, typer.Option("--show-space", help="Write the default space to the screen, and end.")
    ] = False,
    replicates: Annotated[
        int, typer.Option(help="Replicates of winner and present settings on each fresh fold, 2 or more.")
    ] = 8,
    metric: Annotated[str | None, typer.Option(help="Score that decides (default: rmse or auroc).")] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Smallest gain that matters (default: a hundredth of the present score)."),
    ] = None,
    cost: Annotated[
        str | None,
        typer.Option(help="Search for good and cheap settings: seconds or parameters of a replicate."),
    ] = None,
    dvc: Annotated[
        bool, typer.Option("--dvc", help="Save the trials as DVC experiments, for dvc exp show.")
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Search better settings, and say whether they are luck.

    The winner is judged on molecules that the search has not seen. If it is better, it is written to
    params.tuned.yaml. A search that was stopped goes on with --continue.

    Example: manywalks tune --trials 30 --time 20m
    """
    workspace = Workspace.open(folder)
    if show_space:
        _show_space(workspace)
        return
    preflight.check(workspace)
    from manywalks.tune.design import Design, seconds_of
    from manywalks.tune.job import TuneJob

    Design(trials, None if time is None else seconds_of(time), replicates, metric, threshold, cost)
    job = TuneJob(
        workspace=str(folder), trials=trials, time=time, space=None if space is None else str(space),
        resume=resume, replicates=replicates, metric=metric, threshold=threshold, cost=cost, dvc=dvc,
    )  # fmt: skip
    job.opened()  # what cannot be searched ends here, before anything starts
    wait_for_server = server.start(workspace.root)
    from manywalks.cli.show.tune_tables import tables

    with without_collector(program=True):
        from manywalks.flows.tune import tune as tune_flow

    wait_for_server()
    found = tune_flow(job)
    console.print(tables(found), highlight=False)
    if found["written"]:
        console.print(f"written  {workspace.root / found['written']}", highlight=False, soft_wrap=True)
        console.print(f"next     {found['train']}", highlight=False, soft_wrap=True)
    if dvc:
        trials_saved = count(found["experiments"], "trial")
        console.print(f"saved    {trials_saved}: dvc exp show --only-changed", highlight=False)
    console.print(f"report   {workspace.reports / 'tune.html'}", highlight=False, soft_wrap=True)


def _show_space(workspace: Workspace) -> None:
    """The default space as YAML."""
    from manywalks.tune.space.default_space import space_text

    console.print(space_text(workspace.params), highlight=False, markup=False, soft_wrap=True)
