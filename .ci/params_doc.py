"""Write docs/params.md: every key of params.yaml, from the models that check it."""

from pathlib import Path

from manywalks.params.load import Params
from manywalks.params.render import describe

FILE = Path(__file__).resolve().parent.parent / "docs/params.md"


def text() -> str:
    """The page: a table a section."""
    rows = describe()
    lines = [
        "# Every key of params.yaml",
        "",
        "Made by `make fix` from `src/manywalks/params/`.",
        "",
    ]
    for name in Params.model_fields:
        inside = [row for row in rows if row[0].split(".")[0] == name]
        lines += [f"## {name}", "", "| key | value | default | what |", "|---|---|---|---|"]
        lines += [
            f"| `{key}` | {kind} | {f'`{default}`' if default != 'required' else 'required'} | {meaning} |"
            for key, kind, default, meaning in (
                tuple(cell.replace("|", "\\|") for cell in row) for row in inside
            )
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
