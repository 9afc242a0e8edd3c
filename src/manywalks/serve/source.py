"""What a service is asked to serve: NAME=PATH of a model's folder, a workspace, or a .zip."""

import re
from dataclasses import dataclass
from pathlib import Path

from manywalks.ensemble import manifest

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Identity = tuple[str, int, int, int]


@dataclass(frozen=True)
class Source:
    """A model's name for its clients, and where it lies; of a workspace, that of its champion."""

    name: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> "Source":
        """`NAME=PATH`, or a path whose workspace, or whose file, gives the name."""
        name, equals, rest = text.partition("=")
        if not (equals and NAME.fullmatch(name)):
            name, rest = "", text
        path = Path(rest)
        if not path.exists():
            raise ValueError(
                f"{rest}: no such model; give a model's folder, a workspace, or a .zip of `export`"
            )
        return cls(name or _name_of(path.resolve()), path)

    def model(self) -> Path:
        """The model's folder or archive as it is now."""
        if self.path.is_file() or (self.path / manifest.FILE).is_file():
            return self.path
        champion = self.path / "models/champion"
        if (champion / manifest.FILE).is_file():
            return champion
        return self.path / "models/ensemble"

    def identity(self) -> Identity | None:
        """Another one when another model lies there; None while none does."""
        path = self.model()
        try:
            real = (path if path.is_file() else path / manifest.FILE).resolve(strict=True)
            found = real.stat()
        except OSError:
            return None
        return str(real), found.st_mtime_ns, found.st_size, found.st_ino

    def champion(self) -> str | None:
        """Name of the champion that is served; None if the model is not a champion."""
        folder = self.model().resolve()
        return folder.parent.name if folder.parent.parent.name == "champions" else None


def parse_all(texts: list[str]) -> list[Source]:
    """The models to serve, each under a name of its own."""
    sources = [Source.parse(text) for text in texts]
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name}: two models have this name; give one another, as NAME=PATH")
    return sources


def _name_of(path: Path) -> str:
    """The archive's or the workspace's name."""
    if path.name in ("ensemble", "champion") and path.parent.name == "models":
        path = path.parent.parent
    elif path.parent.parent.name == "champions":
        path = path.parent.parent.parent.parent
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem if path.is_file() else path.name).strip("-._")[:64]
    return name or "model"
