"""reports/card.md: what the model is for, and what it is not for.

In the form of Mitchell et al. (Model Cards for Model Reporting, 2019), each section naming the OECD
principle for the validation of (Q)SAR models that it answers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from manywalks.ensemble.manifest import data_sentence
from manywalks.evaluate.registry import HIGHER_IS_BETTER, IN_UNITS, SCORE_NAMES
from manywalks.evaluate.sentences import accuracy_sentences, cautions
from manywalks.formatting import count, short
from manywalks.params.model import TrainParams
from manywalks.report.endpoint import answers_of
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
    """The whole card as Markdown."""
    parts = [
        _verdicts(found),
        _details(found),
        _use(found),
        _factors(found),
        _metrics(found),
        _endpoints(found),
        _algorithm(found),
        _domain(found),
        _fit(found),
        _interpretation(),
        _data(found),
        _caveats(found),
    ]
    return "\n\n".join([f"# Model card: {found.title}", *parts]) + "\n"


def _verdicts(found: ReportInputs) -> str:
    """How good the model is, before anything else."""
    lines = [
        "- " + " ".join([accuracy_sentences(metrics, name), *cautions(metrics)])
        for name, metrics in found.metrics.items()
    ]
    return "## Is it any good?\n\n" + "\n".join(lines)


def _details(found: ReportInputs) -> str:
    about = found.about
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    rows = [
        ("model", f"ensemble of {about['replicates']} replicates of one Keras network"),
        ("endpoints", ", ".join(found.metrics)),
        ("data", data_sentence(about["data"])),
        ("trained with", versions),
        ("sha256 of model.keras", f"`{about['files'].get('model.keras', '')}`"),
        *((key, found.said.get(key) or f"not given (params.yaml: report.{key})") for key in ASKED),
    ]
    return "## Model details\n\n" + _table(("", ""), rows)


def _use(found: ReportInputs) -> str:
    names = ", ".join(found.metrics)
    return (
        "## Intended use\n\n"
        f"Ranking and triage of small organic molecules by {names}, by people who can read the interval and "
        "the domain flag that come with each prediction. Not intended for decisions on one molecule without "
        "a measurement, regulatory submission without a review of the data, molecules of the kinds that "
        "curation rejects (see Training and evaluation data), or any other property."
    )


def _factors(found: ReportInputs) -> str:
    return (
        "## Factors\n\n"
        "- Likely to matter: the chemical series of a molecule, its distance from the training molecules, "
        "and the laboratory and the conditions of its assay.\n"
        "- Looked at: distance from the training molecules (see A defined domain of applicability) and, in "
        "the report, error against similarity.\n"
        "- Not looked at: single series, laboratories and conditions. The model cannot tell apart what the "
        "table does not tell apart."
    )


def _metrics(found: ReportInputs) -> str:
    lines = [
        "- Scores are over the test subset, which was used neither for training nor for calibration. Next to "
        "each are those of single replicates: they show what chance alone does to a score.",
    ]
    kinds = {metrics["kind"] for metrics in found.metrics.values()}
    if "regression" in kinds:
        lines.append(
            "- Regression: RMSE and MAE in the unit of the endpoint, R² of the values, Spearman and Kendall "
            "of their order. Against a value known only as a limit (>100), only an error beyond the limit "
            "counts."
        )
    if "classification" in kinds:
        threshold = found.about["params"]["evaluate"]["threshold"]
        lines.append(
            "- Classification: AUROC and AUPRC of the order, Brier and log-loss of the probabilities, MCC "
            f"of the decision at {threshold:g}. All are of calibrated probabilities; single replicates use "
            "the ensemble's calibration."
        )
    lines.append(
        "- Uncertainty: intervals, or the calibration of probabilities, are checked on the test subset. The "
        "statement says what retraining changes."
    )
    return "## Metrics\n\n" + "\n".join(lines)


def _endpoints(found: ReportInputs) -> str:
    rows, endpoints = [], found.about["params"]["data"]["endpoints"]
    for name, card in found.data["endpoints"].items():
        noise = card["repeats"]["noise_sd"]
        what = (
            " or ".join(answers_of(endpoints[name])[::-1])
            if card["kind"] == "classification"
            else f"a number in {card['unit'] or '(no unit)'}"
        )
        rows.append((name, what, str(card["molecules"]), short(noise, 2) if noise else "not known"))
    columns = ("endpoint", "predicted", "molecules measured", "scatter of repeated measurements (SD)")
    return "## A defined endpoint (OECD 1)\n\n" + _table(columns, rows)


def _algorithm(found: ReportInputs) -> str:
    params = found.about["params"]
    network, train = params["network"], TrainParams.model_validate(params["train"])
    classes_alone = all(card["kind"] == "classification" for card in found.data["endpoints"].values())
    shape = (
        f"the user's builder `{network['builder']}`"
        if network["builder"]
        else f"dense layers of {', '.join(map(str, network['widths']))} units, {network['activation']}, "
        f"dropout {network['dropout']:g}, normalization {network['normalization']}"
    )
    blocks = ", ".join(block["kind"] for block in params["featurize"]["blocks"])
    return (
        "## An unambiguous algorithm (OECD 2)\n\n"
        f"- Structures: standardized by the rules in `params.curate`; features: {blocks} "
        f"({len(found.about['feature_names'])} columns after scaling on the train subset).\n"
        f"- Network: {shape}.\n"
        f"- Training: {train.optimizer}, learning rate {train.learning_rate:g} ({train.schedule}), "
        f"{train.most_epochs(classes_alone=classes_alone)} epochs at most, batches of {train.batch_size}; "
        f"engine {found.about['engine']}.\n"
        "- Replicates differ only in initial weights, data order and dropout. None is dropped for its score; "
        f"{found.about['diverged']} diverged and were replaced. The prediction is their "
        f"{params['ensemble']['average']}.\n"
        "- `models/ensemble/manifest.json` holds every parameter."
        + "".join(f"\n- {_representation(one)}" for one in found.about.get("representations", []))
    )


def _representation(one: dict[str, Any]) -> str:
    """A foreign feature block: which it is, and what it was trained on."""
    which = f" ({one['version']})" if one["version"] else ""
    return f"Representation `{one['name']}`{which}, sha256 {one['sha256'][:12]}: {one['said']}."


def _domain(found: ReportInputs) -> str:
    test = found.predictions.loc[found.predictions["subset"] == "test"].drop_duplicates(subset=["row"])
    inside = float(np.mean(test["in_domain"].to_numpy(dtype=bool)))
    text = (
        "## A defined domain of applicability (OECD 3)\n\n"
        "A molecule is inside the domain if its nearest training molecule is similar enough (Tanimoto "
        f"{short(found.domain['similarity'], 2)} or more) and few of its descriptors lie outside the range "
        f"of the training molecules (at most {short(100 * found.domain['outside'], 2)} %). Both thresholds "
        f"come from the training molecules. {100 * inside:.0f} % of the test molecules are inside."
    )
    rows = [row for name in found.metrics if (row := _by_domain(found, name))]
    if not rows:
        return text
    columns = ("endpoint", "root mean square error inside", "outside", "molecules outside")
    return f"{text}\n\n{_table(columns, rows)}"


def _by_domain(found: ReportInputs, name: str) -> tuple[str, ...] | None:
    """Error inside and outside the domain, where there are molecules of both."""
    own = found.predictions
    own = own.loc[(own["endpoint"] == name) & (own["subset"] == "test") & (own["relation"] == "=")]
    inside = own["in_domain"].to_numpy(dtype=bool)
    if not inside.any() or inside.all():
        return None
    error = (own["predicted"] - own["observed"]).to_numpy(dtype=float)
    near, far = (float(np.sqrt(np.mean(error[part] ** 2))) for part in (inside, ~inside))
    return name, short(near), short(far), str(int((~inside).sum()))


def _fit(found: ReportInputs) -> str:
    texts = ["## Measures of fit, robustness and predictivity (OECD 4)"]
    for name, metrics in found.metrics.items():
        unit = f" ({metrics['unit']})" if metrics["unit"] and metrics["kind"] == "regression" else ""
        rows = [_score_row(metrics, metric, unit) for metric in metrics["ensemble"]]
        columns = ("score", "ensemble", "single replicates: mean ± SD", "worst to best", "ensemble on train")
        texts.append(
            f"### {name}: {count(metrics['n_test'], 'test molecule')}, "
            f"{count(metrics['train']['molecules'], 'training molecule')}\n\n" + _table(columns, rows)
        )
        statement = found.statements[name]
        texts.append(f"Robustness: {statement['sentence']}\n\n{statement['single_replicate']}")
        texts.append(f"Calibration: {_calibration(metrics['calibration'])}")
    texts.append(
        "The last column is the fit to the training molecules. A network of this size can fit them as "
        "closely as it is allowed to, so it says nothing about new ones."
    )
    return "\n\n".join(texts)


def _score_row(metrics: Mapping[str, Any], metric: str, unit: str) -> tuple[str, ...]:
    replicates = metrics["replicates"][metric]
    worst, best = (
        (replicates["min"], replicates["max"])
        if metric in HIGHER_IS_BETTER
        else (replicates["max"], replicates["min"])
    )
    label = SCORE_NAMES[metric] + (unit if metric in IN_UNITS else "")
    return (
        label,
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
        fitted = f"fitted on {count(about['fitted_on'], 'valid molecule')}"
        return f"{fitted}; of the test molecules, {held}.{notes}"
    if "ece" in about:
        return (
            f"{about['method']}, fitted on {count(about['fitted_on'], 'valid molecule')}; expected "
            f"calibration error {short(about['ece'])}, Brier {short(about['brier'])}.{notes}"
        )
    return f"not checked: no test molecule was measured.{notes}"


def _interpretation() -> str:
    return (
        "## Interpretation (OECD 5)\n\n"
        "The network contains no mechanism. `manywalks explain SMILES` draws how much each atom adds to the "
        "prediction; atoms whose sign depends on the replicate are marked as not to be trusted. Such a "
        "drawing shows what the model responds to, not what causes the effect."
    )


def _data(found: ReportInputs) -> str:
    card = found.data
    reasons = [(code, str(reason["count"]), reason["sentence"]) for code, reason in card["reasons"].items()]
    split = found.about["params"]["split"]
    counts = ", ".join(f"{found.split[part]} {part}" for part in ("train", "valid", "test"))
    text = (
        "## Training and evaluation data\n\n"
        f"{count(card['records'], 'record')}: {count(card['molecules'], 'molecule')} kept, {card['merged']} "
        f"merged into another record of the same molecule, {card['rejected']} rejected. The subsets were "
        f"drawn {SPLITS[split['method']].removeprefix('drawn ')}: {counts}."
    )
    if not reasons:
        return text
    return f"{text}\n\n{_table(('rejected because', 'records', 'meaning'), reasons)}"


def _caveats(found: ReportInputs) -> str:
    unmet = [name for name, statement in found.statements.items() if not statement["met"]]
    lines = [
        "- The statement says what retraining changes. It says nothing about errors that all replicates "
        "share, which are larger: see the scores and the intervals.",
        "- Intervals hold on average over molecules like the valid ones, not for each kind of molecule.",
        "- Scores hold for molecules as similar to the training molecules as the test molecules are; the "
        "report shows how similar.",
        "- A model of harmful properties (toxicity, potency) can be used to seek them as well as to avoid "
        "them.",
    ]
    if unmet:
        lines.insert(0, f"- The tolerance is not met for {', '.join(unmet)}: train more replicates.")
    return "## Caveats and ethical considerations\n\n" + "\n".join(lines)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    head = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(head + body)
