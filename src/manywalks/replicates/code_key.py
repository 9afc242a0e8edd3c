"""The code that decides what a replicate predicts, and the key of what a result was made from."""

import hashlib
import json
from pathlib import Path
from typing import Any

from manywalks import files

PACKAGE = Path(__file__).resolve().parent.parent
# The models of params.yaml do not count, nor the units that they check: values and prepared data do.
TRAINING = ("features.py", "graph_layout.py", "train")


def training_code() -> dict[str, str]:
    """MD5 of each source file that decides what a replicate predicts, by its path inside the package."""
    found = [PACKAGE / name for name in TRAINING]
    sources = sorted(file for path in found for file in ([path] if path.is_file() else path.rglob("*.py")))
    return {path.relative_to(PACKAGE).as_posix(): files.md5_file(path) for path in sources}


def content_key(made_from: dict[str, Any]) -> str:
    """A short name for what a kept result was made from, the training code included."""
    content = {**made_from, "code": training_code()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
