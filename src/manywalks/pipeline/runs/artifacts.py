"""What Prefect's pages show of a run: one page with verdict, scores, statement and pictures; progress."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)

from manywalks.ensemble import manifest
from manywalks.evaluate.registry import IN_UNITS, SCORE_NAMES
from manywalks.evaluate.statement.sentences import accuracy_sentences, cautions, verdict_words
from manywalks.formatting import short
from manywalks.report.charts.figures import by_count, figures
from manywalks.report.charts.picture import address
from manywalks.report.inputs import read
from manywalks.report.markdown import plain, table
from manywalks.report.page import ReportInputs, views_of
from manywalks.runtime import progress
from manywalks.workspace import Workspace

logger = logging.getLogger(__name__)
# pictures of so many endpoints, with so many dots each, keep the artifact under 1 MB
MOST_PICTURED, MOST_DOTS = 6, 500


def key_of(workspace: Workspace, what: str) -> str:
    """An artifact's key, of the letters that Prefect admits: the workspace's name, and what it is."""
    name = re.sub(r"[^a-z0-9]+", "-", workspace.root.name.lower()).strip("-")
    return f"{name or 'workspace'}-{what}"


@contextmanager
def unharmed() -> Iterator[None]:
    """What Prefect's server cannot take is logged; the run and its outputs do not depend on it."""
    try:
        yield
    except (httpx.HTTPError, RuntimeError) as error:
        logger.warning("artifact not kept by Prefect: %s", error)


def publish(workspace: Workspace) -> None:
    """The verdict, the scores, the statement and the main pictures of a finished run, as one page."""
    with unharmed():
        found = read(workspace)
        verdicts = ", ".join(f"{name}: {verdict_words(one)}" for name, one in found.metrics.items())
        create_markdown_artifact(
            key=key_of(workspace, "model"),
            markdown=page_text(found, workspace.params.orchestrate.reports),
            description=plain(verdicts),
        )


def page_text(found: ReportInputs, reports: str | None = None) -> str:
    """The page as Markdown: how good the model is at each endpoint, then how reproducible.

    Args:
        reports: the address of the folder of reports; no browser follows a link to a file of a server.
    """
    source = manifest.data_sentence(found.about["data"])
    lines = [f"# {plain(found.title)}", "", f"Data: {plain(source)}", ""]
    if reports is not None:
        lines += [f"[Report](<{reports.rstrip('/')}/report.html>)", ""]
    lines += ["## Accuracy", ""]
    for name, one in found.metrics.items():
        lines.append("- " + plain(" ".join([accuracy_sentences(one, name), *cautions(one)])))
    lines += ["", scores_table(found.metrics), "", "## Reproducibility", ""]
    for one in found.statements.values():
        lines += [f"- {plain(said)}" for said in (one["sentence"], one["data_draws"]["sentence"])]
        lines.append(f"- {plain(one['single_replicate'])}")
    return "\n".join([*lines, "", *_pictures(found)])


def scores_table(metrics: dict[str, Any]) -> str:
    """One row per endpoint and metric: ensemble, and single replicates."""
    rows = []
    for name, found in metrics.items():
        unit = f" ({found['unit']})" if found["unit"] and found["kind"] == "regression" else ""
        for metric, score in found["ensemble"].items():
            single = found["replicates"][metric] if found["replicates"] else None
            label = SCORE_NAMES[metric] + (unit if metric in IN_UNITS else "")
            spread = "–" if single is None else f"{short(single['mean'])} ± {short(single['sd'], 2)}"
            rows.append((plain(name), plain(label), f"**{short(score)}**", spread))
    return table(("endpoint", "score (test)", "ensemble", "single replicates"), rows)


def _pictures(found: ReportInputs) -> list[str]:
    """The first chart and the one by number of replicates of each endpoint, inside the text."""
    lines = ["## Pictures", ""]
    for view in views_of(found, MOST_DOTS)[:MOST_PICTURED]:
        for chart in (*figures(view)[:1], by_count(view)):
            if chart is not None:
                words = plain(f"{view.name}: {chart.title}")
                lines += [f"**{words}**", "", f"![{words}]({address(chart.svg)})", ""]
    return lines


def publish_refresh(workspace: Workspace, found: dict[str, Any], text: str) -> None:
    """The comparison of champion and challenger."""
    with unharmed():
        create_markdown_artifact(
            key=key_of(workspace, "refresh"), markdown=text, description=plain(found["reason"])
        )


def with_artifact(workspace: Workspace, tell: progress.Tell) -> progress.Tell:
    """A `tell` whose whole percents a progress artifact of the run follows too."""
    shown: dict[str, Any] = {"id": None, "percent": -1, "off": False}
    # the threads that read a step's progress know nothing of the run that they belong to
    context = copy_context()

    def show(percent: int, note: str) -> None:
        if shown["id"] is None:
            made = create_progress_artifact(
                progress=percent, key=key_of(workspace, "replicates"), description=note
            )
            shown["id"] = cast(UUID, made)
        else:
            update_progress_artifact(artifact_id=shown["id"], progress=percent, description=note)

    def both(done: float, total: float, note: str = "") -> None:
        tell(done, total, note)
        percent = int(100 * min(1.0, done / total)) if total else 0
        # a request a tenth: a replicate tells of every epoch
        if percent < 100 and percent < shown["percent"] + 10:
            return
        if percent == shown["percent"] or shown["off"]:
            return
        shown["percent"] = percent
        # a server that is gone takes its time to say so: ask once
        shown["off"] = True
        with unharmed():
            context.copy().run(show, percent, note)
            shown["off"] = False

    return both
