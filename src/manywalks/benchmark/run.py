"""Train on a table's rows, score its test rows once, and keep the result.

What was kept of the same table, settings, number of replicates and code is shown and not trained again, so a
run that was stopped goes on where it was.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.benchmark.forms import FORMS, Asked, Form, params_of
from manywalks.benchmark.rows import Rows, read_rows, with_features
from manywalks.benchmark.scores import bootstrap, score
from manywalks.benchmark.series import series_scores
from manywalks.data.sizes import slots_for
from manywalks.formatting import count
from manywalks.params.load import Params
from manywalks.params.presets import Preset
from manywalks.params.sections.split import SplitParams
from manywalks.replicates.code_key import PACKAGE, content_key
from manywalks.replicates.combine import combine, combining_of
from manywalks.replicates.family_weights.fresh import mixing_for
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.statistics.mixing import EVENLY, Mixing
from manywalks.split.split import groups_of
from manywalks.tables.frame import read_table
from manywalks.train.prepare import Groups, Prepared, prepare_families

Tell = Callable[[str], None]
# besides the training code: what decides a feature or a value
CODE = (
    "benchmark",
    "chemistry",
    "data",
    "featurize",
    "replicates/combine.py",
    "replicates/draws.py",
    "replicates/family_weights",
    "split/facts.py",
)


class Suite(NamedTuple):
    """What to score, and how.

    Attributes:
        form: a key of FORMS.
        replicates: how many for each table.
        cores: worker processes and threads.
        settings: sections of params.yaml that stand in for the defaults.
        asked: of a table of many endpoints, what the user said.
        preset: which families, where `settings` has none.
    """

    form: str
    replicates: int
    cores: int
    settings: dict[str, Any] | None = None
    asked: Asked = Asked()
    preset: Preset = "default"


class Outcome(NamedTuple):
    """Results by task as `run_task` gives them, and why the other tasks have none."""

    results: dict[str, dict[str, Any]]
    failed: dict[str, str]


def run_folder(data: Path, suite: Suite, kept: Path, tell: Tell = print) -> Outcome:
    """Score every CSV of a folder (or one table), one after another.

    Args:
        data: the folder or the table.
        kept: the folder that results are kept in.
        tell: gets a line for each task as it ends.
    """
    paths = sorted(data.glob("*.csv")) if data.is_dir() else [data]
    if not paths:
        raise ValueError(f"{data}: holds no .csv; give the folder of the tasks")
    results, failed = {}, {}
    for path in paths:
        try:
            results[path.stem] = _kept_or_run(path, suite, kept, tell)
        except ValueError as error:  # of this table: the others go on
            failed[path.stem] = " ".join(str(error).split())
            tell(f"{path.stem}: not scored: {failed[path.stem]}")
    return Outcome(results, failed)


def _kept_or_run(path: Path, suite: Suite, kept: Path, tell: Tell) -> dict[str, Any]:
    """A task's result, trained only where none of the same inputs is kept."""
    frame = read_table(path)
    form = FORMS[suite.form](frame, str(path), suite.asked)
    params = suite_params(suite, form, frame, str(path))
    file = kept / suite.form / f"{path.stem}.json"
    key = _key(path, params, suite)
    if file.is_file():
        found = files.read_json(file)
        if found.get("key") == key:
            tell(f"{one_line(found)} (kept)")
            return found
    result, predictions = run_task(path.stem, frame, form, params, suite)
    result = {"key": key, **result}
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic_path(file.with_suffix(".csv")) as target:
        predictions.to_csv(target, index=False)
    files.write_json(file, result)
    tell(one_line(result))
    return result


def suite_params(suite: Suite, form: Form, frame: pd.DataFrame, source: str) -> Params:
    """The parameters of one table; a preset with graphs gets slots for the atoms of its molecules."""
    slots = slots_for(frame[form.smiles].tolist()) if suite.preset == "best" else 60
    return params_of(form, source, suite.cores, suite.settings, preset=suite.preset, max_atoms=slots)


def _key(path: Path, params: Params, suite: Suite) -> str:
    """The name of what a result was made from; the number of cores changes nothing."""
    sources = [
        file
        for name in CODE
        for file in ([PACKAGE / name] if name.endswith(".py") else sorted((PACKAGE / name).rglob("*.py")))
    ]
    return content_key(
        {
            "table": files.md5_file(path),
            "params": params.model_dump(mode="json", exclude={"orchestrate"}),
            "replicates": suite.replicates,
            "sources": [files.md5_file(file) for file in sources],
        }
    )


