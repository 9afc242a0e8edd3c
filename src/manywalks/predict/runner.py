"""What predicts chunks: this machine or a cluster, as the workspace says that the model lies in.

Workers of this machine start before anything else: they take about as long as importing what predicts and
reading the model. So this module imports neither.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml
from pydantic import ValidationError

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.params.load import load_params
from manywalks.params.renamed import with_new_names
from manywalks.params.sections.block_sources import FUNCTIONS
from manywalks.params.sections.curate import CurateParams
from manywalks.params.sections.model import FeatureBlock, FeaturizeParams
from manywalks.params.sections.run import OrchestrateParams
from manywalks.runtime.resources import NO_DASK, usable_cores
from manywalks.runtime.worker_pool import ALONE, WorkerPool

if TYPE_CHECKING:
    import pyarrow as pa

    from manywalks.ensemble.model import Ensemble
    from manywalks.predict.stream import Chunk, Keep, Share

TARGET = "manywalks.predict.molecule_worker:worker"
ROW, BLOCK = 50, 800  # bytes of a row, and of an SDF's molecule: they tell how many workers there will be


class Runner(Protocol):
    """What scores chunks: here, or on a cluster."""

    def run(self, chunks: "Iterator[Chunk]", keep: "Keep", tell: "Share") -> None:
        """Score chunks; `keep` gets the table of each."""
        ...

    def remember(self, table: "pa.Table") -> None:
        """Take over a chunk that a former run has finished."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


def runner_of(
    model: Path,
    ensemble: "Ensemble",
    asked: OrchestrateParams,
    keep: Sequence[str],
    top: int | None,
    workers: WorkerPool | None = None,
) -> Runner:
    """As orchestrate of the workspace says that the model lies in (default: on this machine's cores).

    `workers` are those of `early_workers`.
    """
    if asked.runner == "dask":
        try:
            from manywalks.predict.dask import FarStream
        except ImportError:
            raise ValueError(NO_DASK) from None
        return FarStream(model, asked, keep, top)
    from manywalks.predict.stream import Stream

    return Stream(ensemble, usable_cores(asked.cores), keep=keep, top=top, workers=workers)


def worker_setup(curate: CurateParams, blocks: Sequence[FeatureBlock]) -> dict[str, Any]:
    """What a worker is told of the model, as plain JSON."""
    return {"curate": curate.model_dump(mode="json"), "blocks": [b.model_dump(mode="json") for b in blocks]}


def molecule_pool(curate: CurateParams, blocks: Sequence[FeatureBlock], cores: int) -> WorkerPool:
    """Workers for a model's molecules; none has started yet."""
    # one request, two steps: each may take as long as in training
    return WorkerPool(TARGET, worker_setup(curate, blocks), 2 * curate.time_limit, cores)


@contextmanager
def early_workers(model: Path, table: Path) -> Iterator[WorkerPool | None]:
    """As many workers as a table will need, one at least, started from the manifest; ended with the block.

    None where the manifest cannot be read (`Ensemble.load` says why), where a cluster predicts, or where a
    block needs more than is read here.
    """
    pool = _early_pool(model)
    if pool is None:
        yield None
        return
    try:
        while len(pool.workers) < min(pool.cores, max(1, -(-_rows(table) // ALONE))):
            pool.start()
        yield pool
    finally:
        pool.stop()


def _early_pool(model: Path) -> WorkerPool | None:
    """The workers of a model whose manifest says all that they must know."""
    path = model / manifest.FILE
    about = files.read_json(path) if path.is_file() else None
    if not manifest.is_whole(about):
        return None
    orchestrate, params = orchestrate_of(model), with_new_names(about["params"])
    try:
        blocks = FeaturizeParams.model_validate(params["featurize"]).blocks
        curate = CurateParams.model_validate(params["curate"])
    except ValidationError:
        return None
    if orchestrate.runner == "dask" or any(block.kind in (*FUNCTIONS, "table") for block in blocks):
        return None
    cores = usable_cores(orchestrate.cores)
    return molecule_pool(curate, blocks, cores)


def _rows(table: Path) -> int:
    """About how many rows a table has; 0 where that cannot be told before it is read."""
    if table.is_dir():
        return sum(_rows(path) for path in table.iterdir() if path.is_file())
    each = BLOCK if table.suffix.lower() == ".sdf" else ROW
    return table.stat().st_size // each if table.is_file() else 0


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
