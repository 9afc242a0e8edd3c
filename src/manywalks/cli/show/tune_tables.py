"""What tune shows on the terminal: the verdict, what changes, the best trials."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from manywalks.cli.show.tables import plain_table
from manywalks.formatting import count
from manywalks.tune.report.words import (
    ENDS,
    chosen,
    cost_text,
    design_sentence,
    early,
    gain_text,
    sentences,
    value_text,
)

COLOURS = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "yellow", "cheaper": "green"}
# trials that the table shows; the page has all
MOST = 8
FRONT = "front"


def tables(found: dict[str, Any]) -> Group:
    """The best trials, what the winner changes, and the verdict last, where the eye ends."""
    first, *rest = sentences(found)
    word = found["verdict"]["word"] if found["verdict"] else "undecided"
    parts: list[Any] = [best_trials(found), Text()]
    if found["winner"]:
        parts += [changes(found), Text()]
    parts += [Text(first, style=f"bold {COLOURS[word]}"), *(Text(line) for line in rest)]
    return Group(*parts, Text(design_sentence(found), style="dim"), Text())


def best_trials(found: dict[str, Any]) -> Group:
    """The trials with the most splits and the largest gains."""
    known = [one for one in found["trials"] if one["gain"] is not None]
    known.sort(key=lambda one: (-one["splits"], -one["gain"]))
    cost, front = found["cost"], set(found["cost"]["front"]) if found["cost"] else set()
    if cost:  # those that no other beats in both come first, the cheapest first
        known.sort(key=lambda one: (one["number"] not in front, one["cost"] if one["number"] in front else 0))
    rows = [
        [
            str(one["number"]), str(one["splits"]), gain_text(found, one),
            *([cost_text(found, one["cost"])] if cost else []),
            _remark(found, one),
        ]
        for one in known[:MOST]
    ]  # fmt: skip
    if cost:
        rows.append(["present", "", "0", cost_text(found, cost["present"]), FRONT if 0 in front else ""])
    metric = found["metric"]
    unit = f" ({metric['unit']})" if metric["unit"] else ""
    table = plain_table(
        ["trial", "splits", f"gain in {metric['name']}{unit}", *([cost["name"]] if cost else []), ""], rows
    )
    notes = ["gain: over the present settings, with a 95 % interval; positive is better"]
    if cost:
        notes.append(f"{FRONT}: no other one is both better and cheaper")
    if any(one["state"] == "beaten" for one in known[:MOST]):
        notes.append(early(found))
    if len(known) > MOST:
        notes.append(f"{count(len(known) - MOST, 'more trial')} on the page")
    return Group(table, *(Text(note, style="dim") for note in notes))


def _remark(found: dict[str, Any], trial: dict[str, Any]) -> str:
    """What became of a trial, if it was not simply trained to the end."""
    said = []
    if found["cost"] and trial["number"] in found["cost"]["front"]:
        said.append(FRONT)
    if found["winner"] and found["winner"]["number"] == trial["number"]:
        said.append(chosen(found))
    if not said:
        return ENDS.get(trial["state"], "stopped" if trial["state"] == "stopped" else "")
    return ", ".join(said)


def changes(found: dict[str, Any]) -> Table:
    """Keys of params.yaml that the winner changes."""
    rows = [
        [one["key"], value_text(one["present"]), value_text(one["tuned"])]
        for one in found["winner"]["changes"]
    ]
    return plain_table([f"trial {found['winner']['number']} changes", "present", "tuned"], rows)
