"""reports/card.md: what the model is for, and what it is not for.

In the form of Mitchell et al. (Model Cards for Model Reporting, 2019), each section naming the OECD
principle for the validation of (Q)SAR models that it answers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined

from manywalks.ensemble.manifest import data_sentence
from manywalks.evaluate.registry import HIGHER_IS_BETTER, IN_UNITS, SCORE_NAMES
from manywalks.evaluate.statement.sentences import accuracy_sentences, cautions, noise_basis
from manywalks.formatting import count, short
from manywalks.params.sections.model import GRAPH_NETWORKS, TrainParams
from manywalks.report.endpoint import answers_of, fitted_on
from manywalks.report.html import template_text
from manywalks.report.markdown import plain, table
from manywalks.report.page import ReportInputs

SPLITS = {
    "random": "drawn at random",
    "stratified": "drawn at random, spread evenly over the values",
    "scaffold": "by Bemis-Murcko scaffold: no scaffold is in two subsets",
    "cluster": "by cluster of similar molecules: no cluster is in two subsets",
    "time": "by time: the test subset was measured last",
    "group": "by group: no group is in two subsets",
    "column": "as the table says; a valid subset that it does not name was drawn at random from the rest",
}
# Mitchell's form asks for these, which no run can know
ASKED = ("owner", "contact", "licence", "date")


def model_card(found: ReportInputs) -> str:
    """The whole card as Markdown; words of the data are never markup."""
    params = found.about["params"]
    context = {
        "title": found.title,
        "verdicts": [
            " ".join([accuracy_sentences(metrics, name), *cautions(metrics)])
            for name, metrics in found.metrics.items()
        ],
        "details": _details(found),
        "names": ", ".join(found.metrics),
        "kinds": {metrics["kind"] for metrics in found.metrics.values()},
        "threshold": params["evaluate"]["threshold"],
        "endpoints": _endpoints(found),
        "blocks": ", ".join(block["kind"] for block in params["featurize"]["blocks"]),
        "network": _networks(params, found.about.get("family_weights", {})),
        "training": _training(found),
        "representations": [_representation(one) for one in found.about.get("representations", [])],
        "offsets": _offsets(found.about.get("transform", [])),
        "about": found.about,
        "domain": found.domain,
        "inside": _share_inside(found.predictions),
        "by_domain": _domain(found),
        "fits": [_fit(found, name) for name in found.metrics],
        "series": any((one.get("by_series") or {}).get("worst") for one in found.statements.values()),
        "data": found.data,
        "split": found.split,
        "drawn": SPLITS[params["split"]["method"]].removeprefix("drawn "),
        "reasons": _reasons(found.data["reasons"]),
        "unmet": ", ".join(name for name, one in found.statements.items() if not one["met"]),
    }
    # no HTML: names are escaped for Markdown, by the filter `plain` of the template
    environment = Environment(
        autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"plain": plain, "short": short, "count": count}
    return environment.from_string(template_text("card.md.j2")).render(context) + "\n"


def _details(found: ReportInputs) -> str:
    """What the model is, from which data, whose it is."""
    about = found.about
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    rows = [
        ("model", f"ensemble of {about['replicates']} replicates, each {_kind(about['params'])}"),
        ("endpoints", plain(", ".join(found.metrics))),
        ("data", plain(data_sentence(about["data"]))),
        ("trained with", plain(versions)),
        ("sha256 of model.keras", f"`{about['files'].get('model.keras', '')}`"),
        *((key, plain(found.said.get(key) or f"not given (params.yaml: report.{key})")) for key in ASKED),
    ]
    return table(("", ""), rows)


def _endpoints(found: ReportInputs) -> str:
    """What is predicted of each endpoint, and how far its measurements scatter."""
    rows, endpoints = [], found.about["params"]["data"]["endpoints"]
    for name, card in found.data["endpoints"].items():
        noise = card["repeats"]["noise_sd"]
        what = (
            " or ".join(answers_of(endpoints[name])[::-1])
            if card["kind"] == "classification"
            else f"a number in {card['unit'] or '(no unit)'}"
        )
        basis = noise_basis(card["repeats"]["noise_freedom"]).removeprefix(", ")
        scatter = f"{short(noise, 2)} ({basis})" if noise else "not known"
        rows.append((plain(name), plain(what), str(card["molecules"]), scatter))
    columns = ("endpoint", "predicted", "molecules measured", "scatter of repeated measurements (SD)")
    return table(columns, rows)


def _kind(params: Mapping[str, Any]) -> str:
    """What one replicate is."""
    families = params.get("families") or ()
    if not families:
        return "one Keras network"
    return f"the weighted mean of {len(families)} Keras networks on different features"


def _networks(params: Mapping[str, Any], fitted: Mapping[str, Any]) -> str:
    """The network in words, or each family's with what it sees; `fitted` are weights by endpoint."""
    families = params.get("families") or ()
    if not families:
        return _network(params["network"])
    return "; ".join(
        f"family {family['name']} ({_weight(family, fitted)}): "
        f"{_network({**params['network'], **family['network']})}, on {', '.join(family['blocks'])}"
        for family in families
    )


def _weight(family: Mapping[str, Any], fitted: Mapping[str, Any]) -> str:
    """A family's weight in words: as given, or fitted for each endpoint."""
    if not fitted:
        return f"weight {family['weight']:g}"
    each = ", ".join(f"{plain(name)} {one['weights'][family['name']]:.2f}" for name, one in fitted.items())
    return f"fitted weight {each}"


