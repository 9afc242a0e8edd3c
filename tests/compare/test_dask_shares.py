"""Shares of a comparison or a search on a Dask cluster whose workers share no folder with the driver."""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from manywalks import files
from manywalks.compare.configurations import Configuration
from manywalks.compare.design import Share
from manywalks.compare.folds import (
    FoldStore,
    load_fold_predictions,
    open_fold_store,
    split_name,
    write_splits,
)
from manywalks.runtime.steps.step_process import StepFailed
from manywalks.split.split import folds
from manywalks.tasks import compare as train_splits
from manywalks.tasks import curate, featurize
from manywalks.workspace import Workspace
from tests.conftest import SMALL, command
from tests.support.dask_cluster import Cluster, started

pytest.importorskip("distributed", reason="pip install 'manywalks[dask]'")
far = pytest.importorskip("manywalks.compare.dask_shares")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers."""
    with started(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def workspace(small: Path, cluster: Cluster) -> Workspace:
    """Curated and featurized, with the cluster's address in params.yaml."""
    text = SMALL.replace("cores: 2", f"cores: 2, runner: dask, address: '{cluster.address}'")
    (small / "params.yaml").write_text(text, encoding="utf-8")
    made = Workspace.open(small)
    with contextlib.chdir(small):
        curate.run(made)
        featurize.run(made)
    return made


def share_of(workspace: Workspace, numbers: list[int], count: int = 2, learning_rate: float = 1e-3) -> Share:
    """Replicates on some of three folds."""
    params = workspace.params
    train = params.train.model_copy(update={"learning_rate": learning_rate})
    asked = Configuration("", params.model_copy(update={"train": train}))
    store = open_fold_store(workspace.state / "compare", workspace, asked, 7)
    path = workspace.state / "compare/splits-here.npz"
    write_splits(path, drawn := folds(pd.read_parquet(workspace.curated), params.split, 1, 3))
    assert len(drawn) == 3
    return Share(store.folder, workspace.root, path, numbers, count)


def contents(store: Path) -> dict[str, bytes]:
    """The predictions of every file: the files hold the time that they took, too."""
    found = {path.name[:16]: files.read_npz(path)["predictions"] for path in store.glob("*.npz")}
    return {name: values.tobytes() for name, values in found.items()}


@pytest.fixture
def far_cluster(workspace: Workspace) -> Iterator[Any]:
    """The driver's end."""
    made = far.Cluster(workspace, 60)
    yield made
    made.close()


def untold(*_: Any) -> None:
    """Nobody follows."""


def test_workers_predict_what_this_machine_does(workspace: Workspace, far_cluster: Any) -> None:
    share = share_of(workspace, [0, 2])
    far_cluster.train(share, untold)
    there = contents(share.fold_store)
    assert len(there) == 2
    for path in share.fold_store.glob("*.npz"):
        path.unlink()
    train_splits.run(workspace, *share.arguments[1:])
    assert there == contents(share.fold_store)


def test_replicates_that_are_kept_are_not_trained_again(workspace: Workspace, far_cluster: Any) -> None:
    share = share_of(workspace, [0])
    train_splits.run(workspace, *share.arguments[1:])
    (before,) = contents(share.fold_store).values()
    far_cluster.train(share._replace(count=4), untold)
    (path,) = share.fold_store.glob("*.npz")
    grown = load_fold_predictions(FoldStore(share.fold_store), path.name[:16])
    assert grown.indices == [0, 1, 2, 3]
    assert grown.predictions[:2].tobytes() == before


def test_shares_side_by_side_come_from_several_threads(workspace: Workspace, far_cluster: Any) -> None:
    shares = [share_of(workspace, [n], learning_rate=rate) for rate in (1e-3, 3e-3) for n in range(2)]
    threads = [threading.Thread(target=far_cluster.train, args=(share, untold)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert [len(contents(share.fold_store)) for share in shares] == [2] * 4


def test_a_worker_killed_in_a_share_costs_that_share_alone(
    workspace: Workspace, cluster: Cluster, far_cluster: Any
) -> None:
    cluster.start_worker()
    share = share_of(workspace, [0, 1, 2], count=8)
    thread = threading.Thread(target=far_cluster.train, args=(share, untold))
    thread.start()
    deadline = time.monotonic() + 60
    while not any(far_cluster._client.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    busy = next(address for address, keys in far_cluster._client.processing().items() if keys)
    pids = far_cluster._client.run(os.getpid)
    os.kill(pids[busy], signal.SIGKILL)
    thread.join(timeout=120)
    assert len(contents(share.fold_store)) == 3


def test_bad_input_is_the_steps_own_line(workspace: Workspace, far_cluster: Any) -> None:
    share = share_of(workspace, [0], learning_rate=1e30)
    with pytest.raises(ValueError, match=r"replicates diverged with train.learning_rate 1e\+30; lower it"):
        far_cluster.train(share, untold)


def test_a_worker_with_other_code_is_refused(
    workspace: Workspace, far_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far, "content_key", lambda _: "0" * 16)
    with pytest.raises(ValueError, match="runs other code of manywalks"):
        far_cluster.train(share_of(workspace, [0]), untold)


def test_what_comes_damaged_is_not_kept(tmp_path: Path) -> None:
    store = FoldStore(tmp_path / "store")
    name = f"{split_name(np.array(['train', 'test']))}-{files.sha256_bytes(b'right')[:16]}.npz"
    with pytest.raises(StepFailed, match="came damaged"):
        far.keep(store, {name: b"wrong"})
    assert not store.folder.exists()


@pytest.mark.long
def test_the_commands_end_with_the_same_scores_on_dask(workspace: Workspace, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    shutil.copy(workspace.table, here)
    (here / "params.yaml").write_text(SMALL, encoding="utf-8")
    asked = ("--set", "network.widths=[2],[32]", "--repeats", "1", "--folds", "3", "--replicates", "2")
    for folder in (workspace.root, here):
        done = command("compare", "--workspace", str(folder), *asked)
        assert done.returncode == 0, done.stdout + done.stderr
        done = command("tune", "--workspace", str(folder), "--trials", "2", "--replicates", "2")
        assert done.returncode == 0, done.stdout + done.stderr
    one, other = (files.read_json(f / "reports/compare.json")["endpoints"] for f in (workspace.root, here))
    assert one == other
    assert len(files.read_json(workspace.root / "reports/tune.json")["trials"]) == 2
