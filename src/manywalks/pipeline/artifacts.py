"""What Prefect's pages show of a run: scores as a table, the statement, the report, progress."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.evaluate.sentences import accuracy_sentences, cautions
from manywalks.runtime import progress
from manywalks.workspace import Workspace

logger = logging.getLogger(__name__)


@contextmanager
def unharmed() -> Iterator[None]:
    """What Prefect's server cannot take is logged; the run and its outputs do not depend on it."""
    try:
        yield
    except (httpx.HTTPError, RuntimeError) as error:
        logger.warning("artifact not kept by Prefect: %s", error)


def publish(workspace: Workspace) -> None:
    """The scores, the statement and the report of a finished run."""
    with unharmed():
        _publish(workspace)


def _publish(workspace: Workspace) -> None:
    """`publish`, where the server answers."""
    metrics = files.read_json(workspace.reports / "metrics.json")
    statements = files.read_json(workspace.reports / "statement.json")
    data = files.read_json(workspace.reports / "data.json")["source"]
    create_table_artifact(
        key="metrics",
        table=rows_of(metrics),
        description=f"Scores on test molecules. Data: {manifest.data_sentence(data)}",
    )
    create_markdown_artifact(key="statement", markdown=statement_text(metrics, statements))
    report = workspace.reports / "report.html"
    create_link_artifact(key="report", link=report.as_uri(), link_text="report.html")


def statement_text(metrics: dict[str, Any], statements: dict[str, Any]) -> str:
    """Markdown: how good the model is at each endpoint, then how reproducible."""
    lines = ["# Accuracy", ""]
    for name, found in metrics.items():
        lines.append("- " + " ".join([accuracy_sentences(found, name), *cautions(found)]))
    lines += ["", "# Reproducibility", ""]
    lines += [f"- {one['sentence']}\n- {one['single_replicate']}" for one in statements.values()]
    return "\n".join(lines)


def publish_refresh(found: dict[str, Any], text: str) -> None:
    """The comparison of champion and challenger."""
    with unharmed():
        create_markdown_artifact(key="refresh", markdown=text, description=found["reason"])


def rows_of(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """A row an endpoint and metric: ensemble, and single replicates."""
    return [
        {
            "endpoint": name,
            "molecules": found["n_test"],
            "metric": metric,
            "ensemble": _rounded(score),
            "replicates": _rounded(found["replicates"][metric]["mean"]),
            "sd": _rounded(found["replicates"][metric]["sd"]),
        }
        for name, found in metrics.items()
        for metric, score in found["ensemble"].items()
        if isinstance(score, int | float) and metric in found["replicates"]
    ]


def with_artifact(tell: progress.Tell) -> progress.Tell:
    """A `tell` whose whole percents a progress artifact of the run follows too."""
    shown: dict[str, Any] = {"id": None, "percent": -1, "off": False}
    # the threads that read a step's progress know nothing of the run that they belong to
    context = copy_context()

    def show(percent: int, note: str) -> None:
        if shown["id"] is None:
            made = create_progress_artifact(progress=percent, key="replicates", description=note)
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


def _rounded(value: float | None) -> float | None:
    """Four digits are enough for a table."""
    return None if value is None else float(f"{value:.4g}")