def _network(network: Mapping[str, Any]) -> str:
    """The network in words."""
    dense = (
        f"dense layers of {', '.join(map(str, network['widths']))} units, {network['activation']}, "
        f"dropout {network['dropout']:g}, normalization {network['normalization']}"
    )
    if network["builder"] in GRAPH_NETWORKS:
        return (
            f"{network['builder']} network on the molecular graph, {network['layers']} layers of "
            f"{network['units']} units; behind its readout {dense}"
        )
    return f"the user's builder {network['builder']}" if network["builder"] else dense


def _representation(one: Mapping[str, Any]) -> str:
    """A foreign feature block: which it is, and what it was trained on."""
    which = f" ({one['version']})" if one["version"] else ""
    return f"Representation {one['name']}{which}, sha256 {one['sha256'][:12]}: {one['said']}."


def _offsets(transform: Any) -> list[str]:
    """Endpoints whose zeros have a logarithm by an offset, and what was clipped; each family's, once."""
    steps = transform if isinstance(transform, list) else [one for each in transform.values() for one in each]
    said = []
    for step in steps:
        if step.get("clip"):
            held = f"; train values beyond {step['clip']:g} SD are clipped there ({step['clipped']} of them)"
            said.append(
                f"{step['endpoint']} is trained as log10(value + {short(step['offset'], 3)}), the offset "
                f"that leaves the train values most symmetric{held if step['clipped'] else ''}."
            )
    return list(dict.fromkeys(said))


def _training(found: ReportInputs) -> str:
    """How a replicate is trained, in words."""
    train = TrainParams.model_validate(found.about["params"]["train"])
    classes_alone = all(card["kind"] == "classification" for card in found.data["endpoints"].values())
    risen = f", reached after {100 * train.warmup:g} % of the steps" if train.warmup else ""
    return (
        f"{train.optimizer}, learning rate {train.learning_rate:g} ({train.schedule}{risen}), "
        f"{train.most_epochs(classes_alone=classes_alone)} epochs at most, batches of {train.batch_size}"
    )


def _share_inside(predictions: pd.DataFrame) -> float:
    """Share of the test molecules that are inside the domain."""
    test = predictions.loc[predictions["subset"] == "test"].drop_duplicates(subset=["row"])
    return float(np.mean(test["in_domain"].to_numpy(dtype=bool)))


def _domain(found: ReportInputs) -> str:
    """Errors inside and outside the domain as a table; empty where there are molecules of one kind alone."""
    rows = [row for name in found.metrics if (row := _by_domain(found, name))]
    columns = ("endpoint", "root mean square error inside", "outside", "molecules outside")
    return table(columns, rows) if rows else ""


def _by_domain(found: ReportInputs, name: str) -> tuple[str, ...] | None:
    """Error inside and outside the domain, where there are molecules of both."""
    own = found.predictions
    own = own.loc[(own["endpoint"] == name) & (own["subset"] == "test") & (own["relation"] == "=")]
    inside = own["in_domain"].to_numpy(dtype=bool)
    if not inside.any() or inside.all():
        return None
    error = (own["predicted"] - own["observed"]).to_numpy(dtype=float)
    near, far = (float(np.sqrt(np.mean(error[part] ** 2))) for part in (inside, ~inside))
    return plain(name), short(near), short(far), str(int((~inside).sum()))


def _fit(found: ReportInputs, name: str) -> dict[str, Any]:
    """One endpoint's scores, statement and calibration."""
    metrics = found.metrics[name]
    unit = f" ({metrics['unit']})" if metrics["unit"] and metrics["kind"] == "regression" else ""
    rows = [_score_row(metrics, metric, unit) for metric in metrics["ensemble"]]
    columns = ("score", "ensemble", "single replicates: mean ± SD", "worst to best", "ensemble on train")
    return {
        "name": name,
        "test": metrics["n_test"],
        "train": metrics["train"]["molecules"],
        "scores": table(columns, rows),
        "statement": found.statements[name],
        "calibration": _calibration(metrics["calibration"]),
    }


def _score_row(metrics: Mapping[str, Any], metric: str, unit: str) -> tuple[str, ...]:
    replicates = metrics["replicates"][metric]
    worst, best = (
        (replicates["min"], replicates["max"])
        if metric in HIGHER_IS_BETTER
        else (replicates["max"], replicates["min"])
    )
    label = SCORE_NAMES[metric] + (unit if metric in IN_UNITS else "")
    return (
        plain(label),
        short(metrics["ensemble"][metric]),
        f"{short(replicates['mean'])} ± {short(replicates['sd'], 2)}",
        f"{short(worst)} to {short(best)}",
        short(metrics["train"][metric]),
    )


def _calibration(about: Mapping[str, Any]) -> str:
    """How the uncertainties did on the test subset."""
    notes = "".join(f" {note[:1].upper()}{note[1:]}." for note in about["notes"])
    if "intervals" in about:
        held = ", ".join(
            f"{100 * i['covered']:.0f} % in intervals of {100 * i['stated']:g} %" for i in about["intervals"]
        )
        fitted = f"fitted on {fitted_on(about)}"
        return f"{fitted}; of the test molecules, {held}.{notes}"
    if "ece" in about:
        return (
            f"{about['method']}, fitted on {fitted_on(about)}; expected "
            f"calibration error {short(about['ece'])}, Brier {short(about['brier'])}.{notes}"
        )
    return f"not checked: no test molecule was measured.{notes}"


def _reasons(reasons: Mapping[str, Any]) -> str:
    """Why records were rejected, as a table; empty where none was."""
    rows = [(plain(code), str(one["count"]), plain(one["sentence"])) for code, one in reasons.items()]
    return table(("rejected because", "records", "meaning"), rows) if rows else ""