def run_task(
    name: str, frame: pd.DataFrame, form: Form, params: Params, suite: Suite
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Curate, featurize, train and score: the result as plain JSON, and the predictions of the test rows.

    All rows that are not for testing are trained on, unless params ask for early stopping: it gets a valid
    subset by scaffold.
    """
    start = time.perf_counter()
    rows, features = with_features(read_rows(frame, form, params, suite.cores), params, suite.cores)
    prepared = prepare_families(rows.molecules, features, rows.subsets, params)
    # what is predicted are the valid rows, if there are any, and behind them the test rows
    mixing = mixing_for(
        rows.molecules,
        features,
        rows.subsets,
        params,
        lambda: groups_of(rows.molecules, SplitParams(method="scaffold")),
        entropy=secrets.randbits(128),
        threads=suite.cores,
    )
    own = np.arange(len(rows.subsets)), np.flatnonzero(rows.subsets == "train")
    replicates = train_and_predict(
        prepared,
        suite.replicates,
        suite.cores,
        mixing,
        groups=Groups(*own) if params.replicates.rows == "bootstrap" else None,
    )[:, -len(rows.observed) :]
    endpoints, ensembles = {}, {}
    for column, (endpoint, about) in enumerate(form.endpoints.items()):
        how = combining_of(about["kind"], params.ensemble)
        ensembles[endpoint] = combine(replicates[:, :, column], how)
        endpoints[endpoint] = {
            "kind": about["kind"],
            **_scores(
                form.metrics[about["kind"]], rows, column, replicates[:, :, column], ensembles[endpoint]
            ),
        }
    result = {
        "name": name,
        "suite": suite.form,
        "train": len(prepared[0].problem.train),
        "test": len(rows.observed),
        "rejected": rows.rejected,
        "unread": [list(one) for one in rows.unread],
        "replicates": len(replicates),
        "endpoints": endpoints,
        "series": series_scores(
            rows, list(ensembles.values()), [one["metric"] for one in endpoints.values()]
        ),
        **_overall(form, rows, ensembles),
        "seconds": time.perf_counter() - start,
    }
    return result, _table(rows, replicates, ensembles)


def _scores(
    metrics: tuple[str, ...], rows: Rows, column: int, replicates: np.ndarray, ensemble: np.ndarray
) -> dict[str, Any]:
    """Every metric of one endpoint with its interval, and the first one, which decides, by replicate."""
    y, main = rows.observed[:, column], metrics[0]
    found: dict[str, Any] = {}
    for metric in metrics:
        scored = bootstrap(lambda i, m=metric: _score(m, y, ensemble, rows.cliff, i), len(y))
        found[metric] = {"value": scored.value, "low": scored.low, "high": scored.high}
        if metric == main:
            found[metric]["draws"] = [round(float(value), 5) for value in scored.draws]
    whole = np.arange(len(y))
    single = [_score(main, y, replicate, rows.cliff, whole) for replicate in replicates]
    measured = int(np.isfinite(y).sum())
    return {"metric": main, "measured": measured, "ensemble": found, "single": single}


def _score(metric: str, y: np.ndarray, predicted: np.ndarray, cliff: np.ndarray, rows: np.ndarray) -> float:
    """One metric over the given rows, or over the activity cliffs among them."""
    if metric.endswith("_cliff"):
        rows = rows[cliff[rows]]
        metric = metric.removesuffix("_cliff")
    return score(metric, y[rows], predicted[rows])


def _overall(form: Form, rows: Rows, ensembles: dict[str, np.ndarray]) -> dict[str, Any]:
    """MA-RAE of a table with several regressions: the mean over endpoints of their relative errors."""
    regressions = [
        (column, name)
        for column, (name, about) in enumerate(form.endpoints.items())
        if about["kind"] == "regression"
    ]
    if len(regressions) < 2:
        return {}

    def ma_rae(chosen: np.ndarray) -> float:
        errors = [score("rae", rows.observed[chosen, c], ensembles[name][chosen]) for c, name in regressions]
        return float(np.mean(errors))

    scored = bootstrap(ma_rae, len(rows.observed))
    return {"ma_rae": {"value": scored.value, "low": scored.low, "high": scored.high}}


def _table(rows: Rows, replicates: np.ndarray, ensembles: dict[str, np.ndarray]) -> pd.DataFrame:
    """Test rows with what was measured, predicted, and the spread over replicates."""
    columns: dict[str, Any] = {"smiles": rows.molecules["smiles"].to_numpy()[rows.subsets == "test"]}
    for column, (name, predicted) in enumerate(ensembles.items()):
        columns[f"{name}:observed"] = rows.observed[:, column]
        columns[name] = predicted
        columns[f"{name}:spread"] = replicates[:, :, column].std(axis=0, ddof=1)
    return pd.DataFrame(columns)


def train_and_predict(
    prepared: Sequence[Prepared],
    replicates: int,
    cores: int,
    mixing: Mixing = EVENLY,
    *,
    groups: Groups | None = None,
) -> np.ndarray:
    """Train replicates with fresh entropy: predictions (m, n valid and test, t) in endpoint units.

    With `groups`, each trains on its own bootstrap draw of them.
    """
    entropy = secrets.randbits(128)
    done = fresh_replicates(prepared, range(replicates), entropy, mixing=mixing, threads=cores, groups=groups)
    kept = [replicate.predictions for replicate in done if not replicate.diverged]
    if len(kept) < 2:
        raise ValueError("train: fewer than two replicates did not diverge; lower train.learning_rate")
    return np.stack(kept)


def one_line(result: dict[str, Any]) -> str:
    """A task's outcome while the others still run."""
    if "ma_rae" in result:
        parts = [f"MA-RAE {result['ma_rae']['value']:.3f} over {len(result['endpoints'])} endpoints"]
    else:
        parts = []
        for name, one in result["endpoints"].items():
            single = np.array(one["single"])
            said = f"{one['metric']} {one['ensemble'][one['metric']]['value']:.3f}"
            parts.append(f"{name} {said}, single replicates {single.mean():.3f} ± {single.std(ddof=1):.3f}")
    unread = f", {count(len(result['unread']), 'row')} without features" if result["unread"] else ""
    return f"{result['name']}: {'; '.join(parts)}{unread}, {result['seconds']:.0f} s"
