"""Refresh: a challenger against the champion, the decision between them, and drift of the data."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.evaluate.registry import AUTO, OF_KIND
from manywalks.params.load import Params
from manywalks.params.sections.model import EnsembleParams
from manywalks.params.sections.run import RefreshParams
from manywalks.pipeline import definition, versions
from manywalks.record.prospective import nothing
from manywalks.refresh import promises
from manywalks.refresh.champions import Champions
from manywalks.refresh.churn import Molecules, churn_of, moved_too_far
from manywalks.refresh.contest import Ensembled, Rule, contest
from manywalks.refresh.drift import structure_drift, value_drift, warnings_of
from manywalks.refresh.model_view import ModelView, predict_with
from manywalks.refresh.text import text_of
from manywalks.replicates.combine import combine, combining_of
from manywalks.replicates.plan import observed_sd
from manywalks.report import churn as churn_page
from manywalks.report.html import links_to
from manywalks.runtime.resources import cores_of
from manywalks.split.clusters import clusters
from manywalks.train.prepare import read_tables
from manywalks.workspace import Workspace

NOTHING: dict[str, Any] = {"endpoints": {}, "churn": {}, "drift": None, "warnings": []}


class Check(NamedTuple):
    """What a refresh finds: whether there is anything to do, and how the table came."""

    changed: bool
    data: str


def check_for_change(workspace: Workspace, *, wait: float = 0, pull: bool = False) -> Check:
    """Bring the newest version of the table; whether anything is to be trained or judged since.

    With `pull`, `git pull` first: where data versions are committed, a newer .dvc file comes with git.
    """
    came = ""
    if pull:
        with versions.exclusive(workspace, wait=wait):
            came = f"{versions.pull_git(workspace)}; "
        workspace = Workspace.open(workspace.root)  # params.yaml may be another now
    with versions.exclusive(workspace, wait=wait) as repo:
        data = came + versions.update(repo, workspace)
        stages = definition.load_stages(workspace).values()
        current = all(definition.is_current(stage, workspace) for stage in stages)
        return Check(not (current and is_judged(workspace)), data)


def refresh(workspace: Workspace) -> dict[str, Any]:
    """Judge models/ensemble against the champion and act on it; what reports/refresh.json holds."""
    champions = Champions(workspace)
    scores = _scores(workspace)
    name, former = champions.add(scores), champions.current()
    lost: dict[str, float] = {}
    came = nothing()
    if former is None:
        found: dict[str, Any] = dict(NOTHING)
        rises, reason = True, "the first model"
    elif former == name:
        # the table may have changed, the model has not: the last verdict is not this night's news
        found = dict(NOTHING)
        rises, reason = False, "the same model as the champion; there is nothing to judge"
    else:
        found, came = compare(workspace, champions, former, name)
        lost = losses(found["endpoints"], champions.lost())
        asked = workspace.params.refresh
        rises, reason = decide(
            found["endpoints"],
            asked.promote,
            lost=lost,
            margin=asked.margin,
            moved=moved_too_far(found["churn"], asked.max_churn),
        )
    if rises:
        champions.promote(name, reason, lost)
    report = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "champion": champions.current(),
        "former": former,
        "challenger": name,
        "promoted": rises,
        "reason": reason,
        **found,
    }
    record = promises.keep(workspace, champions, report, came, len(read_tables(workspace).curated))
    report["warnings"] = [*found["warnings"], *record.latest()]
    champions.prune(workspace.params.refresh.keep)
    files.write_json(workspace.reports / "refresh.json", report)
    files.write_text(workspace.reports / "refresh.md", text_of(report))
    if report["churn"]:
        said = {"former": former, "new": name, "endpoints": report["churn"]}
        links = links_to(workspace.reports, "report.html", "card.md")
        page = churn_page.page(said, date.today().isoformat(), links)
        files.write_text(workspace.reports / churn_page.NAME, page)
    return report


def read(workspace: Workspace) -> dict[str, Any] | None:
    """The last refresh, None before the first."""
    path = workspace.reports / "refresh.json"
    return files.read_json(path) if path.is_file() else None


def is_judged(workspace: Workspace) -> bool:
    """Whether the model in models/ensemble has been judged already."""
    champions, last = Champions(workspace), read(workspace)
    if last is None or champions.current() is None or not (workspace.ensemble / manifest.FILE).is_file():
        return False
    store = manifest.read(workspace.ensemble)["store"]
    return last["challenger"] in champions.names() and champions.entry(last["challenger"])["store"] == store


def compare(
    workspace: Workspace, champions: Champions, champion: str, challenger: str
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Contest of every endpoint at test molecules that the champion never saw, churn, and drift.

    Also how the champion did at what was measured since: the rows of `promises.judge`.
    """
    params = workspace.params
    curated, subsets = read_tables(workspace)
    known = champions.seen(champion)
    subset_of = dict(zip(known["smiles"], known["subset"], strict=True))
    of_champion = np.array([subset_of.get(text, "") for text in curated["smiles"]], dtype=object)
    # what either was trained on would move by having been measured, not by what the models know
    unseen = np.flatnonzero((of_champion != "train") & np.isin(subsets, ("valid", "test")))
    cores = cores_of(workspace)
    texts = curated["smiles"].iloc[unseen].tolist()
    everywhere = [predict_with(champions.model(one), texts, cores) for one in (champion, challenger)]
    churned = churn_of(everywhere, Molecules.of(curated.iloc[unseen], list(params.data.endpoints)), params)
    for name, one in churned.items():
        one["sd"] = observed_sd(curated, subsets, name)
    judged = np.flatnonzero((of_champion != "valid")[unseen] & (subsets == "test")[unseen])
    held = curated.iloc[unseen[judged]]
    sides = [side.take(judged) for side in everywhere]
    series = clusters(held["smiles"].tolist(), params.split.similarity)
    endpoints = {name: _endpoint(name, sides, held, params, series) for name in params.data.endpoints}
    usable = curated.iloc[np.flatnonzero(subsets != "")]  # what has no features is in no subset
    now = {name: one.model_dump() for name, one in params.data.endpoints.items()}
    common = promises.in_common(everywhere[0].about["params"]["data"]["endpoints"], now)
    came = usable.iloc[promises.arrived(usable, known, common)]
    view = predict_with(champions.model(champion), came["smiles"].tolist(), cores) if len(came) else None
    drift = _drift(view, known, came, params)
    warnings = warnings_of(
        drift["structures"], drift["values"], params.refresh.drift_outside_share, params.refresh.drift_psi
    )
    found = {"endpoints": endpoints, "churn": churned, "drift": drift, "warnings": warnings}
    if view is None:
        return found, nothing()
    return found, promises.judge(view, came, known, model=champion, endpoints=common)


