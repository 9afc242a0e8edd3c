"""Write docs/commands.md: every command and option, from the program itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manywalks.cli.main import program

FILE = Path(__file__).resolve().parent.parent / "docs/commands.md"


def text() -> str:
    """The page: a table a command, in the order of use."""
    lines = ["# Every command and option", "", "Made by `make fix` from `manywalks COMMAND --help`.", ""]
    for name, command in _commands(program()):
        first, _, rest = (command.help or "").partition("\n\n")
        lines += [f"## {name}", "", " ".join(first.split()), ""]
        lines += [
            " ".join(part.split()) + "\n" for part in rest.split("\n\n") if part and "Example:" not in part
        ]
        rows = [_row(parameter) for parameter in command.params if not parameter.hidden]
        if rows:
            lines += ["| argument or option | default | what |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _commands(command: Any, name: str = "manywalks") -> Iterator[tuple[str, Any]]:
    """The program's own options, then each command with its full name."""
    yield name, command
    for one in command.list_commands(None) if hasattr(command, "commands") else ():
        yield from _commands(command.commands[one], f"{name} {one}")


def _row(parameter: Any) -> str:
    """One line of a table."""
    named = [*parameter.opts, *parameter.secondary_opts]
    written = (
        ", ".join(f"`{name}`" for name in named) if named[0].startswith("-") else f"`{_metavar(parameter)}`"
    )
    default = parameter.default
    shown = f"`{default}`" if default not in (None, False, "", []) and not callable(default) else ""
    if parameter.required:
        shown = "required"
    return f"| {written} | {shown} | {(parameter.help or '').replace('|', chr(92) + '|')} |"


def _metavar(parameter: Any) -> str:
    """What the help calls an argument."""
    return parameter.metavar or parameter.name.upper()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
