"""The champion and the former ones: whole models with their data version, scores and the reason they rose."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.companions import REPORTS
from manywalks.train.prepare import read_tables
from manywalks.workspace import Workspace


@dataclass(frozen=True)
class Champions:
    """models/champions: a folder for each model; models/champion: a link to the one in use."""

    workspace: Workspace

    @property
    def folder(self) -> Path:
        """Holds a folder for each model."""
        return self.workspace.root / "models/champions"

    @property
    def link(self) -> Path:
        """The champion, for `manywalks predict models/champion …`; replaced in one instant."""
        return self.workspace.root / "models/champion"

    def current(self) -> str | None:
        """Name of the champion, None before the first."""
        return self.link.resolve().parent.name if self.link.is_symlink() and self.link.exists() else None

    def model(self, name: str) -> Path:
        """Folder of a model."""
        return self.folder / name / "model"

    def entry(self, name: str) -> dict[str, Any]:
        """What is known of a model; a ValueError lists the models there are."""
        path = self.folder / name / "entry.json"
        if not path.is_file():
            raise ValueError(f"{name}: no such model; known are {', '.join(self.names()) or 'none'}")
        return files.read_json(path)

    def names(self) -> list[str]:
        """All models kept, oldest first."""
        found = [path.parent.name for path in self.folder.glob("*/entry.json")]
        return sorted(found, key=lambda name: (self.entry(name)["made"], name))

    def seen(self, name: str) -> pd.DataFrame:
        """Molecules that the model knew: smiles, subset, and of each endpoint values and their relation."""
        return pd.read_parquet(self.folder / name / "seen.parquet")

    def history(self) -> list[dict[str, Any]]:
        """Promotions in order: name, when, reason, former."""
        path = self.folder / "history.json"
        return files.read_json(path) if path.is_file() else []

    def add(self, scores: dict[str, Any]) -> str:
        """Keep models/ensemble as it is now, with what it was trained on; its name."""
        workspace = self.workspace
        about = manifest.read(workspace.ensemble)
        now = datetime.now(UTC)
        name = f"{now:%Y-%m-%d}-{about['store'][:6]}"
        known = [kept for kept in self.names() if self.entry(kept)["store"] == about["store"]]
        if known:  # the same replicates, perhaps of another night
            current = self.current()
            return current if current is not None and current in known else known[-1]
        building = self.folder / f".tmp-{name}"
        shutil.rmtree(building, ignore_errors=True)
        shutil.copytree(workspace.ensemble, building / "model")
        curated, subsets = read_tables(workspace)
        columns = [(name, f"{name}:relation") for name in workspace.params.data.endpoints]
        known = curated.loc[:, ["smiles", *chain.from_iterable(columns)]].assign(subset=subsets)
        known.to_parquet(building / "seen.parquet")
        for report in REPORTS:
            if (workspace.reports / report).is_file():
                shutil.copy(workspace.reports / report, building / report)
        entry = {
            "name": name,
            "made": now.isoformat(timespec="seconds"),
            "store": about["store"],
            "data": about["data"],
            "replicates": about["replicates"],
            "scores": scores,
        }
        files.write_json(building / "entry.json", entry)
        building.rename(self.folder / name)
        return name

    def lost(self) -> dict[str, float]:
        """Share of its score that each endpoint has lost since it was best, by equivalent challengers."""
        current = self.current()
        return next((s.get("lost", {}) for s in reversed(self.history()) if s["name"] == current), {})

    def promote(self, name: str, reason: str, lost: dict[str, float] | None = None) -> None:
        """Make a model the champion; the former one stays. `lost` is what it has lost, by endpoint."""
        self.entry(name)
        manifest.read(self.model(name))  # a damaged model never becomes the champion
        former = self.current()
        step = {
            "name": name,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "reason": reason,
            "former": former,
            "lost": lost or {},
        }
        files.write_json(self.folder / "history.json", [*self.history(), step])
        beside = self.link.with_name(".tmp-champion")
        beside.unlink(missing_ok=True)
        beside.symlink_to(Path("champions") / name / "model")
        beside.replace(self.link)

    def roll_back(self, reason: str = "rolled back") -> str:
        """Make the former champion the champion again; its name."""
        current = self.current()
        former = next((s["former"] for s in reversed(self.history()) if s["name"] == current), None)
        if former is None or not (self.folder / former).is_dir():
            raise ValueError(f"{self.folder}: there is no former champion to go back to")
        self.promote(former, reason)
        return former

    def prune(self, keep: int) -> list[str]:
        """Leave the champion and the `keep` newest others; the names of those removed."""
        others = [name for name in self.names() if name != self.current()]
        gone = others[: max(0, len(others) - keep)]
        for name in gone:
            shutil.rmtree(self.folder / name)
        return gone
