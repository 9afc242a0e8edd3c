"""benchmarks/RESULTS.md: each benchmark rewrites its own section."""

from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


def write_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Put `text` between `<!-- name -->` and `<!-- /name -->`; a section that is not there is added last."""
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = path.read_text(encoding="utf-8") if path.is_file() else "# Results of the benchmarks\n"
    section = f"{first}\n{text.strip()}\n{last}"
    if first not in whole:
        whole = f"{whole.rstrip()}\n\n{section}\n"
    else:
        before, rest = whole.split(first, 1)
        whole = before + section + rest.split(last, 1)[1]
    path.write_text(whole, encoding="utf-8")


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
