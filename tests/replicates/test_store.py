"""Kept replicates: damage, growth, divergence, pruning."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from manywalks.data.curate import curate_table
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.families import Family
from manywalks.replicates.plan import packs, plan_next, tolerances_of
from manywalks.replicates.statistics.mixing import EVENLY, Mixing
from manywalks.replicates.store import (
    FamilyStore,
    Kept,
    Outcomes,
    Part,
    Store,
    entropy_of,
    prune,
    read_training,
    read_used_replicates,
    save_training,
    saved_replicates,
)
from manywalks.train.problem import Replicate

N = 30


def params_with(**settings: object) -> Params:
    """Parameters with these of replicates."""
    data = {"path": "t.csv", "endpoints": {"y": {}}}
    return parse_params({"data": data, "replicates": settings})


def replicate(index: int, *, diverged: bool = False, spread: float = 1.0) -> Kept:
    """A replicate whose predictions are a draw of their own."""
    predictions = np.random.default_rng(index).normal(0, spread, (N, 1)).astype(np.float32)
    if diverged:
        predictions[:] = np.nan
    return Kept(index, (Part([], predictions, 1, 1, diverged, "numba"),), predictions)


def store_in(*folders: Path, mixing: Mixing = EVENLY) -> Store:
    """A store of as many families as there are folders."""
    families = (FamilyStore(folder, Family(folder.name, params_with())) for folder in folders)
    return Store(tuple(families), mixing)


def save(store: Store, index: int, family: int = 0) -> Path:
    """Keep a small training."""
    weights = [np.full((3, 2), index, np.float32)]
    predictions = np.full((N, 1), index, np.float32)
    found = Replicate(index, weights, predictions, 5, 4, False)
    return save_training(store.families[family], found, predictions, "numba")


def test_a_replicate_reads_back_as_it_was_kept(tmp_path: Path) -> None:
    store = store_in(tmp_path / "key")
    index, kept, _ = read_training(save(store, 3))
    assert (index, kept.epochs, kept.best_epoch, kept.diverged, kept.engine) == (3, 5, 4, False, "numba")
    np.testing.assert_array_equal(kept.weights[0], np.full((3, 2), 3))
    np.testing.assert_array_equal(kept.predictions, np.full((N, 1), 3))


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_replicate_is_named_and_dropped(tmp_path: Path, damage: str) -> None:
    store = store_in(tmp_path / "key")
    save(store, 0)
    path = save(store, 1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[:-10] if damage == "cut" else content)
    with pytest.raises(ValueError, match=rf"{path.name}: is damaged"):
        read_training(path)
    assert Outcomes(store).removed == [1]
    assert list(saved_replicates(store)) == [0]


def test_a_replicate_of_other_inputs_is_named_and_dropped(tmp_path: Path) -> None:
    store, other = store_in(tmp_path / "key"), store_in(tmp_path / "other")
    save(store, 0)
    foreign = save(other, 1)
    path = store.families[0].folder / foreign.name
    path.write_bytes(foreign.read_bytes())
    with pytest.raises(ValueError, match=r"is a replicate of other inputs \(made for other, not for key\)"):
        read_training(path)
    assert Outcomes(store).removed == [1]
    assert read_training(foreign).index == 1


def test_a_class_is_kept_as_its_logit(tmp_path: Path) -> None:
    """A float32 probability this near to 1 is 1, and has no logit."""
    store = store_in(tmp_path / "key")
    found = np.array([[1.5, -30.0], [2.5, 25.0]], np.float32)
    for index in (0, 1):
        save_training(
            store.families[0], Replicate(index, [], found, 1, 1, False), found, "numba", classes=[1]
        )
    predictions = read_used_replicates(store)[0][0].predictions
    np.testing.assert_array_equal(predictions[:, 0], [1.5, 2.5])
    np.testing.assert_allclose(special.logit(predictions[:, 1]), [-30, 25], rtol=1e-6)


def test_each_file_is_read_once_however_often_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, read = store_in(tmp_path / "key"), []
    read_bytes = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path.name[:5])
        return read_bytes(path)

    save(store, 0)
    monkeypatch.setattr(Path, "read_bytes", noted)
    outcomes = Outcomes(store)
    assert [one.index for one in outcomes.look()] == [0]
    save(store, 1)
    for _ in range(3):
        assert [one.index for one in outcomes.look()] == [0, 1]
    assert read == ["00000", "00001"]


def test_a_file_that_is_damaged_between_two_looks_is_an_error(tmp_path: Path) -> None:
    store = store_in(tmp_path / "key")
    outcomes = Outcomes(store)
    path = save(store, 0)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="is damaged"):
        outcomes.look()


def test_growing_from_8_to_32_trains_24() -> None:
    kept = [replicate(index) for index in range(8)]
    plan = plan_next(kept, [1.0], params_with(count=32))
    assert plan.missing == list(range(8, 32))


def test_a_gap_is_filled_and_nothing_else_is_trained() -> None:
    kept = [replicate(index) for index in range(8) if index != 5]
    assert plan_next(kept, [1.0], params_with(count=8)).missing == [5]


def test_a_diverged_replicate_is_replaced_by_the_next() -> None:
    kept = [replicate(index, diverged=index == 2) for index in range(8)]
    plan = plan_next(kept, [1.0], params_with(count=8))
    assert plan.missing == [8]
    done = plan_next([*kept, replicate(8)], [1.0], params_with(count=8))
    assert done.missing == []
    assert done.used == [0, 1, 3, 4, 5, 6, 7, 8]


def test_settings_that_always_diverge_are_refused() -> None:
    kept = [replicate(index, diverged=True) for index in range(20)]
    with pytest.raises(ValueError, match=r"lower train\.learning_rate"):
        plan_next(kept, [1.0], params_with(count=8))


def test_looks_do_not_depend_on_how_the_replicates_came() -> None:
    params = params_with(min=8, max=64, tolerance=0.45)
    everything = [replicate(index) for index in range(64)]
    kept: list[Kept] = []
    while missing := (plan := plan_next(kept, [0.45], params)).missing:
        kept += [everything[index] for index in missing]
    at_once = plan_next(everything, [0.45], params)
    shuffled = plan_next([everything[i] for i in np.random.default_rng(0).permutation(64)], [0.45], params)
    assert 8 < len(plan.used) < 64
    assert plan.used == at_once.used == shuffled.used


def test_more_spread_needs_more_replicates() -> None:
    params = params_with(min=8, max=128, tolerance=0.4)

    def count(spread: float) -> int:
        return len(plan_next([replicate(i, spread=spread) for i in range(128)], [0.4], params).used)

    assert count(0.1) == 8
    assert count(1.0) > count(0.5) > 8 or count(0.5) == 8 < count(1.0)


def test_entropy_is_kept_and_another_one_starts_other_replicates(tmp_path: Path) -> None:
    store = store_in(tmp_path / "key")
    drawn = entropy_of(store.families[0], params_with())
    assert drawn != 0
    save(store, 0)
    assert entropy_of(store.families[0], params_with()) == drawn
    assert list(saved_replicates(store)) == [0]
    assert entropy_of(store.families[0], params_with(seed=5)) == 5
    assert saved_replicates(store) == {}


def test_pruning_leaves_what_is_used_and_no_former_key(tmp_path: Path) -> None:
    store, former = store_in(tmp_path / "key"), store_in(tmp_path / "former")
    entropy_of(store.families[0], params_with())
    entropy_of(former.families[0], params_with())
    for index in range(4):
        save(store, index)
    save(former, 0)
    (store.families[0].folder / ".tmp-half.npz").write_bytes(b"half")
    prune(store, [0, 2])
    assert sorted(saved_replicates(store)) == [0, 1, 2]
    assert not former.families[0].folder.exists()
    assert not (store.families[0].folder / ".tmp-half.npz").exists()


def test_a_replicate_is_there_when_every_family_is_trained(tmp_path: Path) -> None:
    store = store_in(tmp_path / "one", tmp_path / "other")
    for index in range(3):
        save(store, index)
    assert saved_replicates(store) == {}
    save(store, 1, family=1)
    assert list(saved_replicates(store)) == [1]


def test_a_replicate_predicts_the_weighted_mean_of_its_families(tmp_path: Path) -> None:
    store = store_in(tmp_path / "one", tmp_path / "other", mixing=Mixing(weights=(0.75, 0.25)))
    for family, value in ((0, 2.0), (1, 6.0)):
        for index in (0, 1):
            values = np.full((N, 1), value, np.float32)
            save_training(store.families[family], Replicate(index, [], values, 1, 1, False), values, "numba")
    np.testing.assert_array_equal(read_used_replicates(store)[0][0].predictions, np.full((N, 1), 3.0))


def test_damage_to_one_family_costs_that_training_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path / "one", tmp_path / "other")
    for index in range(2):
        kept, path = (save(store, index, family=family) for family in (0, 1))
    path.write_bytes(path.read_bytes()[:-10])
    assert [one.index for one in Outcomes(store).look()] == [0]
    assert kept.exists()
    assert not path.exists()


def test_packs_are_even_and_complete() -> None:
    dealt = packs(list(range(9)), 4)
    assert sorted(index for pack in dealt for index in pack) == list(range(9))
    assert {len(pack) for pack in dealt} == {2, 3}
    assert packs([7], 4) == [[7]]


@pytest.mark.parametrize("spread", ["flag", "reject"])
def test_the_noise_is_that_of_all_exact_repeats(spread: str) -> None:
    """Bounds are no repeats, and molecules rejected for their spread have shown the noise too."""
    table = pd.DataFrame(
        {"smiles": ["CCO"] * 3 + ["CCN"] * 2 + ["CCC"], "y": ["1", "2", ">0", "1", "9", "5"]}
    )
    data = {"path": "t.csv", "endpoints": {"y": {"spread_limit": 2.0}}}
    raw = {"data": data, "curate": {"spread": spread}, "replicates": {"tolerance": "1 noise"}}
    params = parse_params(raw | {"orchestrate": {"cores": 1}})
    curated = curate_table(table, params)
    found = tolerances_of(curated.molecules, np.full(len(curated.molecules), "train"), curated.card, params)
    assert found == [pytest.approx(np.sqrt((0.5**2 * 2 + 4**2 * 2) / 2))]
