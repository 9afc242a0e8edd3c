"""The forms of tables that can be scored: which columns hold structures, values and the split."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from manywalks.benchmark.published import metric_of
from manywalks.data.guess.guess import find_smiles
from manywalks.params.load import Params, parse_params
from manywalks.params.presets import Preset, with_preset

USUAL = {"regression": ("mae", "spearman", "rmse", "r2"), "classification": ("auroc", "auprc")}


@dataclass(frozen=True)
class Asked:
    """What a user may say of a table of many endpoints.

    Attributes:
        smiles, split: its columns; without `smiles`, the column that holds structures is looked for.
        endpoints: columns to predict; empty: all that hold numbers.
        log10: those of them that are trained and scored as log10(value + 1).
    """

    smiles: str | None = None
    split: str = "split"
    endpoints: tuple[str, ...] = ()
    log10: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """One table's columns.

    Attributes:
        smiles, split: column names; `split` is "test" for test rows, and all others are trained on.
        endpoints: by name, as in section data of params.yaml.
        metrics: the scores of a regression and of a class, the deciding one first.
        cliff: the column that is 1 for molecules at an activity cliff, "" where there is none.
    """

    smiles: str
    split: str
    endpoints: dict[str, dict[str, Any]]
    metrics: dict[str, tuple[str, ...]]
    cliff: str = ""


def tdc(frame: pd.DataFrame, source: str, asked: Asked) -> Form:
    """A task of Therapeutics Data Commons: columns Drug, Y and split."""
    _require(frame, source, ("Drug", "Y", "split"), "tasks have Drug, Y and split")
    kind = _kind(numbers(frame["Y"]))
    # the group's metric decides, and the others of the group come too
    metrics = {kind: tuple(dict.fromkeys((metric_of(Path(source).stem, kind), *USUAL[kind])))}
    return Form("Drug", "split", {"Y": {"kind": kind}}, metrics)


def moleculeace(frame: pd.DataFrame, source: str, asked: Asked) -> Form:
    """A table of MoleculeACE: columns smiles, y, cliff_mol and split."""
    columns = ("smiles", "y", "cliff_mol", "split")
    _require(frame, source, columns, "tables of MoleculeACE have smiles, y, cliff_mol and split")
    metrics = {"regression": ("rmse", "rmse_cliff", "mae", "spearman")}
    return Form("smiles", "split", {"y": {"kind": "regression"}}, metrics, "cliff_mol")


def table(frame: pd.DataFrame, source: str, asked: Asked) -> Form:
    """Any table with a column of SMILES and one that says which rows are for testing."""
    smiles = find_smiles(frame, source) if asked.smiles is None else asked.smiles
    _require(frame, source, (smiles, asked.split), "name the columns with --smiles and --split-column")
    _require(frame, source, asked.endpoints, "correct --endpoints")
    _require(frame, source, asked.log10, "correct --log10")
    names = asked.endpoints or _numeric(frame, {smiles, asked.split})
    if not names:
        raise ValueError(f"{source}: no column holds numbers; name those to predict with --endpoints")
    if strange := [name for name in asked.log10 if name not in names]:
        raise ValueError(f"{source}: --log10 names {strange[0]!r}, which is not among the endpoints")
    endpoints = {}
    for name in names:
        kind = _kind(numbers(frame[name]))
        logs = {"transform": "log10", "offset": 1} if name in asked.log10 else {}
        endpoints[name] = {"kind": kind, **logs}
    metrics = {**USUAL, "regression": ("rae", *USUAL["regression"])}
    return Form(smiles, asked.split, endpoints, metrics)


FORMS: dict[str, Callable[[pd.DataFrame, str, Asked], Form]] = {
    "tdc": tdc,
    "moleculeace": moleculeace,
    "table": table,
}


def params_of(
    form: Form,
    source: str,
    cores: int,
    settings: dict[str, Any] | None = None,
    *,
    preset: Preset = "default",
    max_atoms: int = 60,
) -> Params:
    """What `manywalks init` would write for this table.

    Args:
        form: its columns and endpoints.
        source: its path, for messages.
        cores: worker processes and threads.
        settings: sections in place of those that init would write.
        preset: which families, where `settings` has none.
        max_atoms: slots of the block `graph`, where the preset has one.
    """
    if settings and "data" in settings:
        raise ValueError(f"{source}: section data is given by the suite; leave it out of --params")
    raw = {
        "data": {"path": source, "smiles": form.smiles, "endpoints": form.endpoints},
        **(settings or {}),
        "orchestrate": {"cores": cores},
    }
    params = parse_params(raw, source=source)
    own = sorted({"featurize", "families"} & set(raw))
    if own and preset != "default":
        raise ValueError(
            f"benchmark: --preset {preset} and section {own[0]} of --params both say what to train; "
            "leave one of them out"
        )
    return params if own else with_preset(params, preset, max_atoms=max_atoms)


def numbers(cells: Any) -> np.ndarray:
    """Measured values, float64 (n,); NaN where a cell holds no number."""
    return np.array(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)


def observed(frame: pd.DataFrame, form: Form) -> np.ndarray:
    """Values of the endpoints as they are scored: (n, t), NaN where not measured."""
    columns = []
    for name, endpoint in form.endpoints.items():
        values = numbers(frame[name])
        if endpoint.get("transform") == "log10":
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log10(values + endpoint["offset"])
            values = np.where(np.isfinite(values), values, np.nan)
        columns.append(values)
    return np.stack(columns, axis=1)


def _kind(values: np.ndarray) -> str:
    """A class where there is nothing but 0 and 1."""
    return "classification" if np.isin(values[~np.isnan(values)], (0, 1)).all() else "regression"


def _numeric(frame: pd.DataFrame, apart: set[str]) -> tuple[str, ...]:
    """Columns whose filled cells are nearly all numbers, and not all the same."""
    found = []
    for name in frame.columns:
        if name in apart or str(name).lower() in ("id", "row", "index", ""):
            continue
        cells = frame[name].replace("", np.nan).dropna()
        values = numbers(pd.Series(cells))
        if len(cells) and np.isfinite(values).mean() > 0.9 and len(np.unique(values)) > 1:
            found.append(str(name))
    return tuple(found)


def _require(frame: pd.DataFrame, source: str, columns: tuple[str, ...], remedy: str) -> None:
    """A ValueError that names the columns that are not there."""
    missing = sorted(set(columns) - set(frame.columns))
    if missing:
        raise ValueError(f"{source}: no column {', '.join(missing)}; {remedy}")
