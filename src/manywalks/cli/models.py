"""Commands of champion and challenger: refresh, churn, models, record, promote."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from manywalks import files
from manywalks.cli.app import HERE, VerboseOption, WorkspaceOption, app, console
from manywalks.pipeline import preflight, server
from manywalks.runtime.imports import without_collector
from manywalks.workspace import Workspace

# behind the scores of a model that was tested on other molecules
OTHER_TEST = " †"


@app.command()
def refresh(
    folder: WorkspaceOption = HERE,
    push: Annotated[bool, typer.Option(help="dvc push at the end, if a remote of your own is set.")] = True,
    pull: Annotated[bool, typer.Option(help="git pull first, to fetch newer .dvc files.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """Take new data, retrain, and keep the better model.

    The new model (challenger) replaces the present one (champion) if `refresh.promote` in params.yaml
    allows it.

    Example: manywalks refresh --workspace my-assay
    """
    workspace = Workspace.open(folder)
    _ = workspace.params  # bad parameters end here, before anything starts
    from manywalks.refresh.champions import Champions
    from manywalks.refresh.refresh import check_for_change

    seen = check_for_change(workspace, pull=pull)
    console.print(f"data: {seen.data}", highlight=False)
    if not seen.changed:
        champion = Champions(workspace).current()
        console.print(f"Nothing changed: {champion} stays the champion.", highlight=False)
        return
    preflight.check(workspace)
    wait_for_server = server.start(workspace.root)
    with without_collector(program=True):
        from manywalks.flows.refresh import RefreshJob
        from manywalks.flows.refresh import refresh as refresh_flow

    wait_for_server()
    found = refresh_flow(RefreshJob(workspace=str(workspace.root), push=push, pull=False, wait=0))
    for name, one in found["endpoints"].items():
        console.print(f"{name}: the challenger is {one['verdict']} ({_words(one)})", highlight=False)
    for one in found["churn"].values():
        console.print(" ".join(one["sentences"][:2]), highlight=False)
    for warning in found["warnings"]:
        console.print(f"Warning: {warning}.", style="yellow", highlight=False)
    rose = "promoted" if found["promoted"] else "not promoted"
    console.print(f"{found['challenger']} {rose}: {found['reason']}", highlight=False)
    console.print(f"champion {workspace.root / 'models/champion'}", highlight=False)


@app.command()
def churn(
    former: Annotated[Path, typer.Argument(help="Folder of the former model.")],
    new: Annotated[Path, typer.Argument(help="Folder of the new model.")],
    table: Annotated[Path, typer.Argument(metavar="INPUT", help="Molecules: CSV, Excel, Parquet or SDF.")],
    smiles: Annotated[str | None, typer.Option(help="Column of SMILES (default: found).")] = None,
    output: Annotated[Path, typer.Option(help="Folder of churn.json and churn.html.")] = Path("reports"),
) -> None:
    """Say how far predictions moved from one model to another.

    Both predict the molecules of INPUT; what is more than the luck of training is told.

    Example: manywalks churn models/champion models/ensemble library.csv
    """
    from manywalks.refresh.churn import churn_of_table
    from manywalks.report.churn import NAME, page
    from manywalks.report.html import links_to

    found = churn_of_table(former, new, table, smiles=smiles)
    files.write_json(output / "churn.json", found)
    links = links_to(output, "report.html", "card.md")
    files.write_text(output / NAME, page(found, date.today().isoformat(), links))
    for one in found["endpoints"].values():
        console.print("\n".join(one["sentences"]), highlight=False)
    console.print(f"report  {output / NAME}", highlight=False)


@app.command()
def models(folder: WorkspaceOption = HERE) -> None:
    """List the present model (champion) and the former ones.

    With the data version and the scores of each, and why it was promoted.

    Example: manywalks models --workspace my-assay
    """
    from manywalks.refresh.champions import Champions

    champions = Champions(Workspace.open(folder))
    reasons = {step["name"]: f"{step['when'][:16]} {step['reason']}" for step in champions.history()}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "model", "data", "scores (test)", "promoted"):
        table.add_column(title, overflow="fold")
    tested = {name: _test_molecules(champions.seen(name)) for name in champions.names()}
    mine = tested.get(champions.current() or next(reversed(tested), ""))
    for name in champions.names():
        entry = champions.entry(name)
        mark = "*" if name == champions.current() else ""
        data = entry["data"]["rev"] or entry["data"]["md5"][:8]
        scores = _scores(entry["scores"]) + ("" if tested[name] == mine else OTHER_TEST)
        table.add_row(mark, name, data, scores, reasons.get(name, "not promoted"))
    console.print(
        table if champions.names() else "No models kept yet: `manywalks refresh` keeps them", highlight=False
    )
    if any(one != mine for one in tested.values()):
        console.print(
            f"\n{OTHER_TEST.strip()} tested on other molecules than the champion: do not compare these "
            "scores with its own. `manywalks refresh` compares models on the same molecules.",
            highlight=False,
        )


@app.command()
def promote(
    name: Annotated[
        str | None,
        typer.Argument(help="A model listed by `manywalks models` (default: the former champion)."),
    ] = None,
    folder: WorkspaceOption = HERE,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "by hand",
) -> None:
    """Make another model the champion.

    Without a name, go back to the former champion.

    Example: manywalks promote 2026-11-02-1f2e3d --reason "trusted by the project team"
    """
    from manywalks.pipeline import versions
    from manywalks.refresh.champions import Champions

    workspace = Workspace.open(folder)
    champions = Champions(workspace)
    with versions.exclusive(workspace):
        if name is None:
            name = champions.roll_back()
        else:
            champions.promote(name, reason)
    console.print(f"{name} is the champion: {champions.link}", highlight=False)


@app.command()
def record(folder: WorkspaceOption = HERE) -> None:
    """Say how former predictions did once measurements came.

    Makes reports/record.html and record.parquet anew, with the nights that are missing as far as kept models
    tell of them.

    Example: manywalks record --workspace my-assay
    """
    from manywalks.formatting import count
    from manywalks.pipeline import versions
    from manywalks.record import nights
    from manywalks.record.page import PAGE, write
    from manywalks.record.summary import how_they_did
    from manywalks.refresh import promises
    from manywalks.refresh.champions import Champions

    workspace = Workspace.open(folder)
    with versions.exclusive(workspace):
        made = promises.rebuild(workspace, Champions(workspace))
        found = write(workspace)
    if made:
        console.print(f"{count(made, 'missing run')} made from the kept models", highlight=False)
    if not found.runs:
        console.print("no nightly run yet; `manywalks refresh` keeps one", highlight=False)
    for name, judged in found.judged.items():
        console.print(_judged_words(name, how_they_did(judged), found.of(name)[-1]), highlight=False)
    if damaged := nights.read(workspace).damaged:
        console.print(f"models/record: cannot be read, left out: {', '.join(damaged)}", style="yellow")
    for words in found.latest():
        console.print(f"Warning: {words}.", style="yellow", highlight=False)
    console.print(f"record  {workspace.reports / PAGE}", highlight=False)


def _judged_words(name: str, did: dict[str, Any], last: dict[str, Any]) -> str:
    """How former predictions of an endpoint did, and what its last run promised."""
    from manywalks.formatting import count, percent, short

    if not did["judged"]:
        return f"{name}: no measurement of a molecule new to a former model yet"
    unit = f" {last['unit']}" if last["unit"] else ""
    words = (
        f"{name}: {count(did['judged'], 'measurement')} predicted before, error {short(did['error_rms'])}"
        f"{unit} (root mean square)"
    )
    if did["covered"] is None:
        return words
    return f"{words}, {percent(did['covered'])} within their intervals ({percent(last['coverage'])} promised)"


def _test_molecules(seen: Any) -> frozenset[str]:
    """What a model was tested on, from the molecules that it knew."""
    return frozenset(seen.loc[seen["subset"] == "test", "smiles"])


def _words(one: dict[str, Any]) -> str:
    """Scores of an endpoint's contest."""
    if one.get("low") is None:
        return one.get("detail", f"{one['molecules']} molecules new to both models are too few")
    return (
        f"{one['metric']} {one['champion']:.3g} to {one['challenger']:.3g}, "
        f"difference {one['difference']:+.2g}, {one['low']:+.2g} to "
        f"{one['high']:+.2g} with {100 * one['confidence']:.3g} % confidence"
    )


def _scores(scores: dict[str, dict[str, Any]]) -> str:
    """The main score of every endpoint."""
    main = ("rmse", "auroc")
    shown = [
        f"{name} {metric} {one[metric]:.3g}"
        for name, one in scores.items()
        for metric in main
        if isinstance(one.get(metric), float)
    ]
    return ", ".join(shown)
