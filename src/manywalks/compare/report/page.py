"""reports/compare.html: a comparison on one page that needs no other file."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks.compare.report.figures import budget_bars, figures
from manywalks.compare.report.undecided import short_verdict, undecided
from manywalks.compare.report.words import (
    COSTS,
    against,
    costs,
    design_sentence,
    few_for_shares,
    few_splits,
    first_lines,
    label_of,
    letter_of,
    method,
    metric_name,
    share_interval,
    stopped_sentence,
)
from manywalks.formatting import number, with_error
from manywalks.report.html import Link, script, template_text, unescaped


def page(found: dict[str, Any], written: str = "", links: Sequence[Link] = ()) -> str:
    """The whole page as HTML, of what compare.json (or compare-variance.json) holds; `written` is a date."""
    if "variance" in found:
        warning = few_for_shares(found["design"])
        endpoints = [
            {"warning": warning, **_budget_part(name, one)} for name, one in found["variance"].items()
        ]
        configurations: list[dict[str, Any]] = []
    else:
        configurations = found["configurations"]
        endpoints = [_part(name, one, found) for name, one in found["endpoints"].items()]
    keys = list(configurations[0]["differs"]) if configurations else []
    context = {
        "title": "Where the variance comes from" if "variance" in found else "Comparison of configurations",
        "style": Markup(template_text("report.css") + template_text("study.css")),
        "script": Markup(script("charts.js")),
        "written": written,
        "links": links,
        "design_sentence": design_sentence(found["design"]),
        "endpoints": endpoints,
        "keys": keys,
        "differs": [
            {
                "letter": letter_of(place),
                "name": one["name"],
                "present": one["present"],
                "cells": [shown_setting(one["differs"][key]) for key in keys],
            }
            for place, one in enumerate(configurations)
        ],
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(template_text("compare.html.j2")).render(context)


def shown_setting(value: Any) -> Any:
    """A setting as a cell; families and blocks by their names."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return value
    named = [str(one.get("name") or one["kind"]) for one in value]
    seen = [f"{name} ({', '.join(one['blocks'])})" if "blocks" in one else name for name, one in
            zip(named, value, strict=True)]  # fmt: skip
    return "; ".join(seen) or "none"


def _part(name: str, endpoint: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """One endpoint of the page."""
    configurations = found["configurations"]
    labels = label_of(endpoint)
    still_open = [pair for pair in endpoint["pairs"] if pair["verdict"] == "undecided"]
    return {
        "name": name,
        "unit": endpoint["endpoint_unit"],
        "budget": None,
        "metric": metric_name(endpoint),
        "sentences": first_lines(endpoint),
        "warning": few_splits(endpoint, found["design"]),
        "scores": [
            {"letter": labels[row["name"]], **_score_row(row, one)}
            for row, one in zip(endpoint["scores"], configurations, strict=True)
        ],
        "costs": [{"letter": labels[row[0]], "cells": row} for row in costs(endpoint, configurations)],
        "cost_heads": COSTS,
        "figures": [unescaped(figure) for figure in figures(endpoint, configurations)],
        "matrix": [
            {"letter": letter, "name": one, "cells": [_cell(endpoint, one, other) for other in labels]}
            for one, letter in labels.items()
        ],
        "pairs": [_pair_row(pair, labels) for pair in endpoint["pairs"]],
        "undecided": undecided(still_open, found["design"], endpoint["confidence"]) if still_open else "",
        "assumptions": _assumptions(endpoint),
    }


def _score_row(row: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """One configuration's row."""
    single = row["single"]
    return {
        "name": row["name"],
        "present": one["present"],
        "single": f"{single['mean']:.4f} ± {single['sd_replicates']:.4f}",
        "ensemble": f"{row['ensemble']:.4f}",
        "infinite": with_error(row["infinite"], row["infinite_error"]),
        "spread": number(row["spread_rms"], 3),
        "needed": "–" if row["replicates_needed"] is None else str(row["replicates_needed"]),
        "parameters": f"{one['parameters']:,}",
        "stopped": stopped_sentence(one) if one["stopped"] else "",
        "splits": row["splits"],
    }


def _cell(endpoint: dict[str, Any], one: str, other: str) -> dict[str, str]:
    """One cell of the matrix of pairs."""
    if one == other:
        return {"text": "", "word": "", "title": one}
    middle, low, high, word = against(endpoint, one, other)
    return {
        "text": f"{middle:+.4f}".replace("-", "−"),
        "word": word,
        "title": f"{one} − {other}: {low:+.4f} to {high:+.4f}",
    }


def _pair_row(pair: dict[str, Any], labels: dict[str, str]) -> dict[str, str]:
    """One pair's row; the configurations are letters."""
    # estimates of two shares of one variance, each with an error of its own
    luck = [pair["luck"][source] for source in ("replicates", "split")]
    replicates, split = (100 * share / max(1.0, sum(luck)) for share in luck)
    return {
        "name": f"{labels[pair['one']]} − {labels[pair['other']]}",
        "title": f"{pair['one']} − {pair['other']}",
        "difference": f"{pair['difference']:+.4f}".replace("-", "−"),
        "interval": f"{pair['low']:+.4f} to {pair['high']:+.4f}".replace("-", "−"),
        "p": f"{pair['p']:.2g}",
        "single": _chance(pair["single_replicates"]),
        "ensemble": _chance(pair["ensembles"]),
        "replicates": f"{replicates:.0f} %",
        "split": f"{split:.0f} %",
        "verdict": short_verdict(pair, labels),
    }


def _chance(found: dict[str, Any]) -> str:
    """P(A > B) with its interval; a star where it means something."""
    star = " *" if found["meaningful"] else ""
    return f"{found['chance']:.2f} ({found['low']:.2f} to {found['high']:.2f}){star}"


def _assumptions(endpoint: dict[str, Any]) -> str:
    """What was checked."""
    checked = endpoint["assumptions"]

    def p(value: float | None) -> str:
        return "cannot be tested" if value is None else f"p = {value:.2g}"

    return (
        f"The intervals hold for all pairs of an endpoint at once, {100 * endpoint['confidence']:g} % sure "
        f"({method(endpoint)}); they allow for the molecules that splits share. Checked: differences of "
        f"equal variance (Mauchly) {p(checked['sphericity_p'])}; normal residuals (Shapiro and Wilk) "
        f"{p(checked['normality_p'])}; any difference at all (Friedman) {p(checked['friedman_p'])}. * The "
        "first wins at least three times in four."
    )


def _budget_part(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """One endpoint of the variance budget."""
    rows = [
        {
            "name": source,
            "share": f"{100 * part['value']:.0f} %",
            "interval": share_interval(part),
            "alone": f"{found['alone'][source]['value']:.4f}" if source in found["alone"] else "",
        }
        for source, part in found["parts"].items()
    ]
    numerics = f"{found['alone']['numerics']['value']:.4f}"
    rows.append({"name": "numerics", "share": "", "interval": "", "alone": numerics})
    return {"name": name, "unit": found["unit"], "budget": unescaped(budget_bars(found)), "rows": rows}
