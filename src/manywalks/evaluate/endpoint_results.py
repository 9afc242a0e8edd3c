"""One endpoint's observations and predictions outside the training molecules, and their table."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.ensemble.handed_out import HandedOut, Settings, report_endpoint
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.ensemble.intervals.out_of_bag import left_out
from manywalks.params.load import Params
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import combine, combining_of
from manywalks.train.prepare import out_of_sample


class EndpointResults(NamedTuple):
    """One endpoint out of sample: n molecules of the valid and test subsets, m replicates.

    Attributes:
        name: of the endpoint.
        endpoint: its parameters.
        rows: rows of the curated table (n,).
        subsets: "valid" or "test" (n,).
        observed: in endpoint units, NaN where not measured (n,).
        relation: "=", "<", ">" or "" (n,).
        replicates: replicate predictions in endpoint units (m, n).
        mean: the ensemble's (n,).
        similarity: to the nearest training molecule (n,), where it is known.
        fitted: the endpoint's calibration. `replicates` and `mean` are not calibrated; what is handed out is.
    """

    name: str
    endpoint: EndpointParams
    rows: np.ndarray
    subsets: np.ndarray
    observed: np.ndarray
    relation: np.ndarray
    replicates: np.ndarray
    mean: np.ndarray
    fitted: Calibration
    similarity: np.ndarray | None = None


def endpoint_results(
    curated: pd.DataFrame,
    subsets: np.ndarray,
    name: str,
    fitted: Calibration,
    replicates: np.ndarray,
    params: Params,
) -> EndpointResults:
    """One endpoint's observations and predictions out of sample."""
    rows, endpoint = out_of_sample(subsets), params.data.endpoints[name]
    there = curated.iloc[rows]
    return EndpointResults(
        name=name,
        endpoint=endpoint,
        rows=rows,
        subsets=subsets[rows],
        observed=there[name].to_numpy(dtype=np.float64),
        relation=there[f"{name}:relation"].to_numpy(dtype=str),
        replicates=replicates,
        mean=combine(replicates, combining_of(endpoint.kind, params.ensemble)),
        fitted=fitted,
    )


def training_results(seen: EndpointResults, curated: pd.DataFrame, replicates: np.ndarray) -> EndpointResults:
    """The same endpoint's training molecules, the rows of `curated`.

    `replicates` (m, n_train) are NaN where a replicate trained on the molecule, and so is the mean of all.
    """
    return seen._replace(
        rows=curated.index.to_numpy(),
        subsets=np.full(len(curated), "train"),
        observed=curated[seen.name].to_numpy(dtype=np.float64),
        relation=curated[f"{seen.name}:relation"].to_numpy(dtype=str),
        replicates=replicates,
        mean=np.full(len(curated), np.nan),
        similarity=None,
    )


def handed_out(seen: EndpointResults, params: Params) -> HandedOut:
    """What users get of the molecules out of sample."""
    asked = Settings(
        params.evaluate.coverage,
        params.evaluate.cut_of(seen.name, seen.endpoint),
        params.replicates.confidence,
        combining_of(seen.endpoint.kind, params.ensemble),
    )
    return report_endpoint(seen.fitted, seen.replicates, seen.mean, asked, seen.similarity)


def prediction_table(seen: EndpointResults, curated: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Rows of predictions.parquet, one for each valid and test molecule, as `manywalks predict` writes them.

    The calibration was fitted on the valid rows: only the test rows tell how well it does.
    """
    out = handed_out(seen, params)
    table = _molecules(seen, curated).assign(
        predicted=out.predicted, spread=out.spread, low=out.low, high=out.high, bound=out.bound
    )
    if out.decision is not None:  # rows without a cut-off have none of these
        decision = pd.array(out.decision, "Int8")
        table = table.assign(decision=decision, flip=out.flip, flip_retrained=out.flip_retrained)
    return table


def left_out_table(own: EndpointResults, curated: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Rows of predictions.parquet for training molecules, as replicates that did not train on them predict.

    A molecule that fewer than two replicates left out has no row. `replicates` is how many did; intervals and
    bounds are those of the whole ensemble, so these rows have none.

    Args:
        own: `training_results`.
        curated: the whole curated table.
        params: all parameters.
    """
    left = left_out(own.replicates, combining_of(own.endpoint.kind, params.ensemble))
    single = own.fitted.as_reported(own.replicates[:, left.known])
    table = _molecules(own, curated).loc[left.known].reset_index(drop=True)
    return table.assign(
        predicted=own.fitted.as_reported(left.mean[left.known]),
        spread=np.nanstd(single, axis=0, ddof=1),
        replicates=left.count[left.known],
    )


def _molecules(seen: EndpointResults, curated: pd.DataFrame) -> pd.DataFrame:
    """The columns that say which molecule it is, and what was measured."""
    there = curated.iloc[seen.rows]
    return pd.DataFrame(
        {
            "row": seen.rows,
            "id": there["id"].to_numpy(),
            "smiles": there["smiles"].to_numpy(),
            "endpoint": seen.name,
            "subset": seen.subsets,
            "observed": seen.observed,
            "relation": seen.relation,
        }
    )
