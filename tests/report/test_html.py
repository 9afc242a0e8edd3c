"""What every page shares."""

from pathlib import Path

from manywalks.report.html import Link, links_to


def test_only_pages_that_exist_are_linked(tmp_path: Path) -> None:
    assert links_to(tmp_path, "report.html", "card.md") == []
    (tmp_path / "card.md").touch()
    (tmp_path / "compare.html").touch()
    assert links_to(tmp_path, "report.html", "card.md") == [Link("card.md", "Model card")]
