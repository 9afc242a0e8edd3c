"""The Typer application, and what all commands share."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from manywalks.runtime import run_log

COMMANDS = (
    "init",
    "train",
    "predict",
    "explain",
    "serve",
    "export",
    "reproduce",
    "compare",
    "tune",
    "refresh",
    "record",
    "models",
    "promote",
    "churn",
    "benchmark",
    "data",
)


class InOrderOfUse(TyperGroup):
    """Commands in the order in which a new user meets them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names for the help text; a command that the order forgot comes last."""
        return sorted(super().list_commands(ctx), key=[*COMMANDS, *self.commands].index)


app = typer.Typer(
    cls=InOrderOfUse,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(no_args_is_help=True, help="Compare versions of your table.")
app.add_typer(data_app, name="data")


def _show_steps(asked: bool) -> bool:
    """Have the steps' lines shown."""
    if asked:
        os.environ[run_log.VERBOSE] = "1"
    return asked


HERE = Path()
WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace: a folder with a params.yaml.")
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose", callback=_show_steps, help="Show what the steps print; .manywalks/logs/ keeps it anyway."
    ),
]
# names, units and paths of the user are no markup, and :x: is no picture
console = Console(markup=False, emoji=False)