def losses(endpoints: dict[str, dict[str, Any]], before: dict[str, float]) -> dict[str, float]:
    """Share of its score that each endpoint would have lost since it was best, were the challenger taken.

    A challenger within the margin may be a little worse each time; without this sum, it could be so for ever.
    """
    found = dict(before)
    for name, one in endpoints.items():
        if one.get("difference") is not None and one["champion"] > 0:
            found[name] = max(0.0, before.get(name, 0.0) + one["difference"] / one["champion"])
    return found


def decide(
    endpoints: dict[str, dict[str, Any]],
    rule: str,
    *,
    lost: dict[str, float] | None = None,
    margin: float = 1.0,
    moved: Sequence[str] = (),
) -> tuple[bool, str]:
    """Whether the challenger takes the champion's place by `refresh.promote`, and why in a sentence.

    Args:
        endpoints: the contest of each.
        rule: "better", "not_worse" or "never".
        lost: share of its score that each endpoint would have lost since it was best.
        margin: what may be lost in all.
        moved: endpoints whose predictions moved too far for a challenger that is no better.
    """
    said = ", ".join(f"{name} {one['verdict']}" for name, one in endpoints.items())
    verdicts = [one["verdict"] for one in endpoints.values()]
    if rule == "never":
        return False, f"{said}; refresh.promote is never"
    rises = all(one in ("better", "equivalent") for one in verdicts)
    if rule == "better":
        rises = rises and "better" in verdicts
    gone = [f"{name} {share:.1%}" for name, share in (lost or {}).items() if share > margin]
    if rises and gone and "better" not in verdicts:
        return False, (
            f"{said}, but with the challengers before it would have lost {', '.join(gone)} of its score, "
            f"more than refresh.margin ({margin:.0%})"
        )
    if rises and moved and "better" not in verdicts:
        return False, (
            f"{said}, but its predictions moved by {', '.join(moved)}, more than refresh.max_churn allows a "
            "model that is no better"
        )
    return rises, f"{said}; refresh.promote is {rule}"


