"""reports/scores.json: the few numbers of each endpoint that `dvc metrics show` and `dvc exp show` list."""

from typing import Any

from manywalks.evaluate.registry import HIGHER_IS_BETTER, MAIN


def few_scores(metrics: dict[str, Any], statements: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """By endpoint: the main test score of the ensemble and of the best simple baseline, and the bound.

    Args:
        metrics, statements: entries of metrics.json and statement.json by endpoint.
    """
    found = {}
    for name, entry in metrics.items():
        metric = MAIN[entry["kind"]]
        better = max if metric in HIGHER_IS_BETTER else min
        simple = [one[metric] for one in entry["baselines"].values() if one.get(metric) is not None]
        found[name] = {
            metric: entry["ensemble"][metric],
            f"{metric}_baseline": better(simple, default=None),
            "retrained_within": statements[name]["difference_bound"],
            "replicates": statements[name]["replicates"],
        }
    return found
