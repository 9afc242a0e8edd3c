"""The commands that take a model elsewhere: serve, export."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from manywalks.cli.app import app, console

TOKEN = "MANYWALKS_TOKEN"


@app.command()
def serve(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="A model's folder, a workspace (its champion, if it has one), or a .zip of `export`; "
            "NAME=PATH gives it another name.",
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8080,
    token_file: Annotated[
        Path | None,
        typer.Option(help=f"File with the token that clients must send (or set {TOKEN})."),
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Worker processes (default: one per core).")
    ] = None,
    max_rows: Annotated[int, typer.Option(min=1, help="Molecules of one request.")] = 10_000,
    max_waiting: Annotated[int, typer.Option(min=1, help="Molecules that wait in all.")] = 20_000,
    max_mib: Annotated[float, typer.Option(min=0.001, help="Size of one request in MiB.")] = 16.0,
    max_seconds: Annotated[float, typer.Option(min=0.1, help="Time of one request.")] = 120.0,
) -> None:
    """Serve models over HTTP, with a page to try them.

    Example: manywalks serve my-assay
    """
    from manywalks.runtime.resources import usable_cores
    from manywalks.serve.limits import Limits
    from manywalks.serve.run import serve as run
    from manywalks.serve.source import parse_all

    sources, token = parse_all(models), _token(token_file)
    limits = Limits(max_rows, max_waiting, int(max_mib * 2**20), max_seconds)
    run(sources, host=host, port=port, token=token, limits=limits, cores=usable_cores(cores))


def _token(path: Path | None) -> str | None:
    """The token of the file, else of the environment; None for none."""
    if path is None:
        return os.environ.get(TOKEN) or None
    if not path.is_file():
        raise ValueError(f"--token-file {path}: no such file")
    token = path.read_text(encoding="utf-8").strip()
    if not token:
        raise ValueError(f"--token-file {path}: is empty; write a token into it")
    return token


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="A model's folder, or a workspace (its champion, if any).")],
    onnx: Annotated[
        Path | None, typer.Option(help="Write an ONNX graph: features to mean and spread.")
    ] = None,
    zip_: Annotated[
        Path | None, typer.Option("--zip", help="Write one file that predict and serve take as it is.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(help="Log and register it with the MLflow server at this address.")
    ] = None,
    training: Annotated[
        bool, typer.Option(help="Put the training molecules and their values into the .zip.")
    ] = True,
) -> None:
    """Write a model for other tools.

    Example: manywalks export models/ensemble --zip model.zip --onnx model.onnx
    """
    from manywalks.ensemble.model import Ensemble
    from manywalks.ensemble.model_file.archive import model_folder
    from manywalks.serve.source import Source

    if onnx is None and zip_ is None and mlflow is None:
        raise ValueError("export: what to? give --onnx, --zip or --mlflow")
    source = Source.parse(str(model))
    with model_folder(source.model()) as folder:
        if onnx is not None:
            from manywalks.export.onnx_model import write_onnx

            write_onnx(Ensemble.load(folder), onnx)
            console.print(f"{onnx}: input features (raw), outputs mean and spread", highlight=False)
        if zip_ is not None:
            from manywalks.export.archive import write_zip

            write_zip(folder, zip_, training=training)
            run = f"manywalks predict {shlex.quote(str(zip_))} INPUT OUTPUT"
            console.print(f"{zip_}: {run}", highlight=False, soft_wrap=True)
        if mlflow is not None:
            from manywalks.export.mlflow_model import register

            for line in register(folder, mlflow):
                console.print(line, highlight=False, soft_wrap=True)
