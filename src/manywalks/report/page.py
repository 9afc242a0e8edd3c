"""reports/report.html: everything that a run found, on one page that needs no other file."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.evaluate.registry import HIGHER_IS_BETTER
from manywalks.evaluate.statement.sentences import (
    BEST,
    FEWEST_CHOSEN,
    accuracy_sentences,
    cautions,
    limits_sentence,
    noise_basis,
    verdict_words,
)
from manywalks.formatting import count, percent, short, told_apart, whole
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.report import drawing
from manywalks.report.charts.comparisons import by_distance
from manywalks.report.charts.figures import figures, needed
from manywalks.report.data_section import about_part, data_part, split_part
from manywalks.report.endpoint import View, answers_of, better_baseline
from manywalks.report.gallery import largest_errors, wanted, worst_retrained
from manywalks.report.html import script, template_text
from manywalks.report.molecules import chosen, store
from manywalks.report.series import series_section

# each is about 0.7 kB, and as much for its nearest training molecule
MOST_MOLECULES = 2000
VERDICT_CLASSES = {"useful": "good", "weak": "fair", "no better": "bad", "unknown": "fair"}


@dataclass(frozen=True)
class ReportInputs:
    """What the other stages left, as the report reads it.

    Attributes:
        title: of the page.
        metrics, statements: of metrics.json and statement.json, an entry an endpoint.
        predictions: of predictions.parquet.
        counts, replicates: of plots/replicates.json and plots/single_replicates.json.
        data, split: of data.json and split.json.
        about: the manifest of the ensemble.
        domain: thresholds of the domain: least similarity, largest share of descriptors outside.
        said: what the user says of the model in params.yaml: owner, contact, licence, date.
    """

    title: str
    metrics: dict[str, Any]
    statements: dict[str, Any]
    predictions: pd.DataFrame
    counts: pd.DataFrame
    replicates: pd.DataFrame
    data: dict[str, Any]
    split: dict[str, Any]
    about: dict[str, Any]
    domain: dict[str, float]
    said: dict[str, str | None] = field(default_factory=dict)


def page(found: ReportInputs, *, most: int = MOST_MOLECULES) -> str:
    """The whole page as HTML, with no more than about `most` molecules drawn for hovering."""
    views = views_of(found, most)
    held = store(views, found.predictions, most)
    context = {
        "title": found.title,
        "over": views[0].over,
        "style": Markup(template_text("report.css") + drawing.STYLE),
        "script": Markup(script("charts.js", "report.js", "molecules.js")),
        "held": {
            "molecules": len(held["molecules"]["id"]),
            "all": held["all"],
            "drawn": sum(map(bool, held["molecules"]["drawing"])),
        },
        "date": found.said.get("date"),
        "summary": [_summary(view) for view in views],
        "endpoints": [_section(view, found.predictions) for view in views],
        "data": data_part(found.data, found.about["params"]["data"]["endpoints"]),
        "split": split_part(found.split),
        "about": about_part(found.about),
        "cannot_draw": drawing.why_not(),
        "store": Markup(_json({**held, "frame": f"0 0 {drawing.WIDTH} {drawing.HEIGHT}"})),
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"short": short, "percent": percent, "whole": whole, "count": count, "tied": tied}
    environment.filters |= {"noise_basis": noise_basis}
    return environment.from_string(template_text("report.html.j2")).render(context)


def views_of(found: ReportInputs, most: int) -> list[View]:
    """Each endpoint's part, with the dots of about `most` molecules."""
    kept = sample(found.predictions, most)
    return [_view(found, name, place, kept) for place, name in enumerate(found.metrics)]


def sample(predictions: pd.DataFrame, most: int) -> set[int]:
    """Rows (of the curated table) of the test molecules that the page holds: all, or some at random."""
    return chosen(np.unique(predictions.loc[predictions["subset"] == "test", "row"].to_numpy()), most)


