"""Damaged files, full and read-only disks, hung processes, too little memory: named, mended or refused."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from manywalks.pipeline import definition
from manywalks.replicates import packs
from manywalks.replicates.loop import train_until_enough
from manywalks.replicates.opening import open_store
from manywalks.replicates.store import read_used_replicates, save_training
from manywalks.replicates.tally import Tally
from manywalks.runtime.progress import Tell
from manywalks.runtime.steps.step_process import OutOfMemory, StepFailed
from manywalks.train.problem import Replicate
from manywalks.workspace import Workspace
from tests.faults.conftest import ended, note, outputs, step, steps_in, wait_for


def damage(path: Path, how: str) -> None:
    """Cut a file short or flip one bit of it."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[:-20] if how == "cut" else bytes(content))


@pytest.mark.parametrize("how", ["cut", "flip"])
def test_a_damaged_replicate_is_the_one_trained_again(undone: Path, trained: Path, how: str) -> None:
    for path in (trained / "models/replicates").rglob("*.npz"):
        (undone / path.relative_to(trained)).write_bytes(path.read_bytes())
    kept, broken = sorted((undone / "models/replicates").rglob("*.npz"))[:2]
    before = kept.stat().st_mtime_ns
    damage(broken, how)
    status, said = ended(step("train", undone))
    assert status == 0, said
    assert broken.read_bytes() == (trained / broken.relative_to(undone)).read_bytes()
    assert kept.stat().st_mtime_ns == before
    note(f"replicate file {how}", "found by its name's checksum, trained again, no other")


@pytest.mark.parametrize("how", ["cut", "flip"])
@pytest.mark.parametrize("name", ["data/features.npz", "data/curated.parquet", "models/ensemble/model.keras"])
def test_a_damaged_output_ends_its_record(trained: Path, tmp_path: Path, name: str, how: str) -> None:
    work = tmp_path / "work"
    subprocess.run(["cp", "-r", str(trained), str(work)], check=True)
    damage(work / name, how)
    workspace = Workspace.open(work)
    stages = definition.load_stages(workspace)
    maker = next(stage for stage in stages.values() if any(name.startswith(out) for out in stage.outs))
    assert not definition.is_current(maker, workspace)
    note(f"{name} {how}", "its stage runs again")


def test_damaged_features_are_refused_by_the_step_that_reads_them(undone: Path) -> None:
    damage(undone / "data/features.npz", "cut")
    status, said = ended(step("train", undone))
    assert status == 2, said
    assert "features.npz: is damaged" in said.strip().splitlines()[-1]


def test_a_hung_pack_is_ended_at_its_time_limit(undone: Path) -> None:
    text = (undone / "params.yaml").read_text(encoding="utf-8")
    limits = "orchestrate: {cores: 1, retries: 0, time_limit: 4}"
    text = text.replace("orchestrate: {cores: 2}", limits)
    (undone / "params.yaml").write_text(text, encoding="utf-8")
    process = step("train", undone)
    assert wait_for(lambda: steps_in(undone, "pack"))
    for pack in steps_in(undone, "pack"):
        pack.suspend()
    status, said = ended(process)
    assert status != 0
    assert "ended after its time limit of 4 s (orchestrate.time_limit)" in said
    assert not steps_in(undone)
    note("a hung training process", "ended at orchestrate.time_limit with all it started")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_named_and_leaves_the_former_file(undone: Path, small_disk: Path) -> None:
    work = small_disk / "work"
    subprocess.run(["cp", "-r", str(undone), str(work)], check=False, capture_output=True)
    before = (undone / "data/split.parquet").read_bytes()
    (work / "data").mkdir(exist_ok=True, parents=True)
    for name in ("params.yaml", "data/curated.parquet"):
        assert (work / name).is_file(), "make the disk larger"
    (work / "data/features.npz").unlink(missing_ok=True)
    (small_disk / "filler").write_bytes(b"")
    fill(small_disk / "filler")
    status, said = ended(step("featurize", work))
    assert status == 75, said
    assert "No space left on device" in said
    assert "features.npz" in said.strip().splitlines()[-1] or ".manywalks" in said.strip().splitlines()[-1]
    assert not list((work / "data").glob(".tmp-*"))
    assert before == (undone / "data/split.parquet").read_bytes()
    note("a full disk", "the file is named, the former one stays; may pass, so it is tried again")


def fill(path: Path) -> None:
    """Write until nothing more can be written, less some room for a lock file."""
    with path.open("wb", buffering=0) as handle:
        try:
            while True:
                handle.write(b"x" * 4096)
        except OSError:
            pass
        handle.truncate(max(0, handle.tell() - 2 * 4096))


