"""What predicts chunks: this machine or a cluster, as the workspace says that the model lies in."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import yaml

from manywalks.ensemble.model import Ensemble
from manywalks.params.load import load_params
from manywalks.params.sections.run import OrchestrateParams
from manywalks.predict.stream import Chunk, Keep, Share, Stream
from manywalks.runtime.resources import NO_DASK, usable_cores


class Runner(Protocol):
    """What scores chunks: here, or on a cluster."""

    def run(self, chunks: Iterator[Chunk], keep: Keep, tell: Share) -> None:
        """Score chunks; `keep` gets the table of each."""
        ...

    def remember(self, table: pa.Table) -> None:
        """Take over a chunk that a former run has finished."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


def runner_of(
    model: Path, ensemble: Ensemble, asked: OrchestrateParams, keep: Sequence[str], top: int | None
) -> Runner:
    """As orchestrate of the workspace says that the model lies in (default: on this machine's cores)."""
    if asked.runner == "dask":
        try:
            from manywalks.predict.dask import FarStream
        except ImportError:
            raise ValueError(NO_DASK) from None
        return FarStream(model, asked, keep, top)
    return Stream(ensemble, usable_cores(asked.cores), keep=keep, top=top)


def _is_ours(path: Path) -> bool:
    """Whether a file holds parameters of manywalks."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError):
        return False
    data = found.get("data") if isinstance(found, dict) else None
    return isinstance(data, dict) and "endpoints" in data


def orchestrate_of(model: Path) -> OrchestrateParams:
    """The section orchestrate of the params.yaml nearest above the model; defaults where there is none.

    Other tools have a params.yaml too: one without endpoints says nothing of where to predict.
    """
    for folder in model.resolve().parents:
        if _is_ours(folder / "params.yaml"):
            return load_params(folder / "params.yaml").orchestrate
    return OrchestrateParams()
