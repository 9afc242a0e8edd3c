"""Packs on a Dask cluster whose workers share no folder with the driver."""

import dataclasses
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from manywalks import files
from manywalks.replicates.family_weights.opening import open_called
from manywalks.replicates.loop import train_until_enough
from manywalks.replicates.opening import open_store
from manywalks.replicates.packs import side_by_side
from manywalks.replicates.store import Store, entropy_of
from manywalks.replicates.tally import Tally
from manywalks.runtime import object_store
from manywalks.runtime.resources import fitting
from manywalks.runtime.steps.step_process import StepFailed
from manywalks.tasks import pack
from manywalks.workspace import Workspace
from tests.conftest import command
from tests.support.dask_cluster import Cluster, free_port, started

distributed = pytest.importorskip("distributed", reason="pip install 'manywalks[dask]'")
far = pytest.importorskip("manywalks.replicates.dask_packs")
Delivery = pytest.importorskip("manywalks.runtime.dask_cluster").Delivery
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
FAMILIES = (
    "families:\n  - {name: print, blocks: [morgan_count]}\n  - {name: physical, blocks: [physchem]}\n"
    "weights: out_of_fold\n"
)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A folder of a bucket of an S3 server on this machine; whatever starts later finds the server."""
    port = free_port()
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    running.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        }.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="replicates")
        yield "s3://replicates/manywalks"
    running.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, bucket: str) -> Iterator[Cluster]:
    """A scheduler and two workers, which find the S3 server too."""
    assert bucket
    with started(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Any]:
    """A driver's client; two workers are there."""
    with distributed.Client(cluster.address, set_as_default=False, timeout=60) as found:
        found.wait_for_workers(2, timeout=60)
        yield found


@pytest.fixture
def emptied(trained: Path, tmp_path: Path) -> Workspace:
    """The trained workspace without its replicates, its entropy kept."""
    folder = tmp_path / "driver"
    shutil.copytree(trained, folder)
    for path in (folder / "models/replicates").rglob("*.npz"):
        path.unlink()
    return Workspace.open(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Every replicate's bytes by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.npz")}


def deliver(client: Any, workspace: Workspace, root: str | None = None, *, key: str | None = None) -> Store:
    """What the flow does before it submits packs, to workers that have had nothing of the kind."""
    store = open_called(workspace, key) if key else open_store(workspace)
    with suppress(ValueError):  # a plugin that a former test registered is kept under its name
        client.unregister_worker_plugin(f"manywalks-{store.key}")
    client.register_plugin(Delivery(store.key, far.training_bundle(workspace, store), root))
    return store


@pytest.mark.parametrize("kind", ["bytes", "folder", "s3"])
def test_workers_make_the_very_files_that_this_machine_makes(
    client, emptied: Workspace, trained: Path, tmp_path: Path, bucket: str, kind: str
) -> None:
    root = {"bytes": None, "folder": (tmp_path / "shared").as_uri(), "s3": f"{bucket}/files"}[kind]
    store = deliver(client, emptied, root)
    futures = [
        client.submit(far.run_far_pack, store.key, pack, root, pure=False) for pack in ([0, 1], [2, 3])
    ]
    assert sum(far.keep(store, future.result(timeout=120), root) for future in futures) == 4
    assert contents(store.folder) == contents(trained / "models/replicates")


def test_workers_draw_the_molecules_that_this_machine_draws(client, emptied: Workspace) -> None:
    params = emptied.root / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("{count: 4,", "{count: 4, rows: bootstrap,"), encoding="utf-8")
    workspace = Workspace.open(emptied.root)
    for family in open_store(workspace).families:
        entropy_of(family, workspace.params)
    store = deliver(client, workspace)
    assert store.draws is not None
    made = client.submit(far.run_far_pack, store.key, [0, 1], pure=False).result(timeout=120)
    pack.run(workspace, store.key, "0,1")
    assert made == {f"{store.key}/{name.split('/')[-1]}": own for name, own in contents(store.folder).items()}