def _view(found: ReportInputs, name: str, place: int, kept: set[int]) -> View:
    """One endpoint's part of what was found."""
    own = found.predictions
    own = own.loc[(own["endpoint"] == name) & (own["subset"] == "test") & own["observed"].notna()]
    # runs of rows with the same mark: each path of a chart holds one run
    order = np.lexsort((own["row"], ~own["in_domain"].to_numpy(dtype=bool), own["relation"] != "="))
    rows = own.iloc[order].reset_index(drop=True)
    replicates = found.replicates.loc[found.replicates["endpoint"] == name, "score"].to_numpy(
        dtype=np.float64
    )
    return View(
        name=name,
        place=place,
        metrics=found.metrics[name],
        statement=found.statements[name],
        replicates=replicates[np.isfinite(replicates)],
        counts=found.counts.loc[found.counts["endpoint"] == name],
        calibration=Calibration.from_json(found.about["calibration"][name]),
        coverage=found.about["params"]["evaluate"]["coverage"],
        threshold=found.about["params"]["evaluate"]["threshold"],
        rows=rows,
        shown=rows.loc[rows["row"].isin(list(kept))],
        answers=answers_of(found.about["params"]["data"]["endpoints"][name]),
        wanted=EndpointParams.model_validate(found.about["params"]["data"]["endpoints"][name]),
    )


def _summary(view: View) -> dict[str, Any]:
    """The endpoint's row of the table at the top."""
    replicates = view.metrics["replicates"][view.main]
    low, high = replicates["min"], replicates["max"]
    worst, best = (low, high) if view.main in HIGHER_IS_BETTER else (high, low)
    return {
        "name": view.name,
        "place": view.place,
        "unit": view.metrics["unit"],
        "molecules": view.metrics["n_test"],
        "metric": view.score_label(view.main),
        "ensemble": view.metrics["ensemble"][view.main],
        "single": replicates,
        "worst": worst,
        "best": best,
        "verdict": verdict_words(view.metrics),
        "verdict_class": VERDICT_CLASSES[view.metrics["verdict"]["word"]],
        "baseline": None if (simple := better_baseline(view)) is None else simple.score,
        "limits": told_apart(view.statement["difference_bound"], view.statement["tolerance"]),
        "met": view.statement["met"],
    }


def _section(view: View, predictions: pd.DataFrame) -> dict[str, Any]:
    """Everything that the page says of one endpoint."""
    return {
        "name": view.name,
        "place": view.place,
        "unit": "" if view.is_class else view.metrics["unit"],
        "kind": view.metrics["kind"],
        "n_test": view.metrics["n_test"],
        "statement": view.statement,
        "limits": told_apart(view.statement["difference_bound"], view.statement["tolerance"]),
        "chosen": {
            share: one
            for share, one in view.statement["top_overlap"].items()
            if one["molecules"] >= FEWEST_CHOSEN
        },
        "best": BEST[view.statement.get("want", "high")],
        "main": view.score_label(view.main),
        "accuracy": _headless(view, accuracy_sentences(view.metrics, view.name)),
        "verdict": verdict_words(view.metrics),
        "verdict_class": VERDICT_CLASSES[view.metrics["verdict"]["word"]],
        "score": view.metrics["ensemble"][view.main],
        "cautions": cautions(view.metrics),
        "limited": _headless(view, limits_sentence(view.metrics, view.name)),
        "sentences": [
            _headless(view, one)
            for one in (
                view.statement["sentence"],
                view.statement["data_draws"]["sentence"],
                view.statement["single_replicate"],
            )
        ],
        "scores": [_score_row(view, metric) for metric in view.metrics["ensemble"]],
        "figures": [figure._replace(svg=Markup(figure.svg)) for figure in figures(view)],
        "needed": None if (chart := needed(view)) is None else chart._replace(svg=Markup(chart.svg)),
        "distance": None if (chart := by_distance(view)) is None else chart._replace(svg=Markup(chart.svg)),
        "series": series_section(view),
        "galleries": [
            found
            for found in (largest_errors(view), worst_retrained(view, predictions), wanted(view, predictions))
            if found
        ],
    }


def _headless(view: View, sentence: str) -> str:
    """A sentence of the statement without the endpoint's name in front, which is the heading here."""
    text = tied(sentence.removeprefix(f"{view.name}: "))
    return text[:1].upper() + text[1:]


def tied(text: str) -> str:
    """Words whose percent signs stay with their numbers where a line ends."""
    return text.replace(" %", "\u00a0%")


def _score_row(view: View, metric: str) -> dict[str, Any]:
    """A metric's row: the ensemble, single replicates, what two ensembles differ by."""
    replicates = view.metrics["replicates"][metric]
    low, high = replicates["min"], replicates["max"]
    worst, best = (low, high) if metric in HIGHER_IS_BETTER else (high, low)
    apart = view.statement["metric_difference"].get(metric)
    return {
        "label": view.score_label(metric),
        "ensemble": view.metrics["ensemble"][metric],
        "mean": replicates["mean"],
        "sd": replicates["sd"],
        "worst": worst,
        "best": best,
        "bound": None if apart is None else apart["bound"],
    }


def _json(content: Any) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
