"""A search in words, for the terminal and for its page."""

import math
from pathlib import Path
from typing import Any

from manywalks.compare.report.words import split_words
from manywalks.formatting import count, duration, number
from manywalks.tune.design import time_text
from manywalks.tune.search import Search
from manywalks.tune.space.written import HEAD, NAME

# how trials end that are not trained on every split, by what tune.json calls that
ENDS = {"beaten": "ended early", "failed": "failed"}


def shown(found: dict[str, Any], value: float) -> str:
    """A gain with its sign, in the metric's unit; of several endpoints in percent."""
    metric = found["metric"]
    if metric["joint"]:
        return f"{100 * value:+.1f} %".replace("-", "−")
    return f"{value:+.{_decimals(found)}f}".replace("-", "−")


def _decimals(found: dict[str, Any]) -> int:
    """So many decimals that the surest gain has two figures of its interval."""
    halves = [(one["high"] - one["low"]) / 2 for one in found["trials"] if one["gain"] is not None]
    least = min((half for half in halves if half > 0), default=0.01)
    return min(6, max(0, 1 - math.floor(math.log10(least))))


def early(found: dict[str, Any]) -> str:
    """Why trials ended early, beside intervals that may contain 0."""
    which = "another one that costs no more" if found["cost"] else "the best trial"
    return f"ended early: surely worse than {which}, though perhaps not than the present settings"


def chosen(found: dict[str, Any]) -> str:
    """What the trial that is judged is called."""
    return "judged" if found["cost"] else "best"


def unit(found: dict[str, Any]) -> str:
    """The metric's unit behind a number."""
    return f" {found['metric']['unit']}" if found["metric"]["unit"] else ""


def interval(found: dict[str, Any], part: dict[str, Any]) -> str:
    """Both ends of an interval."""
    return f"{shown(found, part['low'])} to {shown(found, part['high'])}"


def sentences(found: dict[str, Any]) -> list[str]:
    """The verdict, what it rests on, how the search ended, and what there is of an earlier one."""
    tried = found["design"]["trials"]
    if found["verdict"] is not None:
        said = [headline(found), *not_excluded(found), *costs(found), rests_on(found), optimism(found)]
    else:
        said = [f"Nothing better found: none of {count(tried, 'trial')} beat the present settings."]
    return [*said, *_ended_early(found), *_unjudged(found["design"]), *_earlier(found)]


def _earlier(found: dict[str, Any]) -> list[str]:
    """What becomes of a params.tuned.yaml that was there before."""
    if found["earlier"] is None:
        return []
    which = f"an earlier result ({found['earlier']})" if found["earlier"] else "an earlier result"
    if found["written"]:
        return [f"The new {found['written']} replaces {which}."]
    return [f"The {NAME} in the workspace is {which}. This search has not changed it."]


def head(found: dict[str, Any], written: str) -> str:
    """The first line of params.tuned.yaml: which search found it, when, its gain, and what comes next."""
    number = Path(found["design"]["journal"]).parent.name.removeprefix("search-")
    gain = f"{shown(found, found['verdict']['gain'])}{unit(found)}"
    which = [f"search {number}", f"trial {found['winner']['number']}", written, f"gain {gain}"]
    return f"{HEAD} ({', '.join(part for part in which if part)}). Next: {found['train']}"


def _ended_early(found: dict[str, Any]) -> list[str]:
    """Where the search ended because the rest of its time is the verdict's: that it did."""
    design = found["design"]
    ended, asked = design["trials"] - design["stopped"], design["asked"]
    if design["limit"] is None or ended >= asked:
        return []
    if not design["began"]:
        return [
            f"No trial began: --time {time_text(design['limit'])} is too short. Give more, and --continue."
        ]
    rest = "was kept for the verdict" if found["verdict"] else "could not hold another trial and its verdict"
    return [
        f"The search ended after {ended} of {count(asked, 'trial')}: the rest of --time "
        f"{time_text(design['limit'])} {rest}."
    ]


def _unjudged(design: dict[str, Any]) -> list[str]:
    """Trials that were further ahead, and too slow to be judged in the time."""
    if not design["unjudged"]:
        return []
    which, one = " and ".join(map(str, design["unjudged"])), len(design["unjudged"]) == 1
    trials, verdict = (f"Trial {which}", "its verdict") if one else (f"Trials {which}", "their verdicts")
    return [
        f"{trials} looked better still, but {verdict} would have ended after --time "
        f"{time_text(design['limit'])}. Give more time and --continue."
    ]


def headline(found: dict[str, Any]) -> str:
    """The verdict in one sentence."""
    verdict, name = found["verdict"], found["metric"]["name"]
    sure = f"{100 * verdict['confidence']:g} % interval {interval(found, verdict)}"
    gained = f"{shown(found, verdict['gain'])}{unit(found)} ({sure}; positive is better)"
    limit = f"{shown(found, verdict['threshold']).lstrip('+')}{unit(found)}"
    if verdict["word"] == "better":
        return f"Better: trial {found['winner']['number']} improves {name} by {gained.lstrip('+')}."
    if verdict["word"] == "cheaper":
        return (
            f"As good and cheaper: {name} changes by {gained}, surely no more than {limit} for the worse. "
            f"Trial {found['winner']['number']} is taken."
        )
    if verdict["word"] == "equivalent":
        return f"Equivalent: {name} changes by {gained}; less than {limit} does not matter. Keep params.yaml."
    if verdict["word"] == "worse":
        return f"Worse: {name} changes by {gained}. Keep params.yaml."
    if verdict["worse_at"]:
        worse = ", ".join(verdict["worse_at"])
        return f"No winner: better over all endpoints, but worse at {worse}. Keep params.yaml."
    if verdict["low"] > 0:
        return (
            f"A gain, but perhaps too small to matter: {name} improves by {gained.lstrip('+')}; it matters "
            f"from {limit} on. Keep params.yaml."
        )
    return f"No better than luck: {name} changes by {gained}. Keep params.yaml."


