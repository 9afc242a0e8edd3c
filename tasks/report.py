"""Stage report: one page for people, and the model card, from everything that the other stages left."""

from manywalks import files
from manywalks.report.inputs import read
from manywalks.report.model_card import model_card
from manywalks.report.page import page
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write reports/report.html and reports/card.md."""
    found = read(workspace)
    files.write_text(workspace.reports / "report.html", page(found))
    files.write_text(workspace.reports / "card.md", model_card(found))
