"""A run without a valid subset: each training molecule is judged by the replicates that left it out."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from manywalks import files
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.evaluate.endpoint_results import EndpointResults
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.evaluate.statement.out_of_bag import out_of_bag
from manywalks.params.load import Params, parse_params
from manywalks.replicates.opening import open_store
from manywalks.replicates.store import Kept, read_used_replicates
from manywalks.similarity import similarity_to_other_groups
from manywalks.tasks import pack
from manywalks.train.prepare import read_groups, read_tables
from manywalks.workspace import Workspace
from tests.conftest import made_once
from tests.support.steps import run_steps

COUNT = 10
PARAMS = f"""
data:
  path: table.csv
  id: id
  endpoints:
    logS: {{kind: regression, unit: log10 mol/L}}
    soluble: {{kind: classification, positive: "yes", negative: ["no"]}}
featurize: {{blocks: [{{kind: morgan_count, n_bits: 128}}, {{kind: physchem}}]}}
split: {{method: scaffold, test: 0.25, valid: 0}}
network: {{widths: [8]}}
train: {{epochs: 12}}
families: [{{name: prints, blocks: [morgan_count]}}, {{name: numbers, blocks: [physchem], weight: 2}}]
replicates: {{count: {COUNT}, rows: bootstrap, seed: 3}}
evaluate: {{data_draws: "off"}}
"""


@pytest.fixture(scope="module")
def bagged(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Workspace:
    """Two endpoints with gaps and limits, two families, groups of molecules, no valid subset."""

    def make(folder: Path) -> None:
        folder.mkdir()
        table = demo_table.iloc[::6].reset_index(drop=True)
        table["soluble"] = np.where(table["logS"].astype(float) > -3, "yes", "no")
        table.loc[::4, "logS"] = ""
        table.loc[1::5, "soluble"] = ""
        table.loc[2::9, "logS"] = ">" + table.loc[2::9, "logS"].where(table["logS"] != "", "-1")
        table.to_csv(folder / "table.csv", index=False)
        (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
        run_steps(folder, "curate", "featurize", "split")
        workspace = Workspace.open(folder)
        pack.run(workspace, open_store(workspace).key, ",".join(map(str, range(COUNT))))
        run_steps(folder, "draws", "ensemble", "evaluate", "report")

    return Workspace.open(made_once("bagged", make, tmp_path_factory))


def kept_replicates(workspace: Workspace) -> list[Kept]:
    """The replicates that make the model."""
    return read_used_replicates(open_store(workspace), weights=False)[0]


def train_table(workspace: Workspace) -> pd.DataFrame:
    """The training molecules of the curated table."""
    return pd.read_parquet(workspace.curated).iloc[read_groups(workspace).train]


def reports(workspace: Workspace, name: str) -> dict[str, Any]:
    """A report by endpoint."""
    return files.read_json(workspace.reports / name)


def by_hand(workspace: Workspace, column: int) -> dict[int, list[float]]:
    """By training molecule: the predictions of the replicates that have not drawn it, from their files."""
    store, groups = open_store(workspace), read_groups(workspace)
    assert store.draws is not None
    found: dict[int, list[float]] = {place: [] for place in range(len(groups.train))}
    for one in kept_replicates(workspace):
        weights = store.draws.weights(groups.groups[groups.train], one.index)
        values = [np.asarray(part.out_of_bag)[:, column].astype(np.float64) for part in one.parts]
        values = [expit(value) for value in values] if column == 1 else values
        mixed = (values[0] + 2 * values[1]) / 3
        for place in np.flatnonzero(weights == 0):
            found[int(place)].append(float(mixed[place]))
    return found


def test_whole_groups_are_left_out(bagged: Workspace) -> None:
    groups = read_groups(bagged)
    own = groups.groups[groups.train]
    assert len(np.unique(own)) < len(own)
    for one in kept_replicates(bagged):
        assert one.out_of_bag is not None
        out = np.isfinite(one.out_of_bag)
        assert (out[:, 0] == out[:, 1]).all()
        assert 0 < out.mean() < 0.8
        for group in np.unique(own):
            assert len(set(out[own == group, 0])) == 1


@pytest.mark.parametrize(
    ("column", "name", "kind"), [(0, "logS", "regression"), (1, "soluble", "classification")]
)
def test_scores_are_those_of_a_plain_loop(bagged: Workspace, column: int, name: str, kind: str) -> None:
    found = reports(bagged, "metrics.json")[name]["out_of_bag"]
    table, left = train_table(bagged), by_hand(bagged, column)
    observed, relation = table[name].to_numpy(np.float64), table[f"{name}:relation"].to_numpy(str)
    used = [place for place, own in left.items() if len(own) >= 2 and np.isfinite(observed[place])]
    assert found["molecules"] == len(used)
    assert found["unused"] == np.isfinite(observed).sum() - len(used)
    assert found["replicates_each"] == pytest.approx(np.mean([len(left[place]) for place in used]))
    mean = np.array([np.mean(left[place]) for place in used])
    if kind == "classification":
        about = files.read_json(bagged.ensemble / "manifest.json")["calibration"][name]
        mean = expit(about["intercept"] + about["slope"] * np.log(mean / (1 - mean)))
    expected = endpoint_metrics(observed[used], mean, kind=kind, relation=relation[used])
    for metric, score in expected.items():  # without two classes some have no value
        close = score if score is None else pytest.approx(score, rel=1e-4)
        assert found["smaller"][metric] == close, metric


def test_the_error_of_all_replicates_is_smaller_by_what_their_number_takes_off(bagged: Workspace) -> None:
    left, table = by_hand(bagged, 0), train_table(bagged)
    y, exact = table["logS"].to_numpy(np.float64), table["logS:relation"].to_numpy() == "="
    known = [place for place, own in left.items() if len(own) >= 2]
    typical = np.mean([np.var(left[place], ddof=1) for place in known])
    used = [place for place in known if exact[place]]
    extra = np.mean([typical * (1 / len(left[place]) - 1 / COUNT) for place in used])
    smaller = np.mean([(np.mean(left[place]) - y[place]) ** 2 for place in used])
    about = files.read_json(bagged.ensemble / "manifest.json")["calibration"]["logS"]
    assert about["molecules"] == len(used)
    # each error shrinks by its own number of replicates, the mean square by about this much
    metrics = reports(bagged, "metrics.json")["logS"]["out_of_bag"]
    assert metrics["ensemble"]["rmse"] < metrics["smaller"]["rmse"]
    assert about["residual"] + about["share"] * typical == pytest.approx(smaller - extra, rel=0.25)


def test_the_calibration_says_what_it_was_fitted_on(bagged: Workspace) -> None:
    for name, one in reports(bagged, "metrics.json").items():
        assert one["calibration"]["reference"] == "out of bag"
        assert one["n_valid"] == 0
        unused = one["out_of_bag"]["unused"]
        assert any("fewer than two replicates left" in note for note in one["calibration"]["notes"]) == (
            unused > 0
        ), name
    assert reports(bagged, "statement.json")["logS"]["reference"] == ["test"]
    words = "training molecules, each as the replicates that did not train on it predict it"
    for page in ("report.html", "card.md"):
        text = " ".join((bagged.reports / page).read_text(encoding="utf-8").split())
        assert words in text
        assert "each predicted by the replicates that did not train on it" in text
        assert "valid molecule" not in text


def test_an_endpoint_with_30_valid_molecules_is_calibrated_on_them(bagged: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "held"
    shutil.copytree(bagged.root, folder)
    text = PARAMS.replace("valid: 0}", "valid: 0.2}")
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    run_steps(folder, "split")
    workspace = Workspace.open(folder)
    pack.run(workspace, open_store(workspace).key, "0,1,2,3,4,5")
    run_steps(folder, "ensemble")
    table, subsets = read_tables(workspace)
    valid = table.loc[subsets == "valid"]
    about = files.read_json(workspace.ensemble / "manifest.json")["calibration"]
    for name, own in about.items():
        measured = int((valid[name].notna() & (valid[f"{name}:relation"] == "=")).sum())
        assert own["reference"] == ("valid" if measured >= 30 else "out of bag"), (name, measured)
        assert (own["molecules"] == measured) == (measured >= 30)
    assert {own["reference"] for own in about.values()} == {"valid", "out of bag"}


def test_intervals_come_from_them(bagged: Workspace) -> None:
    table = pd.read_parquet(bagged.reports / "predictions.parquet")
    assert set(table["subset"]) == {"test", "train"}
    own = table[(table["endpoint"] == "logS") & (table["subset"] == "test")]
    assert set(own["replicates"]) == {COUNT}
    assert np.all(np.asarray(own["high"]) > np.asarray(own["low"]))


def test_each_training_molecule_is_in_the_table_as_the_replicates_without_it_predict_it(
    bagged: Workspace,
) -> None:
    table = pd.read_parquet(bagged.reports / "predictions.parquet")
    own = pd.DataFrame(table[(table["endpoint"] == "logS") & (table["subset"] == "train")])
    places = {int(row): place for place, row in enumerate(train_table(bagged).index)}
    values_of = by_hand(bagged, 0)
    left = {row: values_of[place] for row, place in places.items() if len(values_of[place]) >= 2}
    assert own["row"].tolist() == list(left)
    assert own["replicates"].tolist() == [len(values) for values in left.values()]
    means, spreads = zip(*((np.mean(one), np.std(one, ddof=1)) for one in left.values()), strict=True)
    np.testing.assert_allclose(own["predicted"], means, rtol=1e-5)
    np.testing.assert_allclose(own["spread"], spreads, rtol=1e-4)
    assert np.isnan(own[["low", "high", "bound"]].to_numpy(np.float64)).all()


def test_nearness_is_that_to_molecules_of_other_groups(bagged: Workspace) -> None:
    from manywalks.ensemble.domain import Domain
    from manywalks.features import Features

    groups = read_groups(bagged)
    bits = Domain.load(bagged.ensemble / "domain.npz").fingerprints(
        Features.load(bagged.features).take(groups.train)
    )
    near = similarity_to_other_groups(bits, groups.groups[groups.train], len(bits))
    assert near.max() <= 1
    assert (near > 0).mean() > 0.9


def few_molecules(kind: str, replicates: np.ndarray) -> tuple[EndpointResults, Params]:
    """Six training molecules as bagged replicates predict them: NaN where they trained on one."""
    params = parse_params(
        {"data": {"path": "t.csv", "endpoints": {"y": {"kind": kind}}}, "split": {"valid": 0}}
        | {"featurize": {"blocks": [{"kind": "physchem"}]}, "replicates": {"rows": "bootstrap"}}
    )
    seen = EndpointResults(
        "y",
        params.data.endpoints["y"],
        rows=np.arange(6),
        subsets=np.full(6, "train"),
        observed=np.array([0.0, 1, 0, 1, 1, 0]),
        relation=np.full(6, "="),
        replicates=replicates,
        mean=np.full(6, np.nan),
        fitted=Calibration(kind, 0),
    )
    return seen, params


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_where_no_molecule_was_left_out_it_is_said(kind: str, tmp_path: Path) -> None:
    """As where the split keeps all training molecules in one group: JSON has no NaN."""
    found = out_of_bag(*few_molecules(kind, np.full((4, 6), np.nan)))
    files.write_json(tmp_path / "metrics.json", found)
    assert found["molecules"] == 0 and found["spread_rms"] is None
    assert found["sentence"].startswith("No training molecule was left out")


def test_a_score_of_few_molecules_is_not_said_to_be_that_of_new_ones() -> None:
    found = out_of_bag(*few_molecules("regression", np.random.default_rng(0).random((4, 6))))
    assert found["molecules"] == 6
    assert "too few molecules to rely on it" in found["sentence"]
    assert "new molecules" not in found["sentence"]


@pytest.mark.parametrize(
    ("train", "families", "where"),
    [
        ({"early_stopping": 5}, [], "yaml: train.early_stopping: 5"),
        ({"early_stopping": 5}, [{"name": "a", "blocks": ["physchem"]}], "yaml: train.early_stopping: 5"),
        (
            {},
            [{"name": "a", "blocks": ["physchem"], "train": {"early_stopping": 4}}],
            "families.0.train.early_stopping: 4",
        ),
    ],
)
def test_early_stopping_needs_valid_molecules(
    train: dict[str, Any], families: list[dict[str, Any]], where: str
) -> None:
    raw = {
        "data": {"path": "t.csv", "endpoints": {"y": {}}},
        "featurize": {"blocks": [{"kind": "physchem"}]},
        "split": {"valid": 0},
        "train": train,
        "families": families,
        "replicates": {"rows": "bootstrap"},
    }
    with pytest.raises(ValueError, match=f"{where} needs valid molecules, and split.valid is 0; raise it"):
        parse_params(raw)
