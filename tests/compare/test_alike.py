"""Configurations that score alike: equal within rounding is no difference, and copies train apart."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from manywalks.compare import paired, verdicts
from manywalks.compare.configurations import Configuration
from manywalks.compare.folds import copy_entropy, open_fold_store, read_recipe
from manywalks.compare.rank_tests import friedman_p
from manywalks.compare.report.score_table import ScoreTable, check_assumptions
from manywalks.evaluate.infinite import scorer
from manywalks.params.load import parse_params
from manywalks.workspace import Workspace
from tests.conftest import SMALL


def table(c: int, rounding: float) -> ScoreTable:
    """Scores (25, c) that are the same in every column but for rounding."""
    rng = np.random.default_rng(1)
    scores = np.repeat(rng.normal(1, 0.1, (25, 1)), c, axis=1) + rounding * rng.normal(size=(25, c))
    return ScoreTable(scores, np.zeros_like(scores), 0.25, 5)


@pytest.mark.parametrize("c", [2, 3, 4])
@pytest.mark.parametrize("rounding", [0.0, 1e-16])
def test_scores_alike_within_rounding_are_p_1_by_every_method(c: int, rounding: float) -> None:
    scores = table(c, rounding)
    assumed = check_assumptions(scores)
    json.dumps([assumed.normality, assumed.sphericity, friedman_p(scores)], allow_nan=False)
    assert friedman_p(scores) == (None if c == 2 else 1)
    for method in ("tukey", "own variances", "ranks"):
        for pair in paired.pairs_of(scores, 0.95, method):
            json.dumps(vars(pair), allow_nan=False)
            assert (pair.difference, pair.p) == (0, 1)
            assert verdicts.verdict(pair, 0.01, by_ranks=method == "ranks") == "equivalent"


def test_a_copy_has_streams_of_its_own_with_a_fixed_seed(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(SMALL, encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    for path in (workspace.curated, workspace.features):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    params = parse_params(yaml.safe_load(SMALL))
    stores = [
        open_fold_store(tmp_path / "compare", workspace, Configuration("a", params, copy=k), 7)
        for k in (0, 1, 2)
    ]
    entropies = [read_recipe(store).entropy for store in stores]
    assert entropies[0] == 7
    assert len(set(entropies)) == 3
    assert copy_entropy(7, 1) == entropies[1]


def test_a_replicate_that_predicts_one_value_scores_zero_by_rank() -> None:
    observed = np.array([0.1, 0.5, 0.9, 1.4])
    score = scorer(observed, np.full(4, "="), metric="spearman", kind="regression", threshold=0.5)
    assert score(np.full(4, 0.3)) == 0
    assert score(observed) == 1
