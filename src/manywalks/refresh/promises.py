"""What a nightly run adds to the record: the run itself, and the champion judged by new measurements."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.ensemble.companions import METRICS, STATEMENT
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.params.sections.model import EnsembleParams
from manywalks.record import nights
from manywalks.record.page import write
from manywalks.record.prospective import Promise, judged, nothing, series_of, unseen
from manywalks.record.summary import Summary
from manywalks.refresh.champions import Champions
from manywalks.refresh.model_view import ModelView, predict_with
from manywalks.replicates.combine import combine, combining_of
from manywalks.runtime.resources import cores_of
from manywalks.workspace import Workspace

# the score of a row, the first that there is
SCORES = ("rmse", "auroc", "mae", "log_loss")


def in_common(former: dict[str, Any], later: dict[str, Any]) -> list[str]:
    """Endpoints of a model that a later one has in the same unit; `data.endpoints` of their parameters."""
    return [
        name
        for name, one in former.items()
        if name in later and (one["kind"], one["unit"]) == (later[name]["kind"], later[name]["unit"])
    ]


def arrived(curated: pd.DataFrame, seen: pd.DataFrame, endpoints: list[str]) -> np.ndarray:
    """Rows of the curated table that are new to a model, or have a value that is: rising, int.

    Args:
        curated: molecules that have features.
        seen: what the model knew.
        endpoints: that the model and the table have in common.
    """
    new = ~curated["smiles"].isin(list(seen["smiles"])).to_numpy()
    for name in endpoints:
        new |= unseen(curated, seen, name)
    return np.flatnonzero(new)


def judge(
    view: ModelView, came: pd.DataFrame, seen: pd.DataFrame, *, model: str, endpoints: list[str]
) -> pd.DataFrame:
    """How a model's predictions did at the measurements that it had not seen.

    Args:
        view: what the model says of the molecules that came (n).
        came: these rows of the curated table.
        seen: what the model knew.
        model: its name.
        endpoints: that the model and the table have in common.
    """
    frames = []
    for column, (name, endpoint) in enumerate(view.about["params"]["data"]["endpoints"].items()):
        places = np.flatnonzero(unseen(came, seen, name)) if name in endpoints else np.zeros(0, int)
        if places.size:
            promise = _promise(view.take(places), column, name, endpoint["kind"], seen)
            there = came.iloc[places]
            observed, texts = there[name].to_numpy(dtype=np.float64), there["smiles"].tolist()
            frames.append(judged(promise, observed, texts, endpoint=name, model=model))
    return pd.concat(frames, ignore_index=True) if frames else nothing()


def keep(
    workspace: Workspace, champions: Champions, report: dict[str, Any], came: pd.DataFrame, molecules: int
) -> Summary:
    """Keep a night, with the former ones that are missing, and make the record's page anew.

    Args:
        report: what reports/refresh.json holds.
        came: the measurements that came with the night.
        molecules: in the curated table.
    """
    rebuild(workspace, champions, but=report["challenger"])
    entry = champions.entry(report["challenger"])
    night = {
        "when": report["when"],
        "data": entry["data"]["rev"] or entry["data"]["md5"][:8],
        "molecules": molecules,
        "replicates": entry["replicates"],
        "challenger": report["challenger"],
        "champion": report["champion"],
        "judged_by": report["former"],
        "promoted": report["promoted"],
        "reason": report["reason"],
        "rebuilt": False,
        "endpoints": _endpoints(champions, report["challenger"], report["churn"]),
    }
    nights.keep(workspace, night, came)
    return write(workspace)


def rebuild(workspace: Workspace, champions: Champions, but: str | None = None) -> int:
    """Make the nights of kept models that the record lacks, from their manifests; how many it made.

    Each is judged by the champion of its day, where that one is kept too. Churn is not known any more.

    Args:
        but: a model that is left out.
    """
    known = {night["challenger"] for night in nights.read(workspace).nights} | {but}
    missing = [name for name in champions.names() if name not in known]
    for name in missing:
        entry, seen = champions.entry(name), champions.seen(name)
        former = _champion_at(champions, entry["made"], name)
        rise = next((step for step in champions.history() if step["name"] == name), None)
        night = {
            "when": entry["made"],
            "data": entry["data"]["rev"] or entry["data"]["md5"][:8],
            "molecules": len(seen),
            "replicates": entry["replicates"],
            "challenger": name,
            "champion": name if rise else former,
            "judged_by": former,
            "promoted": rise is not None,
            "reason": rise["reason"] if rise else "not promoted",
            "rebuilt": True,
            "endpoints": _endpoints(champions, name, {}),
        }
        nights.keep(workspace, night, _judged_again(workspace, champions, former, name))
    return len(missing)


def _judged_again(workspace: Workspace, champions: Champions, former: str | None, later: str) -> pd.DataFrame:
    """How a kept model did at the molecules of a later one; nothing where it is gone."""
    if former is None or former not in champions.names():
        return nothing()
    before, seen = champions.seen(former), champions.seen(later)
    theirs, ours = (_endpoints_of(champions, name) for name in (former, later))
    # kept before relations were: a limit would be taken for a value
    common = [name for name in in_common(theirs, ours) if f"{name}:relation" in seen.columns]
    came = seen.iloc[arrived(seen, before, common)] if common else seen.iloc[:0]
    came = came[(came["subset"] != "").to_numpy()]
    if came.empty:
        return nothing()
    view = predict_with(champions.model(former), came["smiles"].tolist(), cores_of(workspace))
    return judge(view, came, before, model=former, endpoints=common)


def _champion_at(champions: Champions, when: str, but: str) -> str | None:
    """Which model was the champion just before another came."""
    limit, found = datetime.fromisoformat(when), None
    for step in champions.history():
        if step["name"] == but or datetime.fromisoformat(step["when"]) > limit:
            break
        found = step["name"]
    return found


def _promise(view: ModelView, column: int, name: str, kind: str, seen: pd.DataFrame) -> Promise:
    """What a model says of n molecules at one endpoint, as `manywalks predict` would."""
    about = view.about
    replicates = view.replicates[:, :, column]
    mean = combine(replicates, combining_of(kind, EnsembleParams.model_validate(about["params"]["ensemble"])))
    fitted = Calibration.from_json(about["calibration"][name])
    coverage = about["params"]["evaluate"]["coverage"]
    spread = replicates.std(axis=0, ddof=1) if len(replicates) > 1 else np.zeros(mean.size)
    low, high = fitted.interval(mean, spread, coverage, view.nearness["similarity"].to_numpy())
    own = "train" if fitted.reference == "out of bag" else "valid"
    used = (seen["subset"] == own).to_numpy() & np.isfinite(seen[name].to_numpy(dtype=np.float64))
    return Promise(
        fitted.as_reported(mean),
        np.full(mean.size, np.nan) if kind == "classification" else fitted.predicted_sd(spread),
        low,
        high,
        coverage,
        len(set(series_of(seen["smiles"][used].tolist()))),
        view.nearness["in_domain"].to_numpy(),
    )


def _endpoints_of(champions: Champions, name: str) -> dict[str, Any]:
    """Endpoints of a kept model, as its parameters have them."""
    return files.read_json(champions.model(name) / "manifest.json")["params"]["data"]["endpoints"]


def _endpoints(champions: Champions, name: str, churned: dict[str, Any]) -> dict[str, Any]:
    """Score, bound and churn of each endpoint of a kept model."""
    folder = champions.folder / name
    about = files.read_json(champions.model(name) / "manifest.json")
    metrics, statement = (
        files.read_json(folder / report) if (folder / report).is_file() else {}
        for report in (METRICS, STATEMENT)
    )
    found = {}
    for endpoint, asked in about["params"]["data"]["endpoints"].items():
        scores = metrics.get(endpoint, {}).get("ensemble", {})
        metric = next((one for one in SCORES if isinstance(scores.get(one), float)), None)
        moved = churned.get(endpoint, {})
        found[endpoint] = {
            "kind": asked["kind"],
            "unit": asked["unit"],
            "metric": metric,
            "score": scores[metric] if metric else None,
            "n_test": metrics.get(endpoint, {}).get("n_test"),
            "bound": statement.get(endpoint, {}).get("difference_bound"),
            "churn": moved.get("rms_change"),
            "churn_molecules": moved.get("molecules"),
            "coverage": about["params"]["evaluate"]["coverage"],
        }
    return found
