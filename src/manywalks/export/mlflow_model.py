"""A model for an MLflow server: its parameters, scores, statement and report, and a registered pyfunc."""

import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from manywalks.ensemble import manifest
from manywalks.ensemble.companions import Companions, companions_of
from manywalks.export.archive import write_zip

try:
    import mlflow  # pyright: ignore[reportMissingImports]
except ImportError:
    raise ValueError("export --mlflow: mlflow is not installed; pip install 'manywalks[mlflow]'") from None

EXPERIMENT = "manywalks"
# what is run where the model is loaded
PYFUNC = Path(__file__).with_name("mlflow_pyfunc.py")


def register(folder: Path, uri: str) -> list[str]:
    """Log a model and register it under its endpoints' names; lines for people.

    Args:
        folder: the model's.
        uri: of the tracking server, such as http://127.0.0.1:5000.
    """
    about = manifest.read(folder)
    known = companions_of(folder, about)
    name = "-".join(about["params"]["data"]["endpoints"])
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=name), tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "model.zip"
        write_zip(folder, archive)
        _log(folder, about, known)
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(PYFUNC),
            artifacts={"model": str(archive)},
            pip_requirements=[f"manywalks[mlflow]=={metadata.version('manywalks')}"],
            registered_model_name=name,
        )
    version = logged.registered_model_version
    return [f"{name}, version {version}: mlflow.pyfunc.load_model('models:/{name}/{version}')"]


def _log(folder: Path, about: dict[str, Any], known: Companions) -> None:
    """Everything but the model itself."""
    data = about["data"]
    mlflow.log_params(dict(_flat(about["params"])))
    mlflow.set_tags(
        {
            "store": about["store"],
            "data_version": data.get("rev") or data["md5"],
            "replicates": about["replicates"],
        }
    )
    for endpoint in about["params"]["data"]["endpoints"]:
        for kind, found in (("test", known.metrics), ("statement", known.statement)):
            one = found.get(endpoint, {})
            numbers = one.get("ensemble", {}) if kind == "test" else one
            mlflow.log_metrics(
                {
                    f"{endpoint}.{kind}.{key}": float(value)
                    for key, value in numbers.items()
                    if isinstance(value, int | float) and not isinstance(value, bool)
                }
            )
    if known.statement:
        mlflow.log_dict(known.statement, "statement.json")
    if known.metrics:
        mlflow.log_dict(known.metrics, "metrics.json")
    if known.card:
        mlflow.log_text(known.card, "card.md")
    report = folder.resolve().parent.parent / "reports/report.html"
    if known.card and report.is_file():
        mlflow.log_artifact(str(report))


def _flat(section: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Parameters by their dotted keys; a list is one value."""
    for key, value in section.items():
        # MLflow allows no other signs in a name
        name = before + "".join(c if c.isalnum() or c in "_-. /" else "_" for c in str(key))
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, str(value)
