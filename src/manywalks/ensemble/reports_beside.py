"""The reports that lie beside a model and are of it."""

import json
from pathlib import Path
from typing import Any

STATEMENT, METRICS = "statement.json", "metrics.json"


def workspace_of(folder: Path) -> Path | None:
    """The workspace whose models/ensemble a model's folder is; None of any other folder."""
    folder = folder.resolve()
    root = folder.parents[1]
    return root if folder == root / "models/ensemble" and (root / "params.yaml").is_file() else None


def metrics_beside(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The model's scores, an object for each endpoint; {} where they are not known.

    Args:
        folder: the model's.
        about: its manifest.
    """
    root = workspace_of(folder)
    if root is None:
        return json_object(folder.resolve().parent / METRICS)
    statement = json_object(root / "reports" / STATEMENT)
    if any(one["replicates"] != about["replicates"] for one in statement.values()):
        return {}
    return json_object(root / "reports" / METRICS)


def json_object(path: Path) -> dict[str, Any]:
    """A JSON object, an empty one where there is no such file or a damaged one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
