"""What a person sees on the terminal: stages as they run, and the table at the end."""

from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from manywalks.tasks import files, progress
from manywalks.tasks.workspace import Workspace

LABELS = {
    "curate": "curate molecules",
    "featurize": "compute features",
    "split": "split",
    "train": "train replicates",
    "ensemble": "build the ensemble",
    "evaluate": "evaluate",
    "report": "write the report",
    "sources": "vary each source",
}


class Board:
    """One bar a stage, shown from the moment that the stage tells of itself."""

    def __init__(self) -> None:
        self._bars = progress.bar()
        self._rows: dict[str, Any] = {}

    def __enter__(self) -> "Board":
        self._bars.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def follow(self, stage: str) -> progress.Tell:
        """The `tell` of one stage."""

        def tell(done: float, total: float, note: str = "") -> None:
            if stage not in self._rows:
                self._rows[stage] = self._bars.add_task(LABELS.get(stage, stage), total=None, note="")
            progress.update(self._bars, self._rows[stage], done, total or None, note)

        return tell


def summary(workspace: Workspace) -> Group:
    """What a run ends with: the table, the statement in sentences, and where everything lies."""
    metrics = files.read_json(workspace.reports / "metrics.json")
    statements = files.read_json(workspace.reports / "statement.json")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("endpoint", "molecules", "score (test)", "ensemble", "single walks", "worst to best"):
        table.add_column(title, justify="left" if title in ("endpoint", "score (test)") else "right")
    for name, found in metrics.items():
        for place, (metric, row) in enumerate(_rows(found)):
            table.add_row("" if place else name, "" if place else str(found["n_test"]), metric, *row)
    lines: list[Any] = [table, Text()]
    for statement in statements.values():
        lines += [Text(statement["sentence"]), Text(statement["single_walk"], style="dim")]
    lines += [
        Text(),
        Text(f"model   {_shown(workspace, workspace.ensemble)}"),
        Text(f"report  {_shown(workspace, workspace.reports / 'report.html')}"),
    ]
    return Group(*lines)


MAIN_SCORES = {"regression": ("rmse", "mae", "r2", "spearman"), "classification": ("auroc", "auprc", "mcc")}
HIGHER_IS_BETTER = {"r2", "spearman", "kendall", "auroc", "auprc", "mcc"}


def _rows(found: dict[str, Any]) -> list[tuple[str, tuple[str, str, str]]]:
    """(metric, (ensemble, single walks, worst to best)) of one endpoint."""
    rows = []
    for metric in MAIN_SCORES[found["kind"]]:
        whole, walks = found["ensemble"][metric], found["replicates"][metric]
        if whole is None or walks["mean"] is None:
            continue
        low, high = walks["min"], walks["max"]
        worst, best = (low, high) if metric in HIGHER_IS_BETTER else (high, low)
        unit = f" ({found['unit']})" if metric in ("rmse", "mae") and found["unit"] else ""
        cells = (f"{whole:.3f}", f"{walks['mean']:.3f} ± {walks['sd']:.3f}", f"{worst:.3f} to {best:.3f}")
        rows.append((f"{metric.upper() if metric != 'spearman' else 'Spearman'}{unit}", cells))
    return rows


def _shown(workspace: Workspace, path: Path) -> str:
    """A path as short as it can be typed from where the user stands."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def plain_table(header: list[str], rows: list[list[str]]) -> Table:
    """Rows of text as a table without lines; what is not the first column stands to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, title in enumerate(header):
        table.add_column(title, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    return table


def sources_table(workspace: Workspace) -> Table:
    """reports/sources.json for people: the spread that each source of randomness brings alone."""
    found = files.read_json(workspace.reports / "sources.json")
    rows = [
        [
            f"{name}: {source}" + (f" ({found['units'][name]})" if found["units"][name] else ""),
            f"{row['spread']:.3g}",
            f"{row['low']:.3g} to {row['high']:.3g}",
            f"{100 * row['share']:.0f} %"
            + (
                "" if source == "all" else f" ({100 * row['share_low']:.0f} to {100 * row['share_high']:.0f})"
            ),
        ]
        for name, sources in found["endpoints"].items()
        for source, row in sources.items()
    ]
    return plain_table(["what varies", "spread", "95 % interval", "of all variance"], rows)


def diff_lines(found: dict[str, Any], most: int | None = 10) -> list[str]:
    """`data_diff.diff_tables` for people: `most` molecules of each kind are named, all where None."""
    lines = [
        f"{found['before']} molecules before, {found['after']} after: "
        f"{len(found['added'])} added, {len(found['removed'])} removed"
    ]
    lines += _listed([f"+ {smiles}" for smiles in found["added"]], most)
    lines += _listed([f"- {smiles}" for smiles in found["removed"]], most)
    for name, change in found["endpoints"].items():
        lines.append(
            f"{name}: {change['changed']} values changed, {change['measured_since']} measured since, "
            f"{change['measured_no_more']} measured no more"
        )
        lines += _listed([_change(row) for row in change["changes"]], most)
    return lines


def _change(row: dict[str, Any]) -> str:
    """One molecule's change; a value that became a bound, or a bound a value, shows as one."""
    before, after = (
        f"{row[f'{when}_relation'].replace('=', '')}{row[when]:g}" for when in ("before", "after")
    )
    return f"{row['smiles']}  {before} -> {after}"


def _listed(lines: list[str], most: int | None) -> list[str]:
    """The lines, set in; the last one says how many are left out."""
    left = 0 if most is None else max(0, len(lines) - most)
    shown = lines[: len(lines) - left]
    return [f"  {line}" for line in shown] + ([f"  and {left} more (--all names them)"] if left else [])
