"""A model and what is known of it as one .zip, which `predict` and `serve` take as it is."""

import io
import json
from pathlib import Path

from manywalks.ensemble import manifest
from manywalks.ensemble.companions import CARD, METRICS, SEEN, STATEMENT, companions_of
from manywalks.ensemble.model_file.archive import MODEL, pack


def write_zip(folder: Path, output: Path, *, training: bool = True) -> None:
    """Write the archive, whole or not at all.

    Args:
        folder: the model's.
        output: ends in .zip.
        training: put the training molecules and their measured values in.
    """
    if output.suffix.lower() != ".zip":
        raise ValueError(f"--zip {output}: end it in .zip")
    about = manifest.read(folder)
    known = companions_of(folder, about)
    members = {f"{MODEL}/{name}": (folder / name).read_bytes() for name in [*about["files"], manifest.FILE]}
    for name, content in ((STATEMENT, known.statement), (METRICS, known.metrics)):
        if content:
            members[name] = json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8")
    if known.card:
        members[CARD] = known.card.encode("utf-8")
    if training and known.seen is not None:
        buffer = io.BytesIO()
        known.seen.to_parquet(buffer)
        members[SEEN] = buffer.getvalue()
    pack(members, output)
