"""Begin a search, or find the last one to go on with: what it searched, and on what."""

import shlex
from pathlib import Path
from typing import Any, NamedTuple

from manywalks import files
from manywalks.compare.configurations import SHARED, VARIED
from manywalks.params.load import Params, read_sections
from manywalks.replicates.code_key import training_code
from manywalks.tune.history import next_folder, searches
from manywalks.tune.space.default_space import SOURCE, default_sections
from manywalks.tune.space.reading import space_of
from manywalks.tune.space.space import Space
from manywalks.workspace import Workspace

NAME = "search.json"


class Opened(NamedTuple):
    """A search that is to be made.

    Attributes:
        folder: of its journal.
        space: what it searches.
        sections: the space as it was written.
    """

    folder: Path
    space: Space
    sections: dict[str, Any]


def open_search(workspace: Workspace, space_file: Path | None, *, resume: bool) -> Opened:
    """A new search, or the last one; a ValueError says why that cannot go on."""
    present = workspace.params
    asked = None if space_file is None else _read(space_file)
    if not resume:
        if space_file is not None and not isinstance(asked, dict):
            raise ValueError(f"{space_file}: has no sections; write ranges as in docs/tune.md")
        sections = asked or default_sections(present)
        source = str(space_file or SOURCE)
        folder = next_folder(workspace.state / "tune")
        return Opened(folder, space_of(sections, present, source), sections)
    found = searches(workspace.state / "tune")
    if not found or not (found[-1] / NAME).is_file():
        raise ValueError("--continue: there is no search to go on with; run without --continue to begin one")
    kept = files.read_json(found[-1] / NAME)
    if asked is not None and _plain(asked) != kept["sections"]:
        raise ValueError(
            f"--continue: the last search had another space than {space_file}; leave out one of the two"
        )
    _refuse_changes(kept["made_on"], made_on(present))
    return Opened(found[-1], space_of(kept["sections"], present, kept["source"]), kept["sections"])


def _read(space_file: Path) -> Any:
    """What a file of ranges holds."""
    if not space_file.is_file():
        made = f"manywalks tune --show-space > {shlex.quote(str(space_file))}"
        raise ValueError(f"--space {space_file}: no such file; make one with `{made}`")
    return read_sections(space_file)


def made_on(present: Params) -> dict[str, Any]:
    """What scores of a search depend on beside its trials."""
    sections = present.model_dump(mode="json", include={*SHARED, *VARIED})
    return {
        **_plain(sections),
        "code": files.sha256_bytes(repr(sorted(training_code().items())).encode())[:16],
    }


def keep(opened: Opened, present: Params, curated: Path) -> None:
    """Write down what the search is about; of one that goes on, check that the molecules are the same."""
    path, molecules = opened.folder / NAME, files.md5_file(curated)
    if path.is_file():
        if files.read_json(path)["molecules"] != molecules:
            raise ValueError(
                "--continue: the table has changed since the last search; "
                "run without --continue to begin a new search"
            )
        return
    content = {
        "source": opened.space.source,
        "sections": _plain(opened.sections),
        "made_on": made_on(present),
        "molecules": molecules,
    }
    files.write_json(path, content)


def _refuse_changes(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Scores of other settings, data or code say nothing of these."""
    changed = [name for name in now if now[name] != before.get(name)]
    if changed:
        what = "the training code" if changed == ["code"] else f"{changed[0]} in params.yaml"
        raise ValueError(
            f"--continue: {what} has changed since the last search; "
            "run without --continue to begin a new search"
        )


def _plain(value: Any) -> Any:
    """As JSON has it: tuples as lists, keys as text."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
