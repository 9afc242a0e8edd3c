"""Build the ensemble's folder from the trained replicates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.ensemble.domain import Domain
from manywalks.ensemble.intervals import calibration, out_of_bag
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates
from manywalks.features import Features
from manywalks.featurize.foreign.representations import recorded
from manywalks.formatting import count
from manywalks.graph_layout import LARGER
from manywalks.params.load import Params
from manywalks.params.sections.block_sources import located
from manywalks.params.sections.families import families_of
from manywalks.replicates import store
from manywalks.replicates.combine import combining_of
from manywalks.replicates.statistics.mixing import Mixing
from manywalks.similarity import similarity_to_other_groups
from manywalks.train.prepare import Groups, Prepared, Tables, out_of_sample, read_groups, read_tables
from manywalks.train.union import UnionScaler
from manywalks.workspace import Workspace

# Sections of params.yaml that the manifest repeats: each is a param of stage ensemble in dvc.yaml too, or a
# manifest could name settings that the model was not made with.
SECTIONS = {
    "data", "curate", "featurize", "split", "transform", "network", "train", "families", "weights",
    "ensemble", "evaluate",
}  # fmt: skip
# by similarity the molecules of a calibration are only parted in three: so many tell where
MOST_NEAR = 20_000
# with fewer valid molecules, bagged replicates are calibrated on those that they left out
FEWEST = 30


def settings_of(workspace: Workspace) -> dict[str, Any]:
    """The parameters that made the model, as params.yaml has them."""
    params = workspace.params
    return {
        "params": params.model_dump(mode="json", include=SECTIONS),
        "representations": recorded(located(params.featurize.blocks, workspace.root)),
    }


def union_scaler(features: Features, prepared: Sequence[Prepared]) -> UnionScaler:
    """What scales the raw features for all families at once."""
    return UnionScaler(features.names, tuple(one.scaler for one in prepared))


def family_replicates(
    params: Params,
    prepared: Sequence[Prepared],
    kept: Sequence[store.Kept],
    scaler: UnionScaler,
    mixing: Mixing | None = None,
) -> list[FamilyReplicates]:
    """What `keras_stack` makes the model of: each family's trainings, the columns it sees, its weight.

    Args:
        params: all parameters.
        prepared: each family's problem.
        kept: the replicates, with their weights.
        scaler: of all families.
        mixing: the families' weights, where they were fitted; else as the parameters give them.
    """
    families = families_of(params)
    shares = None if mixing is None else mixing.weights
    larger = scaler.names.index(LARGER) if LARGER in scaler.names else None
    return [
        FamilyReplicates(
            network=one.problem.network,
            transform=one.transform,
            weights=[replicate.parts[place].weights for replicate in kept],
            columns=columns if len(families) > 1 else None,
            name=family.name,
            weight=family.weight if shares is None else shares[place],
            larger=larger if len(families) > 1 and LARGER in one.scaler.names else None,
        )
        for place, (family, one, columns) in enumerate(
            zip(families, prepared, scaler.family_columns, strict=True)
        )
    ]


class _Reference(NamedTuple):
    """The n molecules that the calibrations are fitted on.

    Attributes:
        name: "valid", or "out of bag".
        rows: of the curated table (n,).
        replicates: (m, n, t) in endpoint units; NaN where a replicate trained on the molecule.
        similarity: to the nearest training molecule, for one of these to the nearest of another group (n,).
    """

    name: calibration.Reference
    rows: np.ndarray
    replicates: np.ndarray
    similarity: np.ndarray


def calibrations(
    workspace: Workspace, kept: list[store.Kept], domain: Domain, features: Features
) -> dict[str, Any]:
    """Each endpoint's calibration, from raw features of the curated table.

    It is fitted on the valid subset. Where fewer than 30 molecules were measured there, and each replicate
    has drawn its molecules, it is fitted on the training molecules, as the replicates that did not draw them
    predict them.
    """
    params, tables = workspace.params, read_tables(workspace)
    valid, left = _valid(tables, kept, domain, features), None
    fitted = {}
    for column, name in enumerate(params.data.endpoints):
        measured = np.isfinite(_exact(tables.curated.iloc[valid.rows], name)).sum()
        if measured >= FEWEST or kept[0].out_of_bag is None:
            own = valid
        else:
            own = left = left or _left_out(read_groups(workspace), kept, domain, features)
        fitted[name] = _calibrated(own, tables.curated.iloc[own.rows], column, params).to_json()
    return fitted


def _calibrated(
    reference: _Reference, rows: pd.DataFrame, column: int, params: Params
) -> calibration.Calibration:
    """The calibration of the endpoint in this column; `rows` are the reference's, of the curated table."""
    name, endpoint = list(params.data.endpoints.items())[column]
    observed, how = _exact(rows, name), combining_of(endpoint.kind, params.ensemble)
    replicates = reference.replicates[:, :, column].astype(np.float64)
    seen = out_of_bag.as_whole(replicates, observed, endpoint.kind, how)
    fitted = calibration.fit(
        observed[seen.places],
        seen.mean,
        seen.spread,
        endpoint.kind,
        similarity=reference.similarity[seen.places],
        early_stopping=any(one.params.train.early_stopping is not None for one in families_of(params)),
        method=params.evaluate.calibration,
        coverage=params.evaluate.coverage,
        reference=reference.name,
    )
    unused = np.setdiff1d(np.flatnonzero(np.isfinite(observed)), seen.places).size
    return replace(fitted, notes=(*fitted.notes, *_unused(unused)))


def _exact(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Measured values (n,); NaN where nothing was measured, or where only a limit is known."""
    return np.where(rows[f"{name}:relation"] == "=", rows[name].to_numpy(dtype=np.float64), np.nan)


def _unused(molecules: int) -> tuple[str, ...]:
    """What to note where molecules could not be used."""
    if not molecules:
        return ()
    one = molecules == 1
    return (
        f"{count(molecules, 'training molecule')} {'was' if one else 'were'} not used: fewer than two "
        f"replicates left {'it' if one else 'them'} out",
    )


def _valid(tables: Tables, kept: list[store.Kept], domain: Domain, features: Features) -> _Reference:
    """The valid subset."""
    subsets = tables.subsets
    rows, valid = np.flatnonzero(subsets == "valid"), subsets[out_of_sample(subsets)] == "valid"
    near = domain.assess(features.take(rows))["similarity"].to_numpy()
    predictions = np.stack([replicate.predictions for replicate in kept])[:, valid]
    return _Reference("valid", rows, predictions, near)


def _left_out(groups: Groups, kept: list[store.Kept], domain: Domain, features: Features) -> _Reference:
    """The training molecules, by the replicates that did not draw each."""
    predictions = [replicate.out_of_bag for replicate in kept if replicate.out_of_bag is not None]
    bits = domain.fingerprints(features.take(groups.train))
    near = similarity_to_other_groups(bits, groups.groups[groups.train], MOST_NEAR)
    return _Reference("out of bag", groups.train, np.stack(predictions), near)