def not_excluded(found: dict[str, Any]) -> list[str]:
    """Where the verdict is open although the gain may be as large as the search promised: why it is."""
    verdict, promised = found["verdict"], found["optimism"]["promised"]
    is_open = verdict["word"] == "undecided" and verdict["low"] <= 0 < promised <= verdict["high"]
    if not is_open or promised < verdict["threshold"]:
        return []
    may = f"The gain may still be as large as the search promised ({shown(found, promised)}{unit(found)}): "
    parts, few = verdict["parts"], verdict["replicates"]
    if parts["replicates"] > parts["molecules"] + parts["training"]:
        return [
            f"{may}{few} replicates on each fold are too few to tell. Try --continue --replicates {4 * few}."
        ]
    return [f"{may}{count(verdict['molecules'], 'molecule')} are too few to tell."]


def costs(found: dict[str, Any]) -> list[str]:
    """What both settings cost, where that was asked for."""
    own = found["verdict"]["costs"]
    if own is None:
        return []
    tuned, present = cost_text(found, own["tuned"]), cost_text(found, own["present"])
    return [
        f"Cost, {found['cost']['name']}: {tuned} instead of {present}. The trial that was judged is the "
        "cheapest one that is not surely worse than the best."
    ]


def cost_text(found: dict[str, Any], cost: float | None) -> str:
    """What a replicate costs."""
    if cost is None:
        return "–"
    return f"{cost:,.0f}" if found["cost"]["key"] == "parameters" else number(cost, 2)


def rests_on(found: dict[str, Any]) -> str:
    """What the verdict was measured on."""
    verdict = found["verdict"]
    return (
        f"Measured on {count(verdict['molecules'], 'molecule')} that no trial has seen, in "
        f"{verdict['folds']} fresh folds with {verdict['replicates']} replicates of both settings on each. "
        "The predictions of all folds are scored together."
    )


def optimism(found: dict[str, Any]) -> str:
    """The gain as the search saw it, beside that on fresh molecules."""
    part = found["optimism"]
    said = f"On the search's own folds the gain looked like {shown(found, part['promised'])}"
    if found["verdict"]["word"] not in ("better", "cheaper"):
        return f"{said}."
    return f"{said}; expect the figure on fresh molecules, {shown(found, part['fresh'])}{unit(found)}."


def value_text(value: Any) -> str:
    """A value of params.yaml in a table."""
    if isinstance(value, list):
        if value and all(isinstance(one, dict) for one in value):
            return ", ".join(str(one.get("name") or one.get("kind")) for one in value)
        return " × ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "–"
    return number(value, 3) if isinstance(value, float) else str(value)


def design_sentence(found: dict[str, Any]) -> str:
    """How the search was made."""
    design = found["design"]
    steps = ", then ".join(str(rung["splits"]) for rung in design["rungs"])
    made = count(design["replicates"], "replicate")
    if design["kept"] == design["replicates"]:
        made += ", all kept from earlier runs"
    else:
        kept = f" ({design['kept']:,} kept from earlier runs)" if design["kept"] else ""
        made += f"{kept} in {duration(design['seconds'])}"
    tried, asked = design["trials"], design["asked"]
    trials = count(tried, "trial") + ("" if tried == asked else f" of {asked}")
    if ends := ", ".join(f"{design[key]} {said}" for key, said in ENDS.items() if design[key]):
        trials += f" ({ends})"
    return (
        f"{trials}; {made}. Trials are scored on {steps} splits of "
        f"{count(design['molecules'], 'molecule')} ({split_words(design['method'])}), with the luck of "
        "training averaged out."
    )


def gain_text(found: dict[str, Any], trial: dict[str, Any]) -> str:
    """A trial's gain with its 95 % interval; a dash where nothing was scored."""
    if trial["gain"] is None:
        return "–"
    return f"{shown(found, trial['gain'])} ({interval(found, trial)})"


def standing(search: Search) -> str:
    """What an interruption keeps."""
    asked = search.material.design.trials
    return f"{search.ended()} of {asked} trials kept; run again with --continue to go on"


def progress(search: Search) -> tuple[float, float, str]:
    """Share done, of 1, and the best score so far."""
    asked, ended, clock, best = search.material.design.trials, search.ended(), search.clock, search.best()
    done = ended / asked
    if clock.limit is not None:
        done = max(done, clock.gone / clock.limit)
    note = f"{ended}/{asked} trials"
    if best is not None and len(search.scores) == 1:
        score = search.present_scores()[0] + search.scores[0].terms.sign * best[1].mean
        note += f", best {score:.3f}"
    elif best is not None:
        note += f", best {100 * best[1].mean:+.1f} %"
    return min(done, 1.0), 1.0, note


def metric_text(found: dict[str, Any]) -> str:
    """The metric with its unit."""
    return found["metric"]["name"] + (f" ({found['metric']['unit']})" if found["metric"]["unit"] else "")