def _endpoint(
    name: str, sides: list[ModelView], held: pd.DataFrame, params: Params, series: np.ndarray
) -> dict[str, Any]:
    """One endpoint's contest; undecided where the champion does not know the endpoint as it is now."""
    endpoint = params.data.endpoints[name]
    observed = held[name].to_numpy(dtype=np.float64)
    exact = np.isfinite(observed) & (held[f"{name}:relation"].to_numpy() == "=")
    censored = int(np.isfinite(observed).sum() - exact.sum())
    rule = _rule(params.refresh, endpoint.kind, len(params.data.endpoints))
    found = []
    for side in sides:
        theirs = side.about["params"]["data"]["endpoints"]
        if name not in theirs or (theirs[name]["kind"], theirs[name]["unit"]) != (
            endpoint.kind,
            endpoint.unit,
        ):
            return {"verdict": "undecided", "metric": rule.metric, "molecules": int(exact.sum()), "detail":
                    "the champion does not predict this endpoint in this unit"}  # fmt: skip
        replicates = side.replicates[:, exact, list(theirs).index(name)]
        how = combining_of(endpoint.kind, EnsembleParams.model_validate(side.about["params"]["ensemble"]))
        found.append(Ensembled(combine(replicates, how), replicates))
    judged = contest(found[0], found[1], observed[exact], rule, series[exact])
    return {**judged, "unit": endpoint.unit, "censored": censored}


def _rule(asked: RefreshParams, kind: str, endpoints: int) -> Rule:
    """How endpoints of a kind are judged; what may fail is shared out among the endpoints."""
    metric = asked.metric if asked.metric in OF_KIND[kind] else AUTO[kind]
    confidence = 1 - (1 - asked.confidence) / endpoints
    return Rule(metric, asked.margin, confidence, asked.min_molecules)


def _drift(view: ModelView | None, known: pd.DataFrame, came: pd.DataFrame, params: Params) -> dict[str, Any]:
    """Where new molecules lie, and how their values are distributed, relative to what the champion knew.

    Args:
        view: what the champion says of the molecules that came; None where none did.
        known: what it knew.
        came: of the curated table: new molecules, and known ones with a new value.
        params: endpoints.
    """
    places = np.flatnonzero(~came["smiles"].isin(list(known["smiles"])).to_numpy())
    new = came.iloc[places]
    structures = structure_drift(np.zeros(0), np.zeros(0, dtype=bool))
    if view is not None:
        nearness = view.nearness.iloc[places]
        structures = structure_drift(nearness["similarity"].to_numpy(), nearness["in_domain"].to_numpy())
    values = {
        name: value_drift(known[name].to_numpy(dtype=np.float64), new[name].to_numpy(dtype=np.float64))
        for name in params.data.endpoints
        if name in known.columns
    }
    return {"structures": structures, "values": values}


def _scores(workspace: Workspace) -> dict[str, Any]:
    """Test scores of models/ensemble by endpoint, as evaluated."""
    metrics = files.read_json(workspace.reports / "metrics.json")
    return {name: {"n_test": one["n_test"], **one["ensemble"]} for name, one in metrics.items()}
