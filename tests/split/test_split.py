"""Splits: shares, whole groups, every molecule once, the same whatever the order of the rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from manywalks.chemistry.tautomers import joined, tautomer_key, tautomer_keys
from manywalks.data.curate import curate_table
from manywalks.params.load import parse_params
from manywalks.params.sections.split import SplitParams
from manywalks.split import clusters
from manywalks.split.clusters import butina, scaffolds, similarity_fingerprints
from manywalks.split.distance import split_distance
from manywalks.split.draw import deal, draw
from manywalks.split.facts import facts_of
from manywalks.split.split import folds, split_facts, split_molecules

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "c1ccc2ccccc2c1", "C1CCNCC1", "c1ccoc1", "c1ccsc1", "C1CCOC1"]
CHAINS = ["C", "CC", "CCC", "CO", "CN", "ClC", "BrC", "CC(C)C", "OC", "NC", "CC(=O)O", "N#C"]
DRAWN = sorted({Chem.CanonSmiles(f"{chain}{ring}") for ring in RINGS for chain in CHAINS})
SMILES = [*DRAWN, "CC(=O)CC(C)=O", "CC(=O)C=C(C)O", "CCO", "CCN"]
METHODS = ["random", "stratified", "scaffold", "cluster", "group", "time"]


def table(smiles=SMILES, seed=0):
    """A curated table with all that the methods ask for."""
    rng = np.random.default_rng(seed)
    n = len(smiles)
    return pd.DataFrame(
        {
            "smiles": smiles,
            "y": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "y:relation": "=",
            "c": (rng.random(n) < 0.3).astype(float),
            "c:relation": "=",
            "split:group": [f"g{i}" if i < 25 else "" for i in rng.integers(0, 30, size=n)],
            "split:time": np.where(rng.random(n) < 0.05, np.nan, 2000.0 + rng.integers(0, 20, size=n)),
        }
    )


def column(frame, name):
    """A column as an array."""
    return frame[name].to_numpy()


def whole(subsets, groups):
    """Whether each group is in one part."""
    return len(set(zip(subsets, groups, strict=True))) == len(set(groups))


def params(method="random", **more):
    named = "x" if method in ("column", "group", "time") else None
    return SplitParams.model_validate({"method": method, "column": named, **more})


@pytest.mark.parametrize("method", METHODS)
def test_shares_are_about_what_was_asked(method):
    subsets = split_molecules(table(), params(method))
    n = len(SMILES)
    assert set(subsets) == {"train", "valid", "test"}
    assert (subsets == "test").sum() == pytest.approx(0.2 * n, abs=0.06 * n)
    assert (subsets == "valid").sum() == pytest.approx(0.1 * n, abs=0.05 * n)


def test_random_shares_are_exact_up_to_rounding():
    subsets = split_molecules(table(SMILES[:90]), params())
    assert [(subsets == subset).sum() for subset in ("test", "valid")] == [18, 9]


@pytest.mark.parametrize("method", METHODS)
def test_order_of_rows_does_not_matter(method):
    frame = table()
    shuffled = frame.sample(frac=1, random_state=3)
    subsets = pd.Series(split_molecules(frame, params(method)), index=frame.index)
    again = pd.Series(split_molecules(shuffled, params(method)), index=shuffled.index)
    pd.testing.assert_series_equal(subsets, again.sort_index())


@pytest.mark.parametrize("method", METHODS)
def test_tautomers_stay_together(method):
    for seed in range(5):
        subsets = split_molecules(table(), params(method, seed=seed))
        assert subsets[SMILES.index("CC(=O)CC(C)=O")] == subsets[SMILES.index("CC(=O)C=C(C)O")]


def test_the_seed_draws_another_split():
    first, second = (split_molecules(table(), params(seed=seed)) for seed in (1, 2))
    assert (first != second).any()
    assert (split_molecules(table(), params(seed=1)) == first).all()


def test_scaffolds_and_groups_stay_whole():
    frame = table()
    subsets = split_molecules(frame, params("scaffold"))
    assert whole(subsets, scaffolds(SMILES))
    subsets = split_molecules(frame, params("group"))
    groups = column(frame, "split:group")
    assert whole(subsets[groups != ""], groups[groups != ""])
    assert len(set(subsets[groups == ""])) > 1


def test_stratified_parts_have_the_same_distribution():
    rng = np.random.default_rng(0)
    smiles = ["C" * (i % 60 + 1) + "O" + "C" * (i // 60) for i in range(600)]
    smiles = list(dict.fromkeys(Chem.CanonSmiles(text) for text in smiles))
    frame = pd.DataFrame(
        {"smiles": smiles, "c": (rng.random(len(smiles)) < 0.1).astype(float), "c:relation": "="}
    )
    subsets = split_molecules(frame, params("stratified"))
    values = column(frame, "c")
    assert values[subsets == "test"].mean() == pytest.approx(values.mean(), abs=0.01)
    values = rng.normal(size=len(smiles)) ** 3
    subsets = split_molecules(frame.assign(c=values), params("stratified"))
    ranks = np.argsort(np.argsort(values)) / len(values)
    assert ranks[subsets == "test"].mean() == pytest.approx(0.5, abs=0.02)


def test_a_table_curated_for_another_split_is_refused():
    with pytest.raises(ValueError, match="no column 'split:time'; curate it again"):
        split_molecules(table().drop(columns="split:time"), params("time"))


def test_unknown_endpoint_to_stratify_by():
    with pytest.raises(
        ValueError, match=r"split.endpoint: 'z' is not among data.endpoints; choose one of y, c"
    ):
        split_molecules(table(), params("stratified", endpoint="z"))


def test_time_tests_the_latest_and_trains_the_undated():
    frame = table()
    subsets = split_molecules(frame, params("time"))
    # of two tautomers the earlier date counts for both
    pair = frame["smiles"].isin(["CC(=O)CC(C)=O", "CC(=O)C=C(C)O"]).to_numpy()
    times, subsets = column(frame, "split:time")[~pair], subsets[~pair]
    assert np.nanmin(times[subsets == "test"]) > np.nanmax(times[subsets != "test"])
    assert (subsets[np.isnan(times)] == "train").all()
    assert np.nanmin(times[subsets == "valid"]) >= np.nanmax(times[subsets == "train"])


def test_time_from_a_given_year():
    frame = table()
    subsets = split_molecules(frame, params("time", test_since=2010))
    pair = frame["smiles"].isin(["CC(=O)CC(C)=O", "CC(=O)C=C(C)O"]).to_numpy()
    assert ((subsets == "test") == (column(frame, "split:time") >= 2010))[~pair].all()


def test_given_subsets_stay_and_valid_is_drawn_where_there_is_none():
    rng = np.random.default_rng(0)
    given_subsets = rng.choice(["train", "test"], size=len(SMILES), p=[0.8, 0.2])
    frame = table().assign(**{"split:subset": given_subsets})
    subsets = split_molecules(frame, params("column"))
    pair = frame["smiles"].isin(["CC(=O)CC(C)=O", "CC(=O)C=C(C)O"]).to_numpy()
    assert ((subsets == "test") == (given_subsets == "test"))[~pair].all()
    assert (subsets == "valid").sum() == pytest.approx(0.1 * (subsets != "test").sum(), abs=1)
    with_valid = np.where(np.arange(len(SMILES)) % 7 == 0, "valid", given_subsets)
    subsets = split_molecules(frame.assign(**{"split:subset": with_valid}), params("column"))
    assert (subsets == with_valid)[~pair].all()


def test_a_split_without_a_test_part_is_refused():
    with pytest.raises(ValueError, match="the test subset has no molecules"):
        split_molecules(table(SMILES[:3]), params(test=0.1))
    with pytest.raises(ValueError, match="the test subset has no molecules"):
        split_molecules(table().assign(**{"split:subset": "train"}), params("column"))


@pytest.mark.parametrize("method", [*METHODS[:-1], "column"])
def test_folds_test_every_molecule_once_a_repeat(method):
    frame = table().assign(
        **{"split:subset": ["test" if i % 5 == 0 else "train" for i in range(len(SMILES))]}
    )
    found = folds(frame, params(method), 2, 4)
    assert len(found) == 8
    tests = np.array([subsets == "test" for subsets in found])
    held_out = np.array([subsets == "" for subsets in found]).all(axis=0)
    assert held_out.any() == (method == "column")
    for repeat in (tests[:4], tests[4:]):
        assert (repeat.sum(axis=0) == ~held_out).all()
    assert (tests[0] != tests[4]).any()
    for subsets in found:
        assert (subsets == "train").sum() > (subsets == "valid").sum() > 0
        assert subsets[SMILES.index("CC(=O)CC(C)=O")] == subsets[SMILES.index("CC(=O)C=C(C)O")]


@pytest.mark.parametrize("cell", ["soon", "03/04/2010", "NA"])
def test_a_test_since_that_is_no_date_is_named_by_its_key(cell):
    with pytest.raises(ValueError, match=rf"^split\.test_since: '{cell}' is neither .*2020-04-03"):
        split_molecules(table(), params("time", test_since=cell))


def test_folds_of_time_never_train_on_the_future():
    frame = table(SMILES[:-4])
    for subsets in folds(frame, params("time"), 1, 4):
        times = column(frame, "split:time")
        assert times[subsets == "test"].min() > np.nanmax(times[np.isin(subsets, ["train", "valid"])])
        assert (times[subsets == ""] > times[subsets == "test"].max()).all()


@given(st.lists(st.integers(0, 20), min_size=30, max_size=200), st.integers(0, 9))
@settings(deadline=None)
def test_draw_keeps_groups_whole_and_is_near_its_shares(groups, seed):
    groups = np.array(groups)
    subsets = draw(groups, {"test": 0.3, "valid": 0.2}, np.random.default_rng(seed))
    assert whole(subsets, groups)
    assert (subsets == "test").mean() <= 0.3 + np.bincount(groups).max() / len(groups)
    fold = deal(groups, 3, np.random.default_rng(seed))
    assert whole(fold, groups)


def test_joined_groups_are_connected_components():
    assert joined([["a", "a", "b", "c", "d"], ["1", "2", "2", "3", "4"]]).tolist() == [0, 0, 0, 1, 2]


def test_tautomer_keys():
    keys = tautomer_keys(
        ["CC(=O)CC(C)=O", "CC(=O)C=C(C)O", "Oc1ccccn1", "O=c1cccc[nH]1", "CCO", "C[C@H](F)Cl"]
    )
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert len(set(keys)) == 4


def test_butina_is_the_slow_obvious_one():
    prints = similarity_fingerprints(SMILES)
    similar = np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints]) >= 0.5
    label = np.full(len(SMILES), -1)
    for i in sorted(range(len(SMILES)), key=lambda i: (-similar[i].sum(), i)):
        if label[i] < 0:
            label[similar[i] & (label < 0)] = i
    found = butina(prints, 0.5)
    assert len(set(zip(found, label, strict=True))) == len(set(found)) == len(set(label))


@pytest.mark.parametrize("seed", range(3))
def test_a_molecule_measured_in_two_groups_joins_them(seed):
    rows = [("CCO", "a"), ("CCCC", "c"), ("CCO", "c"), ("CCN", "b"), ("CCC", ""), ("CCN", ""), ("CCl", "a")]
    order = np.random.default_rng(seed).permutation(len(rows))
    frame = pd.DataFrame([(*rows[i], "1") for i in order], columns=["smiles", "lab", "y"])
    data = {"path": "t.csv", "endpoints": {"y": {}}}
    raw = {"data": data, "split": {"method": "group", "column": "lab"}, "orchestrate": {"cores": 1}}
    found = curate_table(frame, parse_params(raw)).molecules.set_index("smiles")["split:group"]
    assert found.to_dict() == {"CCO": "a", "CCCC": "a", "CCl": "a", "CCN": "b", "CCC": ""}


def test_beyond_butinas_limit_clusters_are_k_means(monkeypatch):
    monkeypatch.setattr(clusters, "BUTINA_LIMIT", 100)
    chains = [f"{'C' * n}{end}" for n in range(1, 14) for end in ("", "O", "N")]
    smiles = sorted({Chem.CanonSmiles(chain + ring) for ring in RINGS for chain in chains})
    label = clusters.clusters(smiles, 0.5)
    assert (clusters.clusters(smiles, 0.5) == label).all()
    assert 1 < len(set(label)) <= len(smiles) // 50
    prints = similarity_fingerprints(smiles)
    similar = np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints])
    same = label[:, None] == label
    assert similar[same].mean() > similar[~same].mean() + 0.1
    subsets = split_molecules(table(smiles), params("cluster"))
    assert whole(subsets, label)
    assert set(subsets) == {"train", "valid", "test"}


def test_facts_are_those_of_each_molecule_by_itself():
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    smiles = [*SMILES, "C[C@H](N)C(=O)O", "F/C=C/Cl", "C[C@@]12CCCC1C(O)CC2"]
    found = facts_of(smiles, key=tautomer_key, scaffolds=True, bits=True)
    assert found.tautomers == tautomer_keys(smiles)
    slow = [MurckoScaffold.MurckoScaffoldSmiles(text, includeChirality=False) for text in smiles]
    assert found.scaffolds == slow
    assert found.bits is not None
    on = np.unpackbits(found.bits.view(np.uint8), axis=1, bitorder="little")
    for row, text in zip(on, smiles, strict=True):
        bits = list(generator.GetFingerprint(Chem.MolFromSmiles(text)).GetOnBits())
        assert np.flatnonzero(row).tolist() == bits


def test_clusters_of_known_bits_are_those_of_the_molecules():
    bits = facts_of(SMILES, bits=True).bits
    np.testing.assert_array_equal(
        clusters.clusters(SMILES, 0.5, bits), clusters.butina(similarity_fingerprints(SMILES), 0.5)
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_split_reads_each_molecule_once(method, monkeypatch):
    frame, read = table(), []
    parse = Chem.MolFromSmiles
    monkeypatch.setattr(Chem, "MolFromSmiles", lambda text: read.append(text) or parse(text))
    facts = split_facts(frame, params(method))
    subsets = split_molecules(frame, params(method), facts)
    split_distance(frame["smiles"].tolist(), subsets, facts.bits)
    assert sorted(read) == sorted(frame["smiles"])
