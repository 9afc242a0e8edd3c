"""Results of a benchmark for people: tables and sentences."""

from typing import Any

import numpy as np

from manywalks.benchmark.published import (
    LOWER,
    MARKS,
    SOURCES,
    Published,
    best_in_papers,
    best_on_leaderboard,
    better,
    entry,
    leaderboard,
    published,
)
from manywalks.benchmark.scores import rank
from manywalks.benchmark.series import series_words
from manywalks.formatting import count

Results = dict[str, dict[str, Any]]


def score_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """One row for each task and endpoint: all its metrics, each with its interval."""
    header = [
        "task",
        "endpoint",
        "train / test",
        "score",
        "95 %",
        "single replicates",
        "worst to best",
        "other",
    ]
    rows = [
        _score_row(result, name, one)
        for result in results.values()
        for name, one in result["endpoints"].items()
    ]
    return header, rows


def _score_row(result: dict[str, Any], name: str, one: dict[str, Any]) -> list[str]:
    metric, scores, single = one["metric"], one["ensemble"], np.array(one["single"])
    ends = (single.max(), single.min()) if metric in LOWER else (single.min(), single.max())
    others = ", ".join(f"{m} {scores[m]['value']:.3f} ({_between(scores[m])})" for m in scores if m != metric)
    return [
        result["name"],
        name,
        f"{result['train']} / {one['measured']}",
        f"{_signed(metric)} {scores[metric]['value']:.3f}",
        _between(scores[metric]),
        f"{single.mean():.3f} ± {single.std(ddof=1):.3f}",
        f"{ends[0]:.3f} to {ends[1]:.3f}",
        others,
    ]


def published_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """One row for each task of TDC: the score beside published ones, the rank and its luck."""
    header = [
        "task", "metric", "ensemble", "RDKit2D + MLP", "MapLight", "best audited clean",
        "best on the leaderboard", "difference to it, 95 %", "best in a paper", "rank, 95 %", "luck",
    ]  # fmt: skip
    return header, [_published_row(result) for result in results.values() if result["name"] in published()]


def _published_row(result: dict[str, Any]) -> list[str]:
    name, (one,) = result["name"], result["endpoints"].values()
    metric, found = one["metric"], one["ensemble"][one["metric"]]
    best = best_on_leaderboard(name)
    place = rank(metric, found["value"], np.array(found["draws"]), leaderboard(name))
    assert best is not None and place is not None
    low, high = (found[end] - best.score for end in ("low", "high"))
    return [
        name,
        _signed(metric),
        f"{found['value']:.3f}",
        _plain(entry(name, "RDKit2D + MLP")),
        _plain(entry(name, "MapLight")),
        _named(best_on_leaderboard(name, clean=True)),
        _named(best),
        f"{found['value'] - best.score:+.3f}, {low:+.3f} to {high:+.3f}",
        _named(best_in_papers(name)),
        f"{place.place} of {place.of}, {place.low} to {place.high}",
        f"{100 * place.luck:.0f} %",
    ]


def sentences(results: Results) -> list[str]:
    """What the tables leave to say: how often better than which column, rows without features, MA-RAE."""
    lines = []
    for result in results.values():
        if "ma_rae" in result:
            found = result["ma_rae"]
            lines.append(
                f"{result['name']}: MA-RAE {found['value']:.3f} (95 %: {_between(found)}), the mean over "
                "endpoints of the mean absolute error divided by the mean absolute deviation"
            )
        if result["unread"]:
            subset, smiles, why = result["unread"][0]
            several = len(result["unread"]) > 1
            lines.append(
                f"{result['name']}: {count(len(result['unread']), 'row')} left out for want of features"
                f"{'; the first' if several else ''}: {subset}, {smiles[:60]!r}: {why}"
            )
        lines += [words] if (words := series_words(result)) else []
    known = {name: one for name, one in results.items() if name in published() and one["suite"] == "tdc"}
    if known:
        lines += [_counts(known), *_legend()]
    return lines


def _counts(results: Results) -> str:
    """On how many tasks the ensemble is better than each column."""
    columns = {
        "RDKit2D + MLP": lambda name: entry(name, "RDKit2D + MLP"),
        "MapLight": lambda name: entry(name, "MapLight"),
        "the best audited clean": lambda name: best_on_leaderboard(name, clean=True),
        "the best on the leaderboard": best_on_leaderboard,
        "the best in a paper": best_in_papers,
    }
    parts = []
    for title, other in columns.items():
        pairs = [(_main(result), other(name)) for name, result in results.items()]
        there = [(metric, value, one) for (metric, value), one in pairs if one is not None]
        wins = sum(better(metric, value, one.score) for metric, value, one in there)
        parts.append(f"than {title} on {wins} of {len(there)}")
    return "better " + ", ".join(parts)


def _legend() -> list[str]:
    """What the marks and the intervals mean."""
    marks = "; ".join(f"{key}: {words}" for key, words in MARKS.items())
    sources = "; ".join(f"{one.what} ({one.year})" for one in SOURCES.values())
    return [
        f"marks: {marks}",
        f"read in: {sources}",
        "intervals: test molecules drawn anew; a published score is taken as it is, since nobody has its "
        "predictions",
        "luck: the chance that other test molecules would give a worse rank",
    ]


def _main(result: dict[str, Any]) -> tuple[str, float]:
    """The deciding metric and its value."""
    (one,) = result["endpoints"].values()
    return one["metric"], one["ensemble"][one["metric"]]["value"]


def _between(scored: dict[str, float]) -> str:
    return f"{scored['low']:.3f} to {scored['high']:.3f}"


def _signed(metric: str) -> str:
    return f"{metric} {'↓' if metric in LOWER else '↑'}"


def _plain(one: Published | None) -> str:
    return "" if one is None else f"{one.score:.3f}"


def _named(one: Published | None) -> str:
    return "" if one is None else f"{one.score:.3f} {one.model} ({one.mark})"
