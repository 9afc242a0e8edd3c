"""What lies beside a model and tells more of it: its statement, scores, card, and training molecules."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from manywalks.ensemble.domain import Domain
from manywalks.ensemble.reports_beside import METRICS, STATEMENT, by_endpoint, is_of_another, workspace_of
from manywalks.featurize.featurize import featurize
from manywalks.params.sections.model import FeatureBlock
from manywalks.train.prepare import read_tables
from manywalks.workspace import Workspace

SEEN, CARD = "seen.parquet", "card.md"
REPORTS = (STATEMENT, METRICS, CARD)
# so many training molecules are featurized to see whether they are the model's
_LOOKED_AT = 5


@dataclass(frozen=True)
class Companions:
    """What is known of a model besides the model.

    Attributes:
        statement, metrics: an object for each endpoint; empty where there is none.
        card: the model card as Markdown; "" where there is none.
        seen: columns smiles, subset, and for each endpoint `e` the values and `e:relation`: = if measured,
            < or > if known only as a limit; None where it is not known.
    """

    statement: dict[str, Any]
    metrics: dict[str, Any]
    card: str
    seen: pd.DataFrame | None

    def training(self, domain: Domain, blocks: tuple[FeatureBlock, ...]) -> pd.DataFrame | None:
        """The training molecules in the order of the domain's fingerprints; None where they are others."""
        if self.seen is None or domain.bits.shape[1] == 0:
            return None
        train = pd.DataFrame(self.seen[self.seen["subset"] == "train"]).reset_index(drop=True)
        if len(train) != len(domain.bits):
            return None
        rows = np.unique(np.linspace(0, len(train) - 1, _LOOKED_AT).astype(np.int64))
        there = domain.fingerprints(featurize(train["smiles"].to_numpy()[rows].tolist(), blocks))
        return train if np.array_equal(there, domain.bits[rows]) else None


def companions_of(folder: Path, about: dict[str, Any]) -> Companions:
    """What lies beside a model: a champion's entry or an archive, else the workspace that trained it.

    Args:
        folder: the model's.
        about: its manifest.
    """
    folder, endpoints = folder.resolve(), list(about["params"]["data"]["endpoints"])
    if (root := workspace_of(folder)) is not None:
        return _of_workspace(Workspace(root), about)
    entry = folder.parent
    seen = pd.read_parquet(entry / SEEN) if (entry / SEEN).is_file() else None
    statement, metrics = (by_endpoint(entry / name, endpoints) for name in (STATEMENT, METRICS))
    return Companions(statement, metrics, _text(entry / CARD), seen)


def _of_workspace(workspace: Workspace, about: dict[str, Any]) -> Companions:
    """Its reports where they are of this model, and its tables."""
    reports, endpoints = workspace.reports, list(about["params"]["data"]["endpoints"])
    seen, statement = seen_of(workspace, endpoints), by_endpoint(reports / STATEMENT, endpoints)
    if is_of_another(statement, about):
        return Companions({}, {}, "", seen)
    return Companions(statement, by_endpoint(reports / METRICS, endpoints), _text(reports / CARD), seen)


def seen_of(workspace: Workspace, endpoints: list[str]) -> pd.DataFrame | None:
    """Molecules of a workspace's curated table with subset and values; None where it lacks one of these."""
    if not (workspace.curated.is_file() and workspace.split.is_file()):
        return None
    try:
        curated, subsets = read_tables(workspace)
        columns = chain.from_iterable((name, f"{name}:relation") for name in endpoints)
        return curated.loc[:, ["smiles", *columns]].assign(subset=subsets)
    except (ValueError, KeyError):  # made anew after the model: they tell nothing of it
        return None


def _text(path: Path) -> str:
    """A text, "" where there is no such file."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""
