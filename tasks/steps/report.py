"""Stage report: one page for people, from everything that the other stages left."""

from html import escape

from manywalks.tasks import files
from manywalks.tasks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write reports/report.html."""
    statements = files.read_json(workspace.reports / "statement.json")
    title = escape(workspace.params.report.title)
    words = "".join(
        f"<h2>{escape(name)}</h2><p>{escape(statement['sentence'])}</p><p>{escape(statement['single_walk'])}</p>"
        for name, statement in statements.items()
    )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{words}'
    )
    files.write_text(workspace.reports / "report.html", page)
