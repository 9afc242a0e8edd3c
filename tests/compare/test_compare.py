"""Comparing configurations: grid, projection, intervals, verdicts, budget, and the command as a whole."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from manywalks import files
from manywalks.cli.tables import short_verdict
from manywalks.compare import configurations, folds, paired, verdicts
from manywalks.compare.design import Design
from manywalks.compare.folds import FoldPredictions
from manywalks.compare.page import first_lines, page
from manywalks.compare.scores import Scores, criteria_of, judge
from manywalks.compare.variance_budget import shapley, variance_budget
from manywalks.evaluate.infinite import closed_form, extrapolated, project, scorer, subset_scores
from manywalks.formatting import with_error
from manywalks.params.load import parse_params
from manywalks.replicates.fresh import FreshReplicate
from tests.conftest import SMALL, command


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_settings_make_every_combination(base: Path) -> None:
    found = configurations.read_configurations(
        [base], ["network.dropout=0.1,0.3", "train.learning_rate=1e-3,3e-4"], sweep=False
    )
    assert [one.name for one in found] == [
        "dropout=0.1 learning_rate=0.001", "dropout=0.1 learning_rate=0.0003",
        "dropout=0.3 learning_rate=0.001", "dropout=0.3 learning_rate=0.0003",
    ]  # fmt: skip
    assert [one.params.train.learning_rate for one in found] == [1e-3, 3e-4, 1e-3, 3e-4]
    assert configurations.changes(found)[3] == {"network.dropout": 0.3, "train.learning_rate": 3e-4}


def test_lists_are_values_too(base: Path) -> None:
    found = configurations.read_configurations([base], ["network.widths=[8],[16, 8]"], sweep=False)
    assert [one.params.network.widths for one in found] == [(8,), (16, 8)]


def test_capacity_sweeps_width_and_depth(base: Path) -> None:
    found = configurations.read_configurations([base], [], sweep=True)
    widths = {one.params.network.widths for one in found}
    assert widths == {(w,) * depth for w in configurations.WIDTHS for depth in configurations.DEPTHS}


def test_equal_configurations_get_replicates_of_their_own(base: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.yaml"
    twin.write_text(SMALL, encoding="utf-8")
    found = configurations.read_configurations([base, twin], [], sweep=False)
    assert [(one.name, one.copy) for one in found] == [("base", 0), ("twin", 1)]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("test: 0.25", "test: 0.3", "split.test"),
        ("unit: log10 mol/L", "unit: mg/L", "data.endpoints.logS.unit"),
        ("path: table.csv", "path: other.csv", "data.path"),
        ("curate: {}", "curate: {stereo: drop}", "curate.stereo"),
    ],
)
def test_other_data_split_or_endpoint_is_refused(
    base: Path, tmp_path: Path, old: str, new: str, key: str
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=f"base and other differ in {key}"):
        configurations.read_configurations([base, other], [], sweep=False)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("network.dropout", "is not a setting"),
        ("dropout=1", "is not a setting"),
        ("split.test=0.1,0.2", "cannot be compared"),
        ("network.dropuot=0.1,0.2", "unknown key"),
        ("network.dropout=0.1,7", "network.dropout"),
    ],
)
def test_bad_settings_are_refused(base: Path, setting: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        configurations.read_configurations([base], [setting], sweep=False)


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.64031, 0.0199, "0.640 ± 0.020"),
        (12.345, 1.2, "12.3 ± 1.2"),
        (1.5, 0.0, "1.5000"),
        (0.1, 1e-9, "0.1000 ± 0.0000"),
    ],
)
def test_scores_are_shown_to_the_second_figure_of_their_error(value: float, error: float, shown: str) -> None:
    assert with_error(value, error) == shown


@pytest.mark.parametrize(
    ("needs", "shown"),
    [
        ({"splits": 50, "replicates": None, "molecules": 4}, "undecided: 50 splits or 4x data"),
        ({"splits": None, "replicates": None, "molecules": None}, "undecided"),
    ],
)
def test_an_undecided_pair_says_what_would_decide_it(needs: dict, shown: str) -> None:
    assert short_verdict({"verdict": "undecided", "needs": needs}, {}) == shown


def test_one_configuration_is_no_comparison(base: Path) -> None:
    with pytest.raises(ValueError, match="add a file, or values"):
        configurations.read_configurations([base], [], sweep=False)


@given(st.integers(3, 9), st.integers(2, 12), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_closed_form_is_mse_minus_v_over_m(m: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    replicates, observed = rng.normal(size=(m, n)), rng.normal(size=n)
    expected = np.mean((replicates.mean(axis=0) - observed) ** 2) - replicates.var(axis=0, ddof=1).mean() / m
    found, error = closed_form(replicates, observed, root=False)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    slow = [closed_form(np.delete(replicates, j, 0), observed, root=False)[0] for j in range(m)]
    slow_error = np.sqrt((m - 1) / m * np.sum((np.array(slow) - np.mean(slow)) ** 2))
    np.testing.assert_allclose(error, slow_error, atol=1e-12)


@pytest.mark.parametrize("metric", ["rmse", "mae", "spearman", "auroc"])
def test_projection_is_nearer_to_infinity_and_knows_its_error(metric: str) -> None:
    rng = np.random.default_rng(4)
    errors, plain, said = [], [], []
    for _ in range(40):
        truth = rng.normal(size=150)
        observed = (truth > 0) * 1.0 if metric == "auroc" else truth
        middle = 0.8 * truth + 0.4 * rng.normal(size=150)
        replicates = middle + 0.6 * rng.normal(size=(8, 150))
        kind = "classification" if metric == "auroc" else "regression"
        score = scorer(observed, np.full(150, "="), metric=metric, kind=kind, threshold=0.5)
        one = project(replicates, observed, score, closed="rmse" if metric == "rmse" else None)
        errors.append(one.infinite - score(middle))
        plain.append(one.ensemble - score(middle))
        said.append(one.error)
    assert abs(np.mean(errors)) < 0.4 * abs(np.mean(plain))
    assert 0.7 < np.sqrt(np.mean(np.square(said))) / np.std(errors) < 1.6


def test_extrapolation_agrees_with_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    observed = rng.normal(size=400)
    replicates = observed + 0.3 * rng.normal(size=400) + 0.5 * rng.normal(size=(16, 400))
    score = scorer(observed, np.full(400, "="), metric="rmse", kind="regression", threshold=0.5)
    line, _ = extrapolated(replicates, score, subset_scores(replicates, score))
    assert abs(line - closed_form(replicates, observed, root=True)[0]) < 0.01


def test_a_score_that_is_not_defined_says_so() -> None:
    score = scorer(np.ones(5), np.full(5, "="), metric="auroc", kind="classification", threshold=0.5)
    with pytest.raises(ValueError, match="auroc is not defined"):
        score(np.arange(5.0))


def _table(c: int, seed: int = 0, s: int = 25, noise: float = 0.0) -> paired.ScoreTable:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(s, 1)) + 0.3 * rng.normal(size=(s, c))
    return paired.ScoreTable(scores, np.full((s, c), noise), ratio=0.25, folds=5)


def test_two_configurations_give_the_paired_t_interval() -> None:
    table = _table(2)
    pair = paired.pairs_of(table, 0.95, "tukey")[0]
    expected = stats.ttest_rel(table.scores[:, 0], table.scores[:, 1]).confidence_interval(0.95)
    np.testing.assert_allclose([pair.plain_low, pair.plain_high], expected)
    assert pair.low < pair.plain_low < pair.plain_high < pair.high


def test_replicates_noise_alone_is_not_widened() -> None:
    table = _table(2, noise=10.0)
    pair = paired.pairs_of(table, 0.95, "tukey")[0]
    np.testing.assert_allclose([pair.low, pair.high], [pair.plain_low, pair.plain_high])


def test_tukey_intervals_are_those_of_the_residual_mean_square() -> None:
    table = _table(4)
    frame = pd.DataFrame(table.scores).stack().reset_index()
    frame.columns = ["split", "configuration", "score"]
    from statsmodels.stats.anova import AnovaRM

    anova: pd.DataFrame = AnovaRM(frame, "score", "split", ["configuration"]).fit().anova_table
    freedom = int(anova["Den DF"].iloc[0])
    mean_square = (
        25 * np.var(table.scores.mean(axis=0), ddof=1) / anova["F Value"].iloc[0]
    )  # F is the ratio of the two
    half = stats.studentized_range.ppf(0.95, 4, freedom) * np.sqrt(mean_square / 25)
    for pair in paired.pairs_of(table, 0.95, "tukey"):
        np.testing.assert_allclose(pair.plain_high - pair.difference, half, rtol=1e-6)


def test_conover_is_that_of_a_published_example() -> None:
    # scikit-posthocs's own example, p-values as its posthoc_conover_friedman gives them
    x = np.array([[31, 27, 24], [31, 28, 31], [45, 29, 46], [21, 18, 48], [42, 36, 46], [32, 17, 40]])
    t, freedom = paired.conover(x.astype(float))
    p = 2 * stats.t.sf(t, freedom)
    np.testing.assert_allclose(
        [p[0, 1], p[0, 2], p[1, 2]],
        [0.02325152459385478, 0.4294869588639433, 0.0057323002572543065],
        rtol=1e-6,
    )


def test_mauchly_doubts_unequal_differences_and_no_others() -> None:
    rng = np.random.default_rng(2)
    p_values = [paired.mauchly(rng.normal(size=(25, 4))) for _ in range(200)]
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.1
    unequal = rng.normal(size=(25, 4)) * [0.1, 0.1, 3, 3]
    assert (paired.mauchly(unequal) or 0) < 1e-4


def test_heavy_tails_go_to_ranks() -> None:
    rng = np.random.default_rng(3)
    table = replace(_table(3), scores=rng.standard_cauchy((25, 3)))
    assert paired.check_assumptions(table).method == "ranks"
    assert all(0 <= pair.p <= 1 for pair in paired.pairs_of(table, 0.95, "ranks"))


def test_constant_differences_are_sure() -> None:
    scores = np.tile([0.0, 1.0], (10, 1)) + np.arange(10.0)[:, None]
    pair = paired.pairs_of(paired.ScoreTable(scores, np.zeros((10, 2)), 0.25, 5), 0.95, "tukey")[0]
    assert (pair.low, pair.high) == (-1, -1)
    assert verdicts.verdict(pair, 0.1) == "worse"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.05, 0.08, "equivalent"),
        (0.15, 0.4, "better"),
        (-0.4, -0.15, "worse"),
        (-0.05, 0.3, "undecided"),
        (0.01, 0.15, "undecided"),
    ],
)
def test_verdicts(low: float, high: float, word: str) -> None:
    middle = (low + high) / 2
    pair = paired.Pair(0, 1, 25, middle, 0.1, low, high, low, high, 0.5, 0.01, 0.0, 2.0, 0.4)
    assert verdicts.verdict(pair, 0.1) == word


def test_what_would_decide_does_decide() -> None:
    pair = paired.Pair(0, 1, 25, 0.2, 0.15, -0.1, 0.5, -0.1, 0.5, 0.3, 0.002, 0.5, 2.0, 0.375)
    needs = verdicts.needs(pair, 0.1, replicates=8, k=5)
    assert needs.splits is not None
    assert needs.replicates is not None
    error = np.sqrt((0.002 + 0.5 / (needs.replicates / 8)) / 25 + 0.375 * 0.002)
    assert 2.0 * error < 0.2
    shared = replace(pair, variance=1.0)
    assert verdicts.needs(shared, 0.1, replicates=8, k=5).splits is None


def test_chance_of_beating_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.5, 1, (6, 4)), rng.normal(0, 1, (6, 5))
    slow = np.mean([a > b for s in range(6) for a, b in itertools.product(one[s], other[s])])
    found = verdicts.chance_of_beating(one, other, ratio=0.25, folds=5)
    assert found["chance"] == pytest.approx(slow)
    assert found["low"] <= found["chance"] <= found["high"]


def test_which_of_two_beats_the_other_does_not_depend_on_their_order() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(2, 1, (25, 4)), rng.normal(0, 1, (25, 5))
    found = verdicts.chance_of_beating(one, other, ratio=0.25, folds=5)
    turned = verdicts.chance_of_beating(other, one, ratio=0.25, folds=5)
    assert found["meaningful"] and turned["meaningful"]
    assert [turned["chance"], turned["low"], turned["high"]] == pytest.approx(
        [1 - found["chance"], 1 - found["high"], 1 - found["low"]]
    )


def test_twins_beat_each_other_half_of_the_time_within_the_interval() -> None:
    """Equal over all data sets, not on any one: each data set moves all its splits to one side."""
    rng = np.random.default_rng(2)
    outside = {"single": 0, "ensemble": 0}
    for _ in range(300):
        ahead = rng.normal(0, np.sqrt(1.5 * 0.25)) + rng.normal(0, 1, (25, 1))
        one, other = ahead + rng.normal(0, 1, (25, 8)), rng.normal(0, 1, (25, 8))
        whole = one.mean(axis=1, keepdims=True), other.mean(axis=1, keepdims=True)
        for name, pair in (("single", (one, other)), ("ensemble", whole)):
            found = verdicts.chance_of_beating(*pair, ratio=0.25, folds=5)
            outside[name] += not found["low"] <= 0.5 <= found["high"]
    # the bootstrap over splits, which takes them for independent, left a half out in over a third
    assert max(outside.values()) / 300 <= 0.08


def test_shares_of_luck_add_up() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(0, 0.1, (4000, 8)) + rng.normal(0, 0.2, (4000, 1)) + 0.3
    found = verdicts.luck(one, rng.normal(0, 0.1, (4000, 8)))
    total = 0.02 + 0.04 + 0.09
    np.testing.assert_allclose(
        [found["replicates"], found["split"], found["real"]], np.array([0.02, 0.04, 0.09]) / total, atol=0.04
    )


def test_shapley_parts_add_up_and_are_those_of_independent_sources() -> None:
    own = {"weights": 1.0, "order": 2.0, "dropout": 4.0}
    sets = [chosen for size in (1, 2, 3) for chosen in itertools.combinations(own, size)]
    found = shapley({chosen: sum(own[s] for s in chosen) for chosen in sets}, list(own))
    assert found == pytest.approx(own)
    # sources that each move everything share alike
    found = shapley(dict.fromkeys(sets, 6.0), list(own))
    assert found == pytest.approx(dict.fromkeys(own, 2.0))


def test_a_budget_finds_the_variances_it_was_made_of() -> None:
    rng = np.random.default_rng(0)
    split = rng.normal(0, 2, (300, 1))
    scores = {
        ("weights",): split + rng.normal(0, 1, (300, 6)),
        ("order",): split + rng.normal(0, 1, (300, 6)),
        ("weights", "order"): split + rng.normal(0, np.sqrt(2), (300, 6)),
        ("numerics",): split + rng.normal(0, 0.1, (300, 6)),
    }
    found = variance_budget(scores, rng)
    np.testing.assert_allclose(found["parts"]["split"]["value"], 4 / 6, atol=0.06)
    np.testing.assert_allclose(found["seed_share"]["value"], 2 / 6, atol=0.06)
    assert found["parts"]["weights"]["low"] < 1 / 6 < found["parts"]["weights"]["high"]


def test_what_a_seed_hides_is_within_the_interval_of_few_splits_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(100):
        split = rng.normal(0, 1, (5, 1))
        scores = {("weights",): split + rng.normal(0, 1, (5, 8)), ("numerics",): rng.normal(0, 1, (5, 8))}
        share = variance_budget(scores, rng, draws=10)["seed_share"]
        held.append(share["low"] <= 0.5 <= share["high"])
    assert np.mean(held) >= 0.89  # a bootstrap of 5 splits: 71 %


def test_kept_replicates_come_back_and_damage_is_noticed(tmp_path: Path) -> None:
    fold_store = folds.FoldStore(tmp_path / "folds")
    replicates = FoldPredictions(np.ones((3, 4, 1), dtype=np.float32), [0, 1, 2, 3], 1, 17)
    split = folds.split_name(np.array(["train", "test"]))
    folds.save_fold_predictions(fold_store, split, replicates)
    found = folds.load_fold_predictions(fold_store, split)
    np.testing.assert_array_equal(found.predictions, replicates.predictions)
    assert found[1:] == replicates[1:]
    path = fold_store.of_split(split)
    assert path is not None
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert folds.load_fold_predictions(fold_store, split) == folds.NONE
    assert fold_store.of_split(split) is None


def test_kept_probabilities_of_sure_networks_are_not_rounded_to_one(tmp_path: Path) -> None:
    sure = FreshReplicate(0, (), np.full((4, 1), 1 - 1e-12))
    kept = folds._joined(folds.NONE, {0: sure}, [sure.predictions])
    folds.save_fold_predictions(folds.FoldStore(tmp_path), "split", kept)
    found = folds.load_fold_predictions(folds.FoldStore(tmp_path), "split")
    assert (found.predictions < 1).all()


def test_streams_of_two_splits_have_nothing_in_common() -> None:
    assert folds.split_entropy(7, "a") != folds.split_entropy(7, "b")


@pytest.mark.parametrize(
    "bad", [{"replicates": 1}, {"folds": 2}, {"repeats": 0}, {"threshold": -1.0}], ids=lambda bad: str(bad)
)
def test_designs_that_say_nothing_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="--"):
        Design(**bad)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Path:
    """A workspace after `manywalks compare` of two sizes."""
    folder = tmp_path_factory.mktemp("compared")
    demo_table.iloc[::12].to_csv(folder / "table.csv", index=False)
    (folder / "params.yaml").write_text(SMALL, encoding="utf-8")
    done = _compare(folder, "--set", "network.widths=[2],[32]")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _compare(folder: Path, *more: str):
    return command(
        "compare", "--workspace", str(folder), "--repeats", "2", "--folds", "3", "--replicates", "4", *more
    )


def test_the_report_has_scores_and_verdicts(compared: Path) -> None:
    found = files.read_json(compared / "reports/compare.json")
    endpoint = found["endpoints"]["logS"]
    assert [row["name"] for row in endpoint["scores"]] == ["widths=2", "widths=32"]
    assert endpoint["scores"][0]["infinite"] < endpoint["scores"][0]["ensemble"]
    assert endpoint["pairs"][0]["verdict"] in ("better", "equivalent", "worse", "undecided")
    assert [one["differs"]["network.widths"] for one in found["configurations"]] == [[2], [32]]
    page = (compared / "reports/compare.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "widths=32" in page


def test_adding_a_configuration_trains_only_that(compared: Path) -> None:
    fold_stores = {
        path: path.stat().st_mtime_ns for path in (compared / ".manywalks/compare").glob("*/*-*.npz")
    }
    assert len(fold_stores) in (9, 12)  # two configurations on two repeats of three folds, or one stopped
    done = _compare(compared, "--set", "network.widths=[2],[32],[8]")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(path.stat().st_mtime_ns == before for path, before in fold_stores.items())
    found = files.read_json(compared / "reports/compare.json")
    assert len(found["endpoints"]["logS"]["pairs"]) == 3


def test_shares_of_the_variance_add_up(compared: Path) -> None:
    done = _compare(compared, "--variance", "--repeats", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    found = files.read_json(compared / "reports/compare-variance.json")["variance"]["logS"]
    assert set(found["parts"]) == {"split", "weights", "order", "dropout"}
    assert sum(subset["value"] for subset in found["parts"].values()) == pytest.approx(1)
    assert found["alone"]["numerics"]["value"] < found["alone"]["weights"]["value"]


def test_other_data_is_refused_in_one_line(compared: Path) -> None:
    other = compared / "other.yaml"
    other.write_text(SMALL.replace("test: 0.25", "test: 0.3"), encoding="utf-8")
    done = _compare(compared, str(compared / "params.yaml"), str(other))
    assert done.returncode == 2
    assert done.stderr.strip().startswith("compare: params and other differ in split.test")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"b": "equivalent", "c": "equivalent"}, ["All are equivalent: "]),
        ({"b": "undecided", "c": "undecided"}, ["Undecided: a has the best RMSE (nM), but not surely."]),
        ({"b": "worse", "c": "equivalent"}, ["a has the best", "Equivalent to it", "Worse: b."]),
        ({"b": "worse", "c": "worse"}, ["a has the best RMSE (nM).", "Worse: b, c."]),
    ],
)
def test_the_first_lines_say_what_the_verdicts_say(verdicts: dict[str, str], said: list[str]) -> None:
    endpoint = {
        "metric": "rmse",
        "unit": "nM",
        "higher_is_better": False,
        "threshold": 0.1,
        "scores": [{"name": name, "infinite": place} for place, name in enumerate("abc")],
        "pairs": [
            {"one": name, "other": "a", "difference": -1.0, "low": -2.0, "high": 0.0, "verdict": verdict}
            for name, verdict in verdicts.items()
        ],
    }
    lines = first_lines(endpoint)
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))


def test_three_networks_and_a_class_make_a_whole_page() -> None:
    rng = np.random.default_rng(0)
    observed = (rng.random(200) < 0.4) * 1.0
    params = parse_params({"data": {"path": "t", "endpoints": {"active": {"kind": "classification"}}}})
    terms = criteria_of(
        "active", params.data.endpoints["active"], params, tolerance=0.05, metric=None, threshold=None
    )
    scores = Scores.of(terms, pd.DataFrame({"active": observed, "active:relation": "="}))
    for split, c in itertools.product(range(5), range(3)):
        test = np.arange(split, 200, 5)
        logits = (1 + c) * (observed[test] - 0.5) + rng.normal(size=40)
        scores.add(split, c, test, 1 / (1 + np.exp(-logits - rng.normal(size=(4, 40)))))
    names = ["small", "middle", "large"]
    endpoint = judge(
        scores, names, splits=5, ratio=0.25, confidence=0.95, design={"replicates": 4, "folds": 5}
    )
    assert endpoint["metric"] == "auroc"
    assert endpoint["scores"][2]["infinite"] > endpoint["scores"][0]["infinite"]
    found = {
        "design": {
            "repeats": 1,
            "folds": 5,
            "method": "random",
            "molecules": 200,
            "replicates": 4,
            "trained": 60,
            "similarity": [{"median": 0.4}, {"median": 0.52}],
        },
        "configurations": [
            {"name": name, "differs": {}, "parameters": 10**place, "stopped": None, "present": place == 3}
            for place, name in enumerate(names, start=2)
        ],
        "endpoints": {"active": endpoint},
    }
    text = page(found)
    assert "0.40 to 0.52, depending on the split" in text
    assert text.count("present settings") == 2  # in the scores, and in what differs
    assert text.count("<svg") == 5  # intervals, convergence, and three of size
    assert "NaN" not in text
