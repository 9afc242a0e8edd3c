"""What a run would fail by later, said before any server or process starts."""

import importlib.util

from manywalks.runtime.resources import NO_DASK, usable_cores
from manywalks.workspace import Workspace


def check(workspace: Workspace) -> None:
    """Refuse parameters that are wrong, or a table that lacks a column, in one line (ValueError)."""
    _check_tolerances(workspace)
    _check_machine(workspace)
    _check_table(workspace)


def _check_tolerances(workspace: Workspace) -> None:
    """Their form; whether "1 noise" has a scale is known once the table is curated."""
    from manywalks.replicates.statistics.stopping import resolve_tolerance

    params = workspace.params
    resolve_tolerance(params.replicates.tolerance, 1.0, 1.0)
    for name, endpoint in params.data.endpoints.items():
        if endpoint.tolerance is not None:
            resolve_tolerance(endpoint.tolerance, 1.0, 1.0, key=f"data.endpoints.{name}.tolerance")


def _check_machine(workspace: Workspace) -> None:
    """Cores and runner."""
    asked = workspace.params.orchestrate
    there = usable_cores()
    if asked.runner == "local" and asked.cores is not None and asked.cores > there:
        raise ValueError(
            f"orchestrate.cores: {asked.cores} are more than the {there} that may be used here; lower it, or "
            "remove it to use all"
        )
    if asked.runner == "dask" and importlib.util.find_spec("prefect_dask") is None:
        raise ValueError(NO_DASK)


def _check_table(workspace: Workspace) -> None:
    """That it is there, here or as a .dvc file, and has the columns that the parameters name."""
    from manywalks.data.checks import check_columns
    from manywalks.tables.frame import known_columns
    from manywalks.tables.reader import Format

    data, table = workspace.params.data, workspace.table
    if data.rev is not None:
        return  # another version than the file that lies here
    if not table.exists():
        pointer = table.with_name(table.name + ".dvc")
        if not pointer.is_file():
            raise ValueError(f"{table}: no such file (data.path)")
        if not workspace.is_recorded:  # nothing here would ask DVC for it
            raise ValueError(f"{table}: is not here, only {pointer.name} is; `dvc pull {pointer}` brings it")
        return
    names = known_columns(table, name=data.path, said=Format.of(data))
    if names is not None:
        check_columns(names, workspace.params)
