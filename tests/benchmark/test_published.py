"""The table of published scores: every figure has a task, a mark and a source."""

import pytest

from manywalks.benchmark.published import (
    LOWER,
    MARKS,
    METRICS,
    SOURCES,
    best_in_papers,
    best_on_leaderboard,
    entry,
    leaderboard,
    published,
)


def test_all_tasks_of_the_group_have_scores_with_marks_and_sources():
    assert len(METRICS) == 22 and set(published()) == set(METRICS)
    for task, scores in published().items():
        assert len(scores) >= 10, task
        assert all(one.mark in MARKS and one.source in SOURCES for one in scores), task
        assert len({(one.model, one.source) for one in scores}) == len(scores), task


@pytest.mark.parametrize("task", sorted(METRICS))
def test_scores_lie_where_the_metric_can(task):
    for one in published()[task]:
        assert one.score > 0 and (METRICS[task] in LOWER or one.score <= 1), one


def test_the_best_follows_the_metrics_direction():
    caco2, ames = best_on_leaderboard("caco2_wang"), best_on_leaderboard("ames")
    assert caco2 is not None and ames is not None
    assert caco2.score == min(one.score for one in leaderboard("caco2_wang")) == 0.256
    assert ames.score == max(one.score for one in leaderboard("ames")) == 0.871


def test_a_score_from_a_paper_is_no_leaders():
    paper = best_in_papers("lipophilicity_astrazeneca")
    assert paper is not None and paper.model == "MolGPS" and not paper.on_leaderboard
    assert entry("lipophilicity_astrazeneca", "MolGPS") is None


def test_what_has_seen_test_labels_is_not_the_best_clean_one():
    first, clean = best_on_leaderboard("cyp2c9_veith"), best_on_leaderboard("cyp2c9_veith", clean=True)
    assert first is not None and clean is not None
    assert (first.model, first.mark) == ("MapLight + GNN", "seen") and clean.model == "MapLight"
