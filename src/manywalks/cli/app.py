"""The Typer application, and what all commands share."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(no_args_is_help=True, help="Versions of the raw table.")
app.add_typer(data_app, name="data")
HERE = Path()
WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="Workspace: a folder with a params.yaml.")
]
console = Console()
