"""One table in the form of TDC's tasks (columns Drug, Y, split), for the scripts of this folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from manywalks.benchmark.forms import Asked, params_of, tdc
from manywalks.benchmark.published import metric_of
from manywalks.benchmark.run import train_and_predict
from manywalks.params.load import Params
from manywalks.replicates.statistics.mixing import EVENLY, Mixing
from manywalks.train.prepare import Prepared

ENDPOINT = "Y"


def task_params(
    path: Path, frame: pd.DataFrame, cores: int, settings: dict[str, Any] | None = None
) -> Params:
    """The defaults for this table; `settings` are sections in their place."""
    return params_of(tdc(frame, str(path), Asked()), str(path), cores, settings)


def main_metric(name: str, params: Params) -> str:
    """The metric that decides on the task of this name."""
    return metric_of(name, params.data.endpoints[ENDPOINT].kind)


def predictions(
    prepared: Sequence[Prepared], replicates: int, cores: int, mixing: Mixing = EVENLY
) -> np.ndarray:
    """Replicates trained with fresh entropy: (m, n valid and test) in the endpoint's unit."""
    return train_and_predict(prepared, replicates, cores, mixing)[..., 0]
