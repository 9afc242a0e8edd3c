"""models/record: one folder per nightly run, written once and never changed.

reports/record.parquet and record.html are made from these folders, so they can be lost. Two runs at once
write two folders; a measurement that both judged counts once, for the earlier.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.record.prospective import COLUMNS, nothing
from manywalks.workspace import Workspace

NIGHT, JUDGED = "night.json", "judged.parquet"
# what every night says
NEEDED = ("when", "challenger", "rebuilt", "endpoints")


@dataclass(frozen=True)
class Kept:
    """All nights of a record.

    Attributes:
        nights: what is known of each run, oldest first.
        judged: one row per measurement: the columns of `prospective.COLUMNS`, `night` and `when`.
        damaged: folders that cannot be read.
    """

    nights: list[dict[str, Any]]
    judged: pd.DataFrame
    damaged: list[str]


def folder_of(workspace: Workspace) -> Path:
    """Holds a folder for each run."""
    return workspace.root / "models/record"


def keep(workspace: Workspace, night: dict[str, Any], judged: pd.DataFrame) -> str:
    """Keep one run in a folder of its own, whole or not at all; its name.

    Args:
        night: `when` (ISO time), `challenger`, and what else is known of the run.
        judged: measurements that came with it.
    """
    folder = folder_of(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    building = folder / f".tmp-{uuid4().hex}"
    building.mkdir()
    try:
        files.write_json(building / NIGHT, night)
        judged.to_parquet(building / JUDGED, index=False)
        return _renamed(building, f"{night['when'][:19].replace(':', '')}-{night['challenger'][-6:]}")
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read(workspace: Workspace) -> Kept:
    """Every night that can be read; each measurement once, as the earliest night judged it.

    A night that was made from a kept model counts only where no run tells of that model.
    """
    nights, frames, damaged = [], [nothing().assign(night="", when="")], []
    for folder in sorted(folder_of(workspace).glob("[!.]*")):
        try:
            night = json.loads((folder / NIGHT).read_text(encoding="utf-8"))
            when, *_ = (night[key] for key in NEEDED)
            frame = pd.read_parquet(folder / JUDGED).astype(COLUMNS).assign(night=folder.name, when=when)
        # of pyarrow too: a file that is gone, cut off or another's
        except (OSError, ValueError, KeyError, TypeError):
            damaged.append(folder.name)
            continue
        nights.append({**night, "night": folder.name})
        frames.append(frame)
    nights.sort(key=lambda night: (night["when"], night["night"]))
    # the runs themselves first: the first to tell of a model is believed, a night made from it again is not
    tellers = {night["challenger"]: night["night"]
               for night in sorted(nights, key=lambda night: night["rebuilt"])[::-1]}  # fmt: skip
    told = [one for one in nights if not one["rebuilt"] or tellers[one["challenger"]] == one["night"]]
    names = {one["night"] for one in told}
    whole = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    order = np.lexsort((whole["night"].to_numpy(dtype=str), whole["when"].to_numpy(dtype=str)))
    kept = whole.iloc[order[whole["night"].isin(list(names)).to_numpy()[order]]]
    return Kept(told, kept.drop_duplicates(["endpoint", "smiles"], ignore_index=True), damaged)


def _renamed(building: Path, name: str) -> str:
    """Give a finished folder its name, or the next one that is free."""
    for number in range(1000):
        place = building.with_name(name + (f"-{number}" if number else ""))
        try:
            building.rename(place)  # an empty folder would be replaced, a night's never is
        except OSError:
            if not place.exists():
                raise
        else:
            return place.name
    raise ValueError(f"{building.parent}: a thousand runs called {name}; move some of them away")
