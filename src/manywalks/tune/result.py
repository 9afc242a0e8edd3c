"""What reports/tune.json holds."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from manywalks.evaluate.registry import IN_UNITS, SCORE_NAMES
from manywalks.params.load import Params
from manywalks.tune.design import FEW
from manywalks.tune.front import COSTS
from manywalks.tune.gains import Gain
from manywalks.tune.search import Search
from manywalks.tune.space.keys import RangeParams
from manywalks.tune.space.space import LISTS, called, explicit
from manywalks.tune.trial import PRESENT

# of a block or of a family, in a table of changes
IN, OUT = "in", "out"
BLOCKS = f"{LISTS[0]}."


def result(search: Search, verdict: dict[str, Any] | None) -> dict[str, Any]:
    """The search and its verdict (None where no trial was better than the present settings)."""
    best = search.best()
    found = {
        "design": _design(search),
        "space": [_key(key) for key in search.space.keys],
        "metric": _metric(search),
        "present": _present(search),
        "trials": [_trial(search, number) for number in sorted(search.trials)],
        "winner": None if best is None else _winner(search, *best),
        "verdict": verdict,
        "cost": None if search.material.design.cost is None else _cost(search),
    }
    if best is not None and verdict is not None:
        promised = best[1]
        found["optimism"] = {
            "promised": promised.mean,
            "promised_low": promised.mean - promised.half,
            "promised_high": promised.mean + promised.half,
            "fresh": verdict["gain"],
            "optimism": promised.mean - verdict["gain"],
        }
    return found


def _design(search: Search) -> dict[str, Any]:
    """How the search was made."""
    splits = search.splits
    return {
        "asked": search.material.design.trials,
        "trials": len(search.trials),
        "beaten": sum(trial.state == "beaten" for trial in search.trials.values()),
        "stopped": sum(trial.state == "running" for trial in search.trials.values()),
        "failed": sum(trial.state == "failed" for trial in search.trials.values()),
        "rungs": [rung._asdict() for rung in search.rungs],
        "replicates": search.replicates(),
        "kept": kept(search),  # of these, from an earlier run
        "seconds": round(search.clock.gone, 1),
        "limit": search.clock.limit,
        "began": bool(search.trained),  # whether this run has trained anything for the search
        # ahead, but a verdict on them would have taken longer than the limit
        "unjudged": list(search.unjudged),
        "molecules": int(np.any([subsets == "test" for subsets in splits], axis=0).sum()),
        "test": round(float(np.mean([(subsets == "test").sum() for subsets in splits]))),
        "train": round(float(np.mean([(subsets == "train").sum() for subsets in splits]))),
        "method": search.material.present.split.method,
        "space": search.space.source,
        "journal": str(search.history.path.relative_to(search.material.workspace.root)),
    }


def kept(search: Search, numbers: Collection[int] | None = None) -> int:
    """Replicates that an earlier run had trained: of some configurations, or of all."""
    material, scored = search.material, search.scores[0].found
    params = {PRESENT: material.present, **{n: trial.params for n, trial in search.trials.items()}}
    asked = {c for _, c in scored if numbers is None or c in numbers}
    stores = {c: material.store(params[c]).folder for c in asked}
    found = [(n, stores[c]) for n, c in scored if c in stores]
    return sum(one not in search.trained for one in found) * FEW


def _cost(search: Search) -> dict[str, Any]:
    """What else decides, and the trials (and the present settings, as 0) that no other beats in both."""
    return {
        "key": search.material.design.cost,
        "name": COSTS[str(search.material.design.cost)],
        "present": search.costs[PRESENT],
        # the present settings are no trial: their number is 0, which no trial has
        "front": [0 if number == PRESENT else number for number in search.front()],
    }


def _metric(search: Search) -> dict[str, Any]:
    """The score that decides, in words."""
    terms = [one.terms for one in search.scores]
    if len(terms) > 1:
        names = sorted({SCORE_NAMES[one.metric] for one in terms})
        name = f"{' and '.join(names)}, mean over endpoints of the share gained"
        return {"name": name, "unit": "", "joint": True, "sign": 1.0}
    (one,) = terms
    unit = one.unit if one.metric in IN_UNITS else ""
    return {
        "name": SCORE_NAMES[one.metric], "key": one.metric, "unit": unit, "joint": False, "sign": one.sign
    }  # fmt: skip


def _present(search: Search) -> dict[str, Any]:
    """Scores of the present settings on the splits of the search, by endpoint."""
    return {one.terms.name: score for one, score in zip(search.scores, search.present_scores(), strict=True)}


def _key(key: Any) -> dict[str, Any]:
    """A key of the space."""
    given = key.given
    if isinstance(given, RangeParams):
        return {"key": key.name, "low": given.low, "high": given.high, "log": given.log, "when": given.when}
    return {"key": key.name, "choices": list(given.choices), "when": given.when}


def _trial(search: Search, number: int) -> dict[str, Any]:
    """One trial."""
    trial = search.trials[number]
    gain = search.gains().get(number)
    return {
        "number": number,
        "state": "stopped" if trial.state == "running" else trial.state,
        "reason": trial.reason,
        "values": trial.values,
        **_gain(gain),
        "cost": search.costs.get(number) if gain and search.material.design.cost else None,
        "replicates": sum(c == number for _, c in search.scores[0].found) * search.rungs[0].replicates,
    }


def _gain(gain: Gain | None) -> dict[str, Any]:
    """A gain with its 95 % interval; None where nothing was scored."""
    if gain is None:
        return {"splits": 0, "gain": None, "error": None, "low": None, "high": None}
    low, high = gain.mean - gain.half, gain.mean + gain.half
    return {"splits": gain.splits, "gain": gain.mean, "error": gain.error, "low": low, "high": high}


def _winner(search: Search, number: int, gain: Gain) -> dict[str, Any]:
    """The trial that the search would choose."""
    trial = search.trials[number]
    changed = changes(search.material.present, trial.params)
    return {
        "number": number,
        "values": trial.values,
        "changes": changed,
        **_gain(gain),
        "cost": search.costs[number],
    }


def changes(present: Params, tuned: Params) -> list[dict[str, Any]]:
    """Keys whose values differ, before and after; a block or a family is "in" or "out"."""
    was, now = _leaves(explicit(present)), _leaves(explicit(tuned))
    out = {
        key for key in {**was, **now} if (key in was) != (key in now) and IN in (was.get(key), now.get(key))
    }
    rows = []
    for key in {**was, **now}:
        # what an item that is out had needs no line of its own
        if was.get(key) == now.get(key) or any(key.startswith(f"{item}.") for item in out):
            continue
        missing = OUT if key in out else None
        rows.append({"key": key, "present": was.get(key, missing), "tuned": now.get(key, missing)})
    left = {key.removeprefix(BLOCKS) for key in out if key.startswith(BLOCKS)}
    return [row for row in rows if not _follows(row, left)]


def _leaves(params: Params) -> dict[str, Any]:
    """Dotted keys and values; an item of a list is called by its name, as in a space."""
    return dict(_flat("", params.model_dump(mode="json")))


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values below a key."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _flat(f"{name}.{key}" if name else key, one)
    elif value and isinstance(value, list) and all(isinstance(one, dict) for one in value):
        for one in value:
            yield f"{name}.{called(one)}", IN
            yield from _flat(f"{name}.{called(one)}", one)
    else:
        yield name, value


def _follows(row: dict[str, Any], blocks: set[str]) -> bool:
    """Whether a family's list of blocks differs by no more than blocks that are in or out everywhere."""
    if not (row["key"].startswith("families.") and row["key"].endswith(".blocks")):
        return False
    return set(row["present"]) ^ set(row["tuned"]) <= blocks
