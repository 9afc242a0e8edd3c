"""Retrain a model from its manifest and its data alone, and judge whether the two agree."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.ensemble.model_file.reading import read_about
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.features import Features
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.families import families_of
from manywalks.pipeline.side_workspace import workspace_of
from manywalks.replicates import store
from manywalks.replicates.combine import combine, combining_of
from manywalks.replicates.family_weights.kept import are_fitted
from manywalks.replicates.opening import open_store
from manywalks.replicates.statistics.mixing import EVENLY, Mixing, weights_at
from manywalks.reproduce.agreement import Terms, agreement, decided
from manywalks.reproduce.refitted import refitted_weights
from manywalks.train.prepare import out_of_sample, read_tables
from manywalks.train.union import UnionScaler
from manywalks.workspace import Workspace


class Retraining(NamedTuple):
    """A model to be reproduced and the workspace in which it is retrained."""

    model: Path
    workspace: Workspace


def prepare(
    model: Path, *, data: Path | None = None, count: int | None = None, from_scratch: bool = False
) -> Retraining:
    """A workspace beside the model, its params from the manifest, its replicates to be drawn afresh.

    Curated table, features and split of an earlier reproduction are used again unless `from_scratch`.

    Raises:
        ValueError: the model is damaged, its manifest names another network than it holds, or the data is
            not the data that it was trained on.
    """
    about = manifest.read(model)
    _check_network(model, about)
    workspace_of_model = model.resolve().parent.parent
    table = raw_table(model, about, data)
    folder = workspace_of_model / ".manywalks" / "reproduce" / model.resolve().name
    shutil.rmtree(folder if from_scratch else folder / "models", ignore_errors=True)
    params = _params(about, table, count)
    comment = f"Made from {model / manifest.FILE}, to reproduce it."
    return Retraining(model, workspace_of(params, folder, comment))


def raw_table(model: Path, about: dict[str, Any], data: Path | None) -> Path:
    """The table that the model was trained on; ValueError where it is not there, or another one is."""
    table = (data or model.resolve().parent.parent / about["data"]["path"]).resolve()
    if not table.is_file():
        raise ValueError(f"{table}: no such file; give the model's raw table with --data")
    found = files.md5_file(table)
    if found != about["data"]["md5"]:
        raise ValueError(
            f"{table}: is not the data of {model} (md5 {found}, trained on {about['data']['md5']}); "
            "bring that version back, or name it with --data"
        )
    return table


def _check_network(model: Path, about: dict[str, Any]) -> None:
    """Refuse to retrain another network than the one whose weights the model holds."""
    held = {one["name"]: one["network"] for one in read_about(model / "model.keras")["families"]}
    params = parse_params(about["params"], source=str(model / manifest.FILE))
    named = {one.name: one.params.network.model_dump(mode="json") for one in families_of(params)}
    if held == named:
        return
    said = ", ".join(
        f"{name + ': ' if name else ''}network.{key} {named[name].get(key)!r} for {network.get(key)!r}"
        for name, network in held.items()
        for key in network
        if name in named and named[name].get(key) != network.get(key)
    )
    raise ValueError(
        f"{model / manifest.FILE}: names another network than model.keras holds "
        f"({said or 'families ' + ', '.join(named)}); bring the manifest of this model back"
    )


def _params(about: dict[str, Any], table: Path, count: int | None) -> Params:
    """The parameters of the model, with so many fresh replicates (as many as the model has)."""
    # models of former versions do not say which rows: all
    fresh = {"count": count or about["replicates"], "seed": None, "rows": about.get("rows", "all")}
    raw = {**about["params"], "replicates": fresh}
    raw["data"] = {**raw["data"], "path": str(table), "rev": None}
    return parse_params(raw, source=manifest.FILE)


class Judged(NamedTuple):
    """What reports/reproduction.json and reports/plots/reproduction.json hold."""

    found: dict[str, Any]
    points: list[dict[str, Any]]


def judge(retraining: Retraining) -> Judged:
    """Compare the model with the replicates that are in the workspace now."""
    model, workspace = retraining
    about = manifest.read(model)
    curated, subsets = read_tables(workspace)
    rows = out_of_sample(subsets)
    raw = Features.load(workspace.features).take(rows)
    params = workspace.params
    predictor = StackedPredictor.load(model / "model.keras")
    scaled = UnionScaler.load(model / "scaler.npz").transform(raw)
    replicates = predictor.predict(scaled)
    opened = open_store(workspace)
    # the statement is about training again with the same weights; fitted again they are looked at beside it
    same = dataclasses.replace(opened, mixing=predictor.mixing)
    kept, diverged = store.read_used_replicates(same)
    fresh = np.stack([replicate.predictions for replicate in kept])
    refitted, by_family = None, []
    if are_fitted(params):
        by_family = predictor.predict_families(scaled)
        refitted = np.stack([one.predictions for one in store.read_used_replicates(opened)[0]])
    there = curated.iloc[rows]
    found, points = {}, []
    for column, (name, endpoint) in enumerate(params.data.endpoints.items()):
        asked = Terms(
            kind=endpoint.kind,
            unit=endpoint.unit,
            confidence=about["confidence"],
            endpoints=len(params.data.endpoints),
            threshold=params.evaluate.threshold,
            combining=combining_of(endpoint.kind, params.ensemble),
            adaptive=about["adaptive"],
        )
        model_replicates, fresh_replicates = (
            each[:, :, column].astype(np.float64) for each in (replicates, fresh)
        )
        found[name] = agreement(
            model_replicates,
            fresh_replicates,
            there[name].to_numpy(dtype=np.float64),
            there[f"{name}:relation"].to_numpy(dtype=str),
            asked,
        )
        found[name]["decisions"] = decided(
            model_replicates,
            fresh_replicates,
            Calibration.from_json(about["calibration"][name]),
            params.evaluate.cut_of(name, endpoint),
            asked,
        )
        if refitted is not None:
            found[name]["refitted"] = refitted_weights(
                model_replicates,
                refitted[:, :, column].astype(np.float64),
                [family[:, :, column] for family in by_family],
                _weights(params, column, predictor.mixing, opened.mixing or EVENLY),
                covariance=np.array(about["family_weights"][name]["covariance"]),
                expected=found[name]["difference_expected"],
                how=asked.combining,
            )
        one, other = (
            combine(each, asked.combining).tolist() for each in (model_replicates, fresh_replicates)
        )
        points += [{"endpoint": name, "model": a, "retrained": b} for a, b in zip(one, other, strict=True)]
    content = {
        "model": str(model),
        "agrees": all(endpoint["agrees"] for endpoint in found.values()),
        "diverged": diverged,
        "trained_with": about["versions"],
        "retrained_with": manifest.versions(),
        "endpoints": found,
    }
    return Judged(content, points)


def _weights(params: Params, column: int, model: Mixing, fresh: Mixing) -> dict[str, tuple[float, float]]:
    """By family its weight at an endpoint, in the model and fitted again."""
    names = [family.name for family in params.families]
    each = (weights_at(how, column, len(names)).tolist() for how in (model, fresh))
    return dict(zip(names, zip(*each, strict=True), strict=True))
