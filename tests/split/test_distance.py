"""How far test is from train."""

import json

import numpy as np
import pytest
from rdkit import DataStructs

from manywalks.split import distance
from manywalks.split.clusters import similarity_fingerprints
from manywalks.split.distance import folds_distance, split_distance

SMILES = ["CCO", "CCCO", "CCCCO", "c1ccccc1", "Cc1ccccc1", "CC(=O)O", "CCC(=O)O", "C1CCCCC1"]
SUBSETS = np.array(["train", "test", "train", "train", "test", "valid", "train", "test"])


def slow():
    """Nearest train neighbour of each test molecule, pair by pair."""
    prints = similarity_fingerprints(SMILES)
    train = [i for i, subset in enumerate(SUBSETS) if subset == "train"]
    test = [i for i, subset in enumerate(SUBSETS) if subset == "test"]
    return [max(DataStructs.TanimotoSimilarity(prints[i], prints[j]) for j in train) for i in test]


def test_quartiles_are_those_of_all_pairs():
    found = split_distance(SMILES, SUBSETS)
    assert (found["train"], found["valid"], found["test"]) == (4, 1, 3)
    assert found["similarity"]["test"]["median"] == pytest.approx(np.median(slow()))
    assert found["similarity"]["test"]["max"] == pytest.approx(max(slow()))
    assert sum(found["similarity"]["test"]["histogram"]["counts"]) == 3
    json.dumps(found, allow_nan=False)


def test_the_same_molecule_is_at_similarity_one():
    found = split_distance(["CCO", "CCO"], np.array(["train", "test"]))
    assert found["similarity"]["test"]["min"] == 1


def test_no_valid_part_no_row():
    assert "valid" not in split_distance(["CCO", "CCN"], np.array(["train", "test"]))["similarity"]


def test_large_parts_are_sampled(monkeypatch):
    monkeypatch.setattr(distance, "MOST_FROM", 2)
    monkeypatch.setattr(distance, "MOST_TRAIN", 3)
    found = split_distance(SMILES, SUBSETS)
    assert found["sampled_train"] == 3
    assert found["similarity"]["test"]["molecules"] == 2


def test_each_fold_has_the_quartiles_of_its_own_pairs():
    other = np.where(SUBSETS == "test", "", np.where(SUBSETS == "valid", "test", SUBSETS))
    first, second = folds_distance(SMILES, [SUBSETS, other])
    assert first["molecules"] == 3
    assert first["median"] == pytest.approx(np.median(slow()))
    assert second["molecules"] == 1
    assert second["min"] == second["max"] == split_distance(SMILES, other)["similarity"]["test"]["max"]
