"""The data card: what the table held, what became of it, and how good the measurements are. Plain JSON."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from manywalks.data.cells import Cells
from manywalks.data.merge import Merged, noise_of
from manywalks.data.records import REASONS, Records
from manywalks.params.sections.endpoint import EndpointParams

EXAMPLES = 6
WORDS = 20
BINS = 30


def data_card(
    records: Records,
    molecules: pd.DataFrame,
    rejected: pd.DataFrame,
    cells: dict[str, Cells],
    merged: dict[str, Merged],
    steps: dict[str, int],
) -> dict[str, Any]:
    """Counts at each step, reasons with examples, flags, and each endpoint's distribution and noise."""
    return {
        "records": len(records),
        "molecules": len(molecules),
        "merged": int(molecules["records"].to_numpy().sum()) - len(molecules),
        "rejected": len(rejected),
        "steps": [{"step": step, "records": count} for step, count in steps.items()],
        "reasons": _reasons(rejected),
        "flags": dict(Counter(flag for text in molecules["flags"] for flag in text.split(";") if flag)),
        "split": _split(molecules, records, rejected),
        "endpoints": {
            name: _endpoint(name, endpoint, molecules, cells[name], merged[name])
            | _labels(records.column(endpoint.source(name)), cells[name].value, endpoint)
            for name, endpoint in records.params.data.endpoints.items()
        },
    }


def _labels(words: np.ndarray, values: np.ndarray, endpoint: EndpointParams) -> dict[str, Any]:
    """What the table calls the classes 0 and 1: the commonest cell of each; {} for a regression.

    Args:
        words: cells (n,) as the table has them; values: the class (n,) that each was read as.
    """
    if endpoint.kind != "classification":
        return {}
    said = [Counter(words[values == value]).most_common() for value in (0, 1)]
    no, yes = (found[0][0] if found else word for found, word in zip(said, ("No", "Yes"), strict=True))
    # where many words stand for "not active", none of them is the name of the class
    several = endpoint.positive is not None and endpoint.negative is None and len(said[0]) > 1
    return {"labels": [f"not {endpoint.positive}" if several else no, yes]}


def _reasons(rejected: pd.DataFrame) -> dict[str, Any]:
    """Each reason, the commonest first: how many records, what it means, and the first few of them."""
    codes = rejected["reason"].to_numpy(dtype=object)
    found = {}
    for code, count in Counter(codes).most_common():
        examples = rejected.loc[codes == code, ["row", "id", "smiles", "detail"]].head(EXAMPLES)
        listed = [dict(zip(examples.columns, row, strict=True)) for row in examples.to_numpy(object).tolist()]
        found[code] = {"count": count, "sentence": REASONS[code], "examples": listed}
    return found


def _split(molecules: pd.DataFrame, records: Records, rejected: pd.DataFrame) -> dict[str, Any]:
    """What the table itself says of the split."""
    column = records.params.split.column
    if "split:subset" in molecules:
        counts = dict(Counter(molecules["split:subset"].tolist()))
        twice = Counter(rejected["reason"].tolist())["other_subset"]
        return {"column": column, "parts": counts, "in_two_subsets": twice}
    if "split:group" in molecules:
        return {"column": column, "groups": len(set(molecules["split:group"]))}
    if "split:time" in molecules:
        times = molecules["split:time"].to_numpy(dtype=np.float64)
        known = times[~np.isnan(times)]
        ends = (float(known.min()), float(known.max())) if len(known) else (None, None)
        return {"column": column, "from": ends[0], "to": ends[1], "undated": len(times) - len(known)}
    return {}


def _endpoint(
    name: str, endpoint: EndpointParams, molecules: pd.DataFrame, cells: Cells, merged: Merged
) -> dict[str, Any]:
    """One endpoint: how much was measured, its distribution, its repeats and their noise."""
    values = molecules[name].to_numpy(dtype=np.float64)
    relation = molecules[f"{name}:relation"].to_numpy(dtype=object)
    measured = values[~np.isnan(values)]
    ignored = Counter(code for code, _ in cells.problems.values())
    summary = {
        "kind": endpoint.kind,
        "unit": endpoint.unit,
        "molecules": len(measured),
        "ignored_cells": dict(ignored),
        "ignored_examples": [
            {"row": row + 1, "detail": detail} for row, (_, detail) in list(cells.problems.items())[:EXAMPLES]
        ],
        "repeats": _repeats(merged),
    }
    if endpoint.kind == "classification":
        positive = int((measured == 1).sum())
        words = dict(Counter(cells.taken_as_0.values()).most_common(WORDS))
        return summary | {
            "positive": positive,
            "negative": len(measured) - positive,
            "taken_as_0": words,
        }
    censored = {"above": int((relation == ">").sum()), "below": int((relation == "<").sum())}
    return summary | {"censored": censored, "distribution": distribution(measured)}


def distribution(values: np.ndarray) -> dict[str, Any]:
    """Mean, standard deviation, quartiles and a histogram of values (n,); {} of none."""
    if not len(values):
        return {}
    counts, edges = np.histogram(values, bins=BINS, range=_reach(values))
    quartiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    names = ("min", "q1", "median", "q3", "max")
    summary = {name: float(value) for name, value in zip(names, quartiles, strict=True)}
    spread = float(values.std(ddof=1)) if len(values) > 1 else None
    histogram = {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}
    return {"mean": float(values.mean()), "sd": spread} | summary | {"histogram": histogram}


def _reach(values: np.ndarray) -> tuple[float, float]:
    """The ends of a histogram of values (n,): wider where BINS edges would else coincide."""
    low, high = float(values.min()), float(values.max())
    least = 4 * BINS * float(np.spacing(max(abs(low), abs(high))))
    pad = max(least, 0.5) if low == high else least * (high - low < least)
    return low - pad, high + pad


def _repeats(merged: Merged) -> dict[str, Any]:
    """How many molecules were measured more than once, how far apart, and the noise that this shows."""
    noise = noise_of(merged)
    repeated = merged.repeats > 1
    return {
        "molecules": int(repeated.sum()),
        "measurements": int(merged.repeats[repeated].sum()),
        "contradictory": int(merged.conflict.sum()),
        "noise_sd": _number(noise.sd),
        "noise_freedom": noise.freedom,
        "identical": noise.identical,
        "extent_median": _number(np.median(merged.extent[~np.isnan(merged.extent)]))
        if (~np.isnan(merged.extent)).any()
        else None,
    }


def _number(value: float) -> float | None:
    """A number for JSON, which has no NaN."""
    return float(value) if np.isfinite(value) else None
