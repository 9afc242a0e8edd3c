"""reports/tune.html: a search on one page that stands alone."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks.formatting import short, with_error
from manywalks.report.html import Link, script, template_text, unescaped
from manywalks.tune.report.figures import figures
from manywalks.tune.report.words import (
    chosen,
    cost_text,
    design_sentence,
    early,
    gain_text,
    interval,
    metric_text,
    sentences,
    shown,
    unit,
    value_text,
)

LOOKS = {"better": "good", "equivalent": "fair", "undecided": "fair", "worse": "bad", "cheaper": "good"}
CHIPS = {
    "better": "better",
    "equivalent": "equivalent",
    "undecided": "no better than luck",
    "worse": "worse",
    "cheaper": "as good, cheaper",
}


def page(found: dict[str, Any], written: str = "", links: Sequence[Link] = ()) -> str:
    """The whole page as HTML, of what tune.json holds; `written` is a date."""
    winner, verdict = found["winner"], found["verdict"]
    keys = [key["key"] for key in found["space"]]
    context = {
        "style": Markup(template_text("report.css") + template_text("study.css")),
        "script": Markup(script("charts.js")),
        "written": written,
        "links": links,
        "design_sentence": design_sentence(found),
        "sentences": sentences(found),
        "promise": _promise(found),
        "file": found["written"],
        "train": found["train"],
        "changer": winner["number"] if winner else 0,
        "changes": [
            {"key": one["key"], "present": value_text(one["present"]), "tuned": value_text(one["tuned"])}
            for one in (winner["changes"] if winner else [])
        ],
        "metric": metric_text(found),
        "rests": _rests(found) if verdict else [],
        "endpoints": _endpoints(verdict) if verdict else [],
        "figures": [unescaped(figure) for figure in figures(found)],
        "cost": found["cost"]["name"] if found["cost"] else "",
        "keys": keys,
        "early": f"E{early(found)[1:]}." if found["design"]["beaten"] else "",
        "chosen": chosen(found),
        "trials": [_row(found, one, keys) for one in found["trials"]],
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(template_text("tune.html.j2")).render(context)


def _promise(found: dict[str, Any]) -> dict[str, str]:
    """The verdict as a figure with its chip."""
    verdict = found["verdict"]
    if verdict is None:
        return {"figure": "0", "unit": "", "chip": "nothing better found", "look": "fair", "interval": ""}
    return {
        "figure": shown(found, verdict["gain"]),
        "unit": unit(found),
        "chip": CHIPS[verdict["word"]],
        "look": LOOKS[verdict["word"]],
        "interval": f"{100 * verdict['confidence']:g} % interval {interval(found, verdict)}",
    }


def _rests(found: dict[str, Any]) -> list[dict[str, str]]:
    """What the search promised beside what fresh folds gave."""
    design, verdict, promised = found["design"], found["verdict"], found["winner"]
    return [
        {
            "name": "promised by the search",
            "gain": gain_text(found, promised),
            "splits": f"{promised['splits']} splits of {design['molecules']} molecules",
            "sizes": f"{design['train']} / {design['test']}",
            "replicates": str(design["rungs"][-1]["replicates"]),
        },
        {
            "name": "on fresh folds",
            "gain": f"{shown(found, verdict['gain'])} ({interval(found, verdict)})",
            "splits": f"{verdict['folds']} folds of {verdict['molecules']} molecules that no trial has seen",
            "sizes": f"{verdict['train']} / {verdict['test']}",
            "replicates": str(verdict["replicates"]),
        },
    ]


def _endpoints(verdict: dict[str, Any]) -> list[dict[str, str]]:
    """Scores of both on the fresh folds, an endpoint a row."""
    rows = []
    for name, one in verdict["endpoints"].items():
        tuned, present = one["scores"]
        pair = one["pairs"][0]
        rows.append(
            {
                "name": name,
                "tuned": with_error(tuned["infinite"], tuned["infinite_error"]),
                "present": with_error(present["infinite"], present["infinite_error"]),
                "difference": f"{pair['difference']:+.4f}".replace("-", "−"),
                "interval": f"{pair['low']:+.4f} to {pair['high']:+.4f}".replace("-", "−"),
                "word": CHIPS[pair["verdict"]],
                "spread": f"{short(tuned['spread_rms'])} / {short(present['spread_rms'])}",
            }
        )
    return rows


def _row(found: dict[str, Any], one: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """One trial of the table."""
    is_winner = found["winner"] is not None and one["number"] == found["winner"]["number"]
    return {
        "number": one["number"],
        "state": one["state"],
        "reason": one["reason"],
        "winner": is_winner,
        "splits": one["splits"],
        "gain": gain_text(found, one),
        "cost": cost_text(found, one["cost"]) if found["cost"] else "",
        "cells": [value_text(one["values"][key]) if key in one["values"] else "" for key in keys],
    }
