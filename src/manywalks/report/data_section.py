"""The report's part about the data: the card, the split, and how the model was made."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml
from markupsafe import Markup

from manywalks.evaluate.statement.sentences import noise_basis
from manywalks.formatting import count, short
from manywalks.report import drawing
from manywalks.report.charts.charts import HEIGHT, Plane, axis
from manywalks.report.endpoint import answers_of

# what is left after each step of curation; of data cards of former versions, "used" is missing
STEPS = {
    "read": "records read",
    "filtered": "chosen by data.where",
    "standardized": "standardized",
    "measured": "with a value",
    "used": "records used",
    "merged": "molecules",
}


def histogram(label: str, found: dict[str, Any], alt: str) -> str:
    """A histogram as data.json and split.json hold it: edges and counts."""
    edges, counts = np.array(found["edges"], dtype=float), np.array(found["counts"], dtype=float)
    plane = Plane(axis(label, edges, room=0.02), axis("molecules", counts, zero=True), height=HEIGHT - 80)
    return plane.svg([plane.bars(edges, counts)], alt)


def data_part(card: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The data card with its molecules drawn and its distributions as charts.

    Args:
        card: data.json.
        asked: `data.endpoints` of params.yaml.
    """
    reasons = [
        {
            "code": code,
            **{key: reason[key] for key in ("count", "sentence")},
            "examples": [{**e, "picture": _example(e)} for e in reason["examples"][:4]],
        }
        for code, reason in card["reasons"].items()
    ]
    endpoints = [
        {
            "name": name,
            "caption": _caption(found, answers_of(asked[name])),
            "chart": _distribution(name, found),
        }
        for name, found in card["endpoints"].items()
    ]
    most = max((step["records"] for step in card["steps"]), default=1) or 1
    steps = [
        {**step, "label": STEPS.get(step["step"], step["step"]), "share": 100 * step["records"] / most}
        for step in card["steps"]
    ]
    return {**card, "reasons": reasons, "endpoints": endpoints, "steps": steps}


def _example(record: Mapping[str, Any]) -> Markup:
    """A rejected record's structure, as far as it can be drawn."""
    smiles = record.get("smiles") or ""
    return Markup(
        drawing.framed(drawing.draw(str(smiles)) if smiles else "", f"Structure of row {record['row']}")
    )


def _caption(found: Mapping[str, Any], answers: tuple[str, str]) -> str:
    """What was measured of an endpoint, in short sentences."""
    said = [count(found["molecules"], "molecule")]
    if found["kind"] == "classification":
        said[0] += f": {found['positive']} {answers[1]}, {found['negative']} {answers[0]}"
    if shape := found.get("distribution"):
        said.append(f"Median {short(shape['median'])}, SD {short(shape['sd'])}")
    limits = found.get("censored") or {}
    bounds = [
        f"{limits[side]} with {sign}" for side, sign in (("above", ">"), ("below", "<")) if limits.get(side)
    ]
    if bounds:
        said.append(f"Known only as a limit: {' and '.join(bounds)}")
    if repeats := found["repeats"]["molecules"]:
        noise = found["repeats"]["noise_sd"]
        basis = noise_basis(found["repeats"]["noise_freedom"])
        scatter = f"; repeats scatter by {short(noise, 2)} (SD{basis})" if noise else ""
        said.append(f"{count(repeats, 'molecule')} measured more than once{scatter}")
    if ignored := found["ignored_cells"]:
        codes = ", ".join(f"{n} {reason}" for reason, n in ignored.items())
        first = next(iter(found.get("ignored_examples", ())), None)
        said.append(f"Cells ignored: {codes}" + (f"; row {first['row']}: {first['detail']}" if first else ""))
    return ". ".join(said) + "."


def _distribution(name: str, found: Mapping[str, Any]) -> Markup:
    """An endpoint's histogram; empty for a class, whose counts say it all."""
    shape = found.get("distribution") or {}
    if "histogram" not in shape:
        return Markup("")
    unit = f" ({found['unit']})" if found["unit"] else ""
    ends = f"from {short(shape['min'])} to {short(shape['max'])}"
    alt = f"Distribution of {name}: median {short(shape['median'])}, {ends}."
    return Markup(histogram(f"{name}{unit}", shape["histogram"], alt))


def split_part(split: Mapping[str, Any]) -> dict[str, Any]:
    """How many molecules each subset has, and how similar test molecules are to training molecules."""
    subsets = [(subset, split[subset]) for subset in ("train", "valid", "test")]
    near = split["similarity"].get("test")
    if near is None:
        return {"subsets": subsets, "chart": "", "caption": ""}
    caption = (
        f"Similarity of each test molecule to the nearest training molecule (Morgan, radius 2): "
        f"median {near['median']:.2f}, quartiles {near['q1']:.2f} and {near['q3']:.2f}."
    )
    label = "Tanimoto similarity to the nearest training molecule"
    return {
        "subsets": subsets,
        "chart": Markup(histogram(label, near["histogram"], caption)),
        "caption": caption,
    }


def about_part(about: Mapping[str, Any]) -> dict[str, Any]:
    """Params, versions and origins."""
    params = yaml.safe_dump(about["params"], sort_keys=False, allow_unicode=True, width=100)
    return {
        **{key: value for key, value in about.items() if key != "feature_names"},
        "yaml": params,
        "features": len(about["feature_names"]),
        "blocks": [block.get("name") or block["kind"] for block in about["params"]["featurize"]["blocks"]],
        "representations": about.get("representations", []),
    }