def test_weights_of_families_are_fitted_on_workers_as_on_this_machine(
    client, emptied: Workspace, tmp_path: Path
) -> None:
    """Networks of the folds and replicates alike, down to weights.json."""
    text = emptied.params_file.read_text(encoding="utf-8").replace("{count: 4,", "{count: 2,")
    emptied.params_file.write_text(text + FAMILIES, encoding="utf-8")
    shutil.copytree(emptied.root, tmp_path / "alone")
    there, alone = Workspace.open(emptied.root), Workspace.open(tmp_path / "alone")

    def on_workers(key: str, packs: list[list[int]], tally: Tally) -> None:
        store = deliver(client, there, key=key)
        for future in [client.submit(far.run_far_pack, key, own, pure=False) for own in packs]:
            far.keep(store, future.result(timeout=120), None)

    def quiet(done: float, total: float, note: str = "") -> None:
        """Nobody looks."""

    train_until_enough(there, on_workers, processes=2, tell=quiet)
    train_until_enough(alone, side_by_side(alone, 2), processes=2, tell=quiet)
    made = contents(there.replicates)
    assert len([name for name in made if name.startswith("folds/")]) == 2 * 6  # two families
    assert made == contents(alone.replicates)
    assert files.read_json(there.replicates / "weights.json") == files.read_json(
        alone.replicates / "weights.json"
    )


def test_data_goes_to_each_worker_once_however_many_replicates(
    client, cluster: Cluster, emptied: Workspace
) -> None:
    store = deliver(client, emptied)
    bundles = [*cluster.folder.rglob(f"manywalks-{store.key}/data/features.npz")]
    assert len(bundles) == len([worker for worker in cluster.workers if worker.poll() is None])
    before = [path.stat().st_mtime_ns for path in bundles]
    for index in (0, 1):
        client.submit(far.run_far_pack, store.key, [index], pure=False).result(timeout=120)
    assert [path.stat().st_mtime_ns for path in bundles] == before


def test_a_worker_killed_in_a_pack_costs_that_pack_alone(
    client, cluster: Cluster, emptied: Workspace, trained: Path
) -> None:
    store = deliver(client, emptied)
    cluster.start_worker()  # what comes later gets the data too
    client.wait_for_workers(3, timeout=60)
    futures = [client.submit(far.run_far_pack, store.key, [index], pure=False) for index in range(4)]
    deadline = time.monotonic() + 60
    victim = cluster.workers[0]
    while not list((cluster.folder / "worker-0").rglob("step-*")) and time.monotonic() < deadline:
        if any(future.key in keys for keys in client.processing().values() for future in futures):
            break
        time.sleep(0.05)
    victim.send_signal(signal.SIGKILL)
    for future in futures:
        far.keep(store, future.result(timeout=180), None)
    assert contents(store.folder) == contents(trained / "models/replicates")


def test_a_worker_with_other_code_is_refused(client, emptied: Workspace) -> None:
    store = open_store(emptied)
    own = store.families[0]
    changed = dataclasses.replace(own, folder=own.folder.with_name("0" * 16))
    other = dataclasses.replace(store, families=(changed,))
    shutil.copytree(own.folder, changed.folder)
    client.register_plugin(Delivery(other.key, far.training_bundle(emptied, other), None))
    with pytest.raises(ValueError, match="runs other code of manywalks"):
        client.submit(far.run_far_pack, other.key, [0], pure=False).result(timeout=60)


def test_what_comes_damaged_is_not_kept(emptied: Workspace, trained: Path) -> None:
    store = open_store(emptied)
    name, content = next(iter(contents(trained / "models/replicates").items()))
    with pytest.raises(StepFailed, match="came damaged"):
        far.keep(store, {name: content[:-1] + b"?"}, None)
    assert contents(store.folder) == {}


def test_a_driver_takes_what_a_former_one_left_in_the_storage_root(
    emptied: Workspace, trained: Path, tmp_path: Path
) -> None:
    store, root = open_store(emptied), str(tmp_path / "shared")
    for name, content in contents(trained / "models/replicates").items():
        object_store.put(root, f"{store.key}/replicates/{name}", content)
    assert far.collect(store, root) == 4
    assert contents(store.folder) == contents(trained / "models/replicates")
    assert far.collect(store, root) == 0


def test_over_s3_one_bundle_serves_all_workers_and_the_scheduler_passes_names_alone(
    client, emptied: Workspace, trained: Path, bucket: str
) -> None:
    root = f"{bucket}/once"
    store = deliver(client, emptied, root)
    futures = [client.submit(far.run_far_pack, store.key, [index], root, pure=False) for index in range(4)]
    made = [future.result(timeout=120) for future in futures]
    assert all(content is None for pack in made for content in pack.values())
    bundles = [name for name in object_store.names(root, store.key) if name.endswith(".zip")]
    assert len(bundles) == 1
    # this driver ends before it takes them; the next one finds them there
    assert contents(store.folder) == {}
    assert far.collect(store, root) == 4
    assert contents(store.folder) == contents(trained / "models/replicates")


