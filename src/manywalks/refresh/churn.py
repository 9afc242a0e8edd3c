"""Churn between two trained models: their predictions of the same molecules, by each one's own features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.data.guess.guess import find_smiles
from manywalks.ensemble import manifest
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.evaluate.churn import ChurnTerms, churn, side_of
from manywalks.evaluate.churn_words import churn_sentences
from manywalks.featurize.featurize import featurize_each
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.model import EnsembleParams
from manywalks.refresh.model_view import ModelView, blocks_of, predict_with
from manywalks.replicates.combine import combining_of
from manywalks.runtime.resources import usable_cores
from manywalks.tables.frame import read_table

# molecules that moved beyond luck are named up to here
NAMED = 50


class Molecules(NamedTuple):
    """n molecules that both models predict: names, standardized SMILES, and measured values by endpoint."""

    ids: list[str]
    smiles: list[str]
    observed: dict[str, np.ndarray]

    @classmethod
    def of(cls, curated: pd.DataFrame, endpoints: Sequence[str]) -> "Molecules":
        """Rows of the curated table."""
        return cls(
            curated["id"].astype(str).tolist(),
            curated["smiles"].tolist(),
            {name: curated[name].to_numpy(dtype=np.float64) for name in endpoints},
        )


def churn_of(sides: Sequence[ModelView], molecules: Molecules, params: Params) -> dict[str, Any]:
    """The churn of every endpoint that both models predict in the same unit.

    Args:
        sides: the former and the new model at the molecules.
        molecules: what they are.
        params: of the new model: endpoints, cut-offs, confidence.
    """
    found = {}
    for name, endpoint in params.data.endpoints.items():
        places = [_column(side, name, endpoint.kind, endpoint.unit) for side in sides]
        if None in places:
            continue
        made = []
        for side, column in zip(sides, places, strict=True):
            settings = EnsembleParams.model_validate(side.about["params"]["ensemble"])
            made.append(side_of(side.replicates[:, :, column], combining_of(endpoint.kind, settings)))
        terms = ChurnTerms(
            endpoint.kind,
            endpoint.unit,
            params.evaluate.cut_of(name, endpoint),
            endpoint,
            params.replicates.confidence,
        )
        maps = [Calibration.from_json(side.about["calibration"][name]) for side in sides]
        one = _named(churn(made[0], made[1], terms, (maps[0], maps[1])), molecules, name)
        found[name] = {**one, "kind": endpoint.kind, "sentences": churn_sentences(one, name, endpoint.kind)}
    return found


def _column(side: ModelView, name: str, kind: str, unit: str) -> int | None:
    """Where a model's predictions of an endpoint stand; None where it has none in this unit."""
    theirs = side.about["params"]["data"]["endpoints"]
    if name not in theirs or (theirs[name]["kind"], theirs[name]["unit"]) != (kind, unit):
        return None
    return list(theirs).index(name)


def _named(found: dict[str, Any], molecules: Molecules, endpoint: str) -> dict[str, Any]:
    """With names and SMILES in place of places."""
    if not found["molecules"]:
        return found
    observed = molecules.observed.get(endpoint)

    def named(place: int) -> dict[str, Any]:
        value = None if observed is None or not np.isfinite(observed[place]) else float(observed[place])
        return {"id": molecules.ids[place], "smiles": molecules.smiles[place], "observed": value}

    beyond = {key: value for key, value in found["beyond"].items() if key != "places"}
    beyond["named"] = [named(place) for place in found["beyond"]["places"][:NAMED]]
    most = [
        {**named(one["place"]), **{key: value for key, value in one.items() if key != "place"}}
        for one in found["moved_most"]
    ]
    return {**found, "beyond": beyond, "moved_most": most}


def moved_too_far(churned: dict[str, dict[str, Any]], most: float | None) -> list[str]:
    """What is said of each endpoint whose predictions moved by more than `refresh.max_churn`."""
    if most is None:
        return []
    return [
        f"{name} {one['rms_change'] / one['sd']:.2f} sd"
        for name, one in churned.items()
        if one["molecules"] and one["sd"] > 0 and one["rms_change"] > most * one["sd"]
    ]


def churn_of_table(former: Path, new: Path, table: Path, *, smiles: str | None = None) -> dict[str, Any]:
    """The churn between two models over the molecules of a table; what reports/churn.json holds.

    Molecules are standardized as for the new model; one that either model cannot predict is left out and
    counted.

    Args:
        former, new: folders of the models.
        table: CSV, Excel, Parquet or SDF.
        smiles: its column of SMILES (default: that of the training table, else found).
    """
    about = manifest.read(new)
    params = parse_params(about["params"], source=str(new / manifest.FILE))
    frame = read_table(table)
    known = [name for name in (smiles, params.data.smiles) if name in frame.columns]
    if smiles is not None and smiles not in frame.columns:
        raise ValueError(f"{table}: no column {smiles!r}; it has {', '.join(map(str, frame.columns))}")
    column = known[0] if known else find_smiles(frame, str(table))
    cores = usable_cores(None)
    standard = standardize_smiles(frame[column].astype(str).tolist(), params.curate, cores=cores)
    good = {one.smiles: row for row, one in reversed(list(enumerate(standard))) if one.smiles is not None}
    texts = _predictable(sorted(good, key=lambda text: good[text]), (former, new), params, cores)
    predicted = set(texts)
    named = params.data.id if params.data.id in frame.columns else None
    ids = [str(frame[named].iloc[good[text]]) if named else f"row {good[text] + 1}" for text in texts]
    sides = [predict_with(model, texts, cores) for model in (former, new)]
    return {
        "former": str(former),
        "new": str(new),
        "table": str(table),
        "rows": len(frame),
        "left_out": sum(one.smiles not in predicted for one in standard),
        "endpoints": churn_of(sides, Molecules(ids, texts, {}), params),
    }


def _predictable(texts: list[str], models: tuple[Path, Path], params: Params, cores: int) -> list[str]:
    """Those of n standardized molecules that both models' features can be computed of."""
    for model in models:
        _, failures = featurize_each(texts, blocks_of(model), cores=cores, limit=params.curate.time_limit)
        texts = [text for row, text in enumerate(texts) if row not in failures]
    return texts
