"""The reports that lie beside a model and are of it."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

STATEMENT, METRICS = "statement.json", "metrics.json"


def workspace_of(folder: Path) -> Path | None:
    """The workspace whose models/ensemble a model's folder is; None of any other folder."""
    folder = folder.resolve()
    root = folder.parent.parent
    return root if folder == root / "models/ensemble" and (root / "params.yaml").is_file() else None


def metrics_beside(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The model's scores, an object for each endpoint; {} where they are not known.

    Args:
        folder: the model's.
        about: its manifest.
    """
    root, endpoints = workspace_of(folder), about["params"]["data"]["endpoints"]
    if root is None:
        return by_endpoint(folder.resolve().parent / METRICS, endpoints)
    reports = root / "reports"
    if is_of_another(by_endpoint(reports / STATEMENT, endpoints), about):
        return {}
    return by_endpoint(reports / METRICS, endpoints)


def is_of_another(statement: dict[str, Any], about: dict[str, Any]) -> bool:
    """Whether a workspace's statement is of another model than this manifest's."""
    return any(one["replicates"] != about["replicates"] for one in statement.values())


def by_endpoint(path: Path, endpoints: Collection[str]) -> dict[str, Any]:
    """What a JSON file has of the endpoints, an object each.

    {} where there is no such file, a damaged one, or one of another program: the folder above a model that
    was copied is its user's, and metrics.json a common name.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in endpoints if isinstance(found.get(name), dict)}