def test_a_bundle_damaged_in_s3_is_refused(client, emptied: Workspace, bucket: str) -> None:
    root = f"{bucket}/damaged"
    store = open_store(emptied)
    delivery = Delivery(store.key, far.training_bundle(emptied, store), root)
    name = f"{store.key}/{delivery.digest}.zip"
    object_store.put(root, name, object_store.get(root, name)[:-1] + b"?")
    delivery.name = "manywalks-damaged"
    with pytest.raises(ValueError, match="came damaged"):
        client.register_plugin(delivery)


def test_s3_holds_whole_objects_and_forgets_them(bucket: str) -> None:
    object_store.put(bucket, "key/replicates/a.npz", b"content")
    assert object_store.names(bucket, "key/replicates") == ["a.npz"]
    assert object_store.get(bucket, "key/replicates/a.npz") == b"content"
    with pytest.raises(ValueError, match="holds no key/gone"):
        object_store.get(bucket, "key/gone")
    object_store.remove(bucket, "key")
    assert object_store.names(bucket, "key/replicates") == []


@pytest.mark.parametrize("root", ["memory://replicates", "folder"])
def test_a_storage_root_gives_back_what_was_put(root: str, tmp_path: Path) -> None:
    root = str(tmp_path / root) if root == "folder" else root
    object_store.put(root, "key/one.zip", b"1")
    object_store.put(root, "key/one.zip", b"2")
    assert object_store.get(root, "key/one.zip") == b"2"
    assert object_store.names(root, "key") == ["one.zip"]
    object_store.remove(root, "key")
    assert object_store.names(root, "key") == []


def test_an_unknown_storage_says_what_would_do() -> None:
    with pytest.raises(ValueError, match=r"orchestrate\.storage: 'nowhere://x' cannot be used"):
        object_store.put("nowhere://x", "a", b"")


def test_packs_on_workers_are_small_and_complete() -> None:
    dealt = far.smaller([list(range(20)), [20]])
    assert [index for pack in dealt for index in pack] == list(range(21))
    assert max(map(len, dealt)) == far.PACK


@pytest.mark.parametrize(
    ("cores", "free", "each", "found"), [(8, 100, 10, 8), (8, 35, 10, 3), (8, 5, 10, 1), (8, None, 10, 8)]
)
def test_packs_side_by_side_fit_cores_and_memory(cores: int, free: int, each: int, found: int) -> None:
    assert fitting(cores, free, each) == found


@pytest.mark.long
def test_no_cluster_at_the_address_is_one_line(small: Path) -> None:
    text = (small / "params.yaml").read_text(encoding="utf-8")
    port = free_port()
    text = text.replace("cores: 2", f"cores: 2, runner: dask, address: 'tcp://127.0.0.1:{port}'")
    (small / "params.yaml").write_text(text.replace("epochs: 4", "epochs: 1"), encoding="utf-8")
    os.environ["MANYWALKS_CONNECT_S"] = "3"
    try:
        done = command("train", "--workspace", str(small))
    finally:
        del os.environ["MANYWALKS_CONNECT_S"]
    assert done.returncode == 2, done.stdout + done.stderr
    assert "orchestrate.address: no Dask cluster" in done.stderr.strip().splitlines()[-1]


@pytest.mark.long
@pytest.mark.parametrize("where", ["local", "address", "s3"])
def test_the_flow_on_dask_ends_with_the_same_outputs(
    cluster: Cluster, emptied: Workspace, trained: Path, bucket: str, where: str
) -> None:
    address = f", address: '{cluster.address}'" if where != "local" else ""
    address += f", storage: '{bucket}/flow'" if where == "s3" else ""
    text = emptied.params_file.read_text(encoding="utf-8")
    emptied.params_file.write_text(text.replace("cores: 2", f"cores: 2, runner: dask{address}"), "utf-8")
    done = command("train", "--workspace", str(emptied.root))
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("models/ensemble/model.keras", "reports/metrics.json", "reports/statement.json"):
        assert files.md5_file(emptied.root / name) == files.md5_file(trained / name)
    assert object_store.names(f"{bucket}/flow", open_store(emptied).key) == []
