"""A model in one file: a .zip of its folder and of what is said about it, each file with its checksum."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from manywalks import files
from manywalks.runtime import interrupt

CHECKSUMS = "checksums.json"
# the folder of the model within the archive; beside it stands what is said about it
MODEL = "model"


@contextmanager
def model_folder(path: Path) -> Iterator[Path]:
    """The folder of a model; of a .zip, a folder that holds its content as long as the block lasts."""
    if path.suffix.lower() != ".zip" or not path.is_file():
        yield path
        return
    with interrupt.scratch_folder() as folder:
        unpack(path, folder)
        yield folder / MODEL


def pack(members: Mapping[str, bytes], output: Path) -> None:
    """Write an archive, whole or not at all; the same members give the same bytes.

    Args:
        members: content by name, such as "model/manifest.json".
        output: ends in .zip.
    """
    checksums = {name: files.sha256_bytes(content) for name, content in members.items()}
    whole = {CHECKSUMS: json.dumps(checksums, indent=2).encode(), **members}
    with files.atomic_path(output) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in whole.items():
            # a ZipInfo of its own has a fixed time; weights hardly compress
            archive.writestr(zipfile.ZipInfo(name), content)


def unpack(path: Path, target: Path) -> None:
    """Write the members of an archive into `target`; a ValueError where one is not what it was."""
    try:
        with zipfile.ZipFile(path) as archive:
            checksums = _checksums(archive, path)
            for name, checksum in checksums.items():
                content = archive.read(name)
                if files.sha256_bytes(content) != checksum:
                    raise ValueError(f"{path}: {name} in it is damaged; copy the file again")
                place = target / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ValueError(f"{path}: is damaged ({error}); copy the file again") from None


def _checksums(archive: zipfile.ZipFile, path: Path) -> dict[str, str]:
    """SHA-256 by member; no member may lie outside of the folder that it is written to."""
    if CHECKSUMS not in archive.namelist():
        raise ValueError(
            f"{path}: is no model of manywalks; `manywalks export MODEL --zip {path.name}` makes one"
        )
    checksums = json.loads(archive.read(CHECKSUMS))
    for name in checksums:
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or "\\" in name:
            raise ValueError(f"{path}: names a file outside of itself ({name!r}); do not use it")
    return checksums