def test_a_read_only_folder_is_named(undone: Path, tmp_path: Path) -> None:
    data = undone / "data"
    bound = subprocess.run(["mount", "--bind", str(data), str(data)], check=False, capture_output=True)
    if bound.returncode:
        pytest.skip("mounting a folder is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(data)], check=True)
        status, said = ended(step("featurize", undone))
    finally:
        subprocess.run(["umount", str(data)], check=True)
    assert status == 75, said
    assert "Read-only file system" in said.strip().splitlines()[-1]
    assert "features.npz" in said.strip().splitlines()[-1]
    note("a read-only folder", "the file that could not be written is named")


@pytest.fixture
def memory_of(monkeypatch: pytest.MonkeyPatch, undone: Path):
    """Make a pack's process run out of memory when it holds more replicates than this."""
    seen: list[list[int]] = []
    real = packs.run_step

    def limit(most: int) -> list[list[int]]:
        def run_step(arguments: list[str], **settings: object) -> None:
            indices = [int(index) for index in arguments[2].split(",")]
            seen.append(indices)
            if len(indices) > most:
                raise OutOfMemory("pack: MemoryError: Unable to allocate 9 GiB")
            real(arguments, **settings)  # pyright: ignore[reportArgumentType]

        monkeypatch.setattr(packs, "run_step", run_step)
        return seen

    return limit


def test_out_of_memory_halves_the_pack_and_goes_on(undone: Path, trained: Path, memory_of) -> None:
    seen = memory_of(2)
    workspace = Workspace.open(undone)
    store = open_store(workspace)
    packs.run_pack(workspace, store.key, [0, 1, 2, 3])
    assert seen == [[0, 1, 2, 3], [0, 1], [2, 3]]
    assert sorted(path.name for path in store.folder.rglob("*.npz")) == sorted(
        path.name for path in (trained / "models/replicates").rglob("*.npz")
    )
    note("out of memory", "the pack is halved and goes on; a single replicate is tried again")


def test_one_replicate_that_does_not_fit_fails(undone: Path, memory_of) -> None:
    memory_of(0)
    workspace = Workspace.open(undone)
    with pytest.raises(OutOfMemory, match="Unable to allocate"):
        packs.run_pack(workspace, open_store(workspace).key, [0, 1])


# Only the training is limited. An import without memory says anything, and OpenBLAS, which takes its own with
# the first product of two matrices, waits for ever.
LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from manywalks.tasks import pack
from manywalks.workspace import Workspace

def limited(asked, train=pack.train_pack):
    np.ones((256, 256), np.float32) @ np.ones((256, 256), np.float32)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held, held))
    return train(asked)

pack.train_pack = limited
pack.run(Workspace.open(Path(".")), sys.argv[1], "0")
"""


def test_a_pack_under_a_memory_limit_says_memory_error(undone: Path) -> None:
    """A real one: when the training begins, the process may take no more address space."""
    key = open_store(Workspace.open(undone)).key
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, key],
        cwd=undone, text=True, capture_output=True, check=False, timeout=120,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode != 0
    assert any(said in done.stderr for said in ("MemoryError", "can't start new thread"))
    assert not list((undone / "models/replicates").rglob("*.npz"))


@pytest.mark.parametrize(("failing", "tries"), [(1, 2), (5, 3)])
def test_what_can_pass_is_tried_again_and_no_more_than_asked(
    undone: Path, monkeypatch: pytest.MonkeyPatch, failing: int, tries: int
) -> None:
    seen = []

    def run_step(arguments: list[str], **settings: object) -> None:
        seen.append(arguments)
        if len(seen) <= failing:
            raise StepFailed("pack: killed by signal 15")

    monkeypatch.setattr(packs, "run_step", run_step)
    workspace = Workspace.open(undone)
    if failing >= tries:
        with pytest.raises(StepFailed):
            packs.run_pack_with_retries(workspace, "key", [0])
    else:
        packs.run_pack_with_retries(workspace, "key", [0])
    assert len(seen) == tries


def test_bad_input_is_not_tried_again(undone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def run_step(arguments: list[str], **settings: object) -> None:
        seen.append(arguments)
        raise ValueError("table.csv: no column x")

    monkeypatch.setattr(packs, "run_step", run_step)
    with pytest.raises(ValueError, match="no column x"):
        packs.run_pack_with_retries(Workspace.open(undone), "key", [0])
    assert len(seen) == 1


def test_replicates_that_diverge_are_replaced_and_counted(undone: Path) -> None:
    workspace = Workspace.open(undone)
    store = open_store(workspace)
    n = len(np.load(next((undone / "data").glob("features.npz")))["dense"])
    trained: list[int] = []

    def run_packs(key: str, packed: list[list[int]], tally: Tally) -> None:
        for index in (index for pack in packed for index in pack):
            trained.append(index)
            values = np.full((n, 1), np.nan if index in (1, 2) else index, np.float32)
            found = Replicate(index, [np.zeros((2, 2), np.float32)], values, 1, 1, index in (1, 2))
            save_training(store.families[0], found, values, "numba")

    quiet: Tell = lambda done, total, what="": None  # noqa: E731
    used = train_until_enough(workspace, run_packs, processes=2, tell=quiet)
    assert sorted(trained) == [0, 1, 2, 3, 4, 5]
    assert list(used) == [0, 3, 4, 5]
    assert read_used_replicates(store)[1] == 2
    note("a replicate that diverges", "replaced by the next, counted in the statement")
    assert outputs(undone)
