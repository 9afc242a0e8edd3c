"""Where a model predicts, as its workspace says and no other tool; and the workers that start early."""

import json
from pathlib import Path

import pytest

from manywalks.ensemble import manifest
from manywalks.ensemble.model import Ensemble
from manywalks.params.sections.run import OrchestrateParams
from manywalks.predict.runner import early_workers, molecule_pool, orchestrate_of

OURS = "data: {path: t.csv, endpoints: {y: {}}}\norchestrate: {cores: 1}\n"


@pytest.mark.parametrize("content", ["train:\n  lr: 0.1\n", "data:\n  path: images\n", "- 1\n", ":\n\t- ["])
def test_another_tools_params_say_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "params.yaml").write_text(content, encoding="utf-8")
    assert orchestrate_of(tmp_path / "models/ensemble") == OrchestrateParams()


def test_the_workspace_above_says_it(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(OURS, encoding="utf-8")
    assert orchestrate_of(tmp_path / "models/ensemble").cores == 1


@pytest.fixture(scope="module")
def model(trained: Path) -> Path:
    return trained / "models/ensemble"


def table_of(rows: int, folder: Path) -> Path:
    path = folder / "in.csv"
    path.write_text("smiles\n" + "O=C(NCCCN)c1ccc(cc1)S(=O)(=O)Nc1ccccc1C(F)(F)F\n" * rows, encoding="utf-8")
    return path


@pytest.mark.parametrize(("rows", "workers"), [(20, 1), (5000, 2)])
def test_early_workers_are_those_of_the_model_as_many_as_the_table_needs(
    model: Path, tmp_path: Path, rows: int, workers: int
) -> None:
    ensemble = Ensemble.load(model)
    wanted = molecule_pool(ensemble.curate, ensemble.blocks, 2)
    with early_workers(model, table_of(rows, tmp_path)) as pool:
        assert pool is not None
        assert (pool.setup, pool.limit, pool.cores) == (wanted.setup, wanted.limit, wanted.cores)
        assert len(pool.workers) == workers
        processes = [worker.process for worker in pool.workers]
        (standard,) = pool.finish(pool.add(["sOCC"]))
        assert standard.value == ["OCC", "CCO", ""]
    assert all(process.poll() is not None for process in processes)


def test_a_small_sdf_starts_one_worker_though_it_has_many_bytes(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.sdf").write_bytes(b"\n" * 120_000)  # of 150 molecules
    with early_workers(model, tmp_path / "in.sdf") as pool:
        assert pool is not None
        assert len(pool.workers) == 1


def with_manifest(model: Path, folder: Path, params: dict | None = None, **other: object) -> Path:
    about = files_of(model)
    about["params"] |= params or {}
    made = folder / "models/ensemble"
    made.mkdir(parents=True)
    (made / manifest.FILE).write_text(json.dumps(about | other), encoding="utf-8")
    return made


def files_of(model: Path) -> dict:
    return json.loads((model / manifest.FILE).read_text(encoding="utf-8"))


def test_no_worker_starts_early_where_the_manifest_does_not_say_all(model: Path, tmp_path: Path) -> None:
    table = table_of(3, tmp_path)
    blocks = {"featurize": {"blocks": [{"kind": "function", "of": "mine:embed"}]}}
    told = {
        "no manifest": tmp_path,
        "another version": with_manifest(model, tmp_path / "a", format=99),
        "a function": with_manifest(model, tmp_path / "b", blocks),
    }
    for why, folder in told.items():
        with early_workers(folder, table) as pool:
            assert pool is None, why


def test_no_worker_starts_early_where_a_cluster_predicts(model: Path, tmp_path: Path) -> None:
    made = with_manifest(model, tmp_path)
    (tmp_path / "params.yaml").write_text(OURS.replace("cores: 1", "runner: dask"), encoding="utf-8")
    with early_workers(made, table_of(3, tmp_path)) as pool:
        assert pool is None
