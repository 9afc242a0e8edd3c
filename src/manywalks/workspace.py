"""A workspace: a folder with a params.yaml, and where everything in it lies."""

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from manywalks.params.load import Params, load_params

# how the commands of our stages begin
OUR_STAGES = "manywalks.tasks"


def dvc_repository(folder: Path) -> Path | None:
    """The DVC repository that a folder is or lies in; None where there is none."""
    places = (folder.resolve(), *folder.resolve().parents)
    return next((place for place in places if (place / ".dvc").is_dir()), None)


@dataclass(frozen=True)
class Workspace:
    """A folder with a params.yaml. The repository is one; `--workspace` names another."""

    root: Path

    @classmethod
    def open(cls, root: Path | str) -> "Workspace":
        """The workspace at `root`; ValueError where there is no folder."""
        root = Path(root).resolve()
        if not root.is_dir():
            folder = shlex.quote(str(root))
            raise ValueError(
                f"{root}: no such folder; make one with `manywalks init TABLE --workspace {folder}`"
            )
        return cls(root)

    @cached_property
    def params(self) -> Params:
        """params.yaml of the workspace, checked."""
        return load_params(self.params_file)

    @property
    def params_file(self) -> Path:
        """The parameters of every run in this workspace."""
        return self.root / "params.yaml"

    @property
    def is_recorded(self) -> bool:
        """Whether DVC records what runs here: a dvc.yaml with our stages, in a DVC repository."""
        stages = self.root / "dvc.yaml"
        if dvc_repository(self.root) is None or not stages.is_file():
            return False
        return OUR_STAGES in stages.read_text(encoding="utf-8")

    @property
    def state(self) -> Path:
        """Machine-local state: records of finished steps, locks, logs. Safe to delete."""
        return self.root / ".manywalks"

    @property
    def table(self) -> Path:
        """The raw table."""
        return self.root / self.params.data.path

    @property
    def curated(self) -> Path:
        """Kept molecules."""
        return self.root / "data/curated.parquet"

    @property
    def rejected(self) -> Path:
        """Every raw record that was not kept, with its reason."""
        return self.root / "data/rejected.csv"

    @property
    def features(self) -> Path:
        """The feature matrix with named columns."""
        return self.root / "data/features.npz"

    @property
    def not_featurized(self) -> Path:
        """Kept molecules that have no features, each with its reason."""
        return self.root / "data/not_featurized.csv"

    @property
    def split(self) -> Path:
        """Which molecule stands in which part."""
        return self.root / "data/split.parquet"

    @property
    def replicates(self) -> Path:
        """Folder of replicates, one folder a key in it."""
        return self.root / "models/replicates"

    @property
    def draws(self) -> Path:
        """Folder of replicates on other draws of the training molecules, like that of the replicates."""
        return self.root / "models/draws"

    @property
    def ensemble(self) -> Path:
        """Folder of the ensemble: model.keras, manifest.json and what they need."""
        return self.root / "models/ensemble"

    @property
    def reports(self) -> Path:
        """Folder of everything that people and DVC read."""
        return self.root / "reports"
