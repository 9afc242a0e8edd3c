"""Write into dvc.yaml, stage by stage, the source files that its step imports."""

import re
from pathlib import Path

from manywalks.tasks.code import source_files

FILE = Path(__file__).resolve().parent.parent / "dvc.yaml"


def with_code(text: str) -> str:
    """dvc.yaml's text with each stage's list of code brought up to date."""
    lines: list[str] = []
    stage = ""
    in_deps = False
    for line in text.splitlines():
        if match := re.fullmatch(r"  (\w+):", line):
            stage = match[1]
        if in_deps and not line.startswith("      - "):
            lines += [f"      - {name}" for name in source_files(f"manywalks.tasks.steps.{stage}")]
            in_deps = False
        if line == "    deps:":
            in_deps = True
        if not (in_deps and line.startswith("      - tasks/") and line.endswith(".py")):
            lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(with_code(FILE.read_text(encoding="utf-8")), encoding="utf-8")
