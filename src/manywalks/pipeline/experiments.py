"""DVC experiments of parameters that were tried elsewhere: nothing runs, the workspace stays as it is.

`dvc exp save` would want each trial's files in the workspace. An experiment is a git commit under a name of
DVC's, so it is made from a git index of its own, beside the user's.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from manywalks.pipeline.git import git, top_of
from manywalks.pipeline.versions import experiment_ref
from manywalks.workspace import Workspace

# a folder with a dvc.yaml of its own, as DVCLive has one: DVC collects the scores that it names
FOLDER, SCORES = "tune", "trial.json"


class Experiment(NamedTuple):
    """Something that was tried.

    Attributes:
        name: as `dvc exp show` has it.
        params: text of params.yaml.
        scores: what was found, by name.
    """

    name: str
    params: str
    scores: Mapping[str, Any]


def check(workspace: Workspace) -> None:
    """Refuse a workspace whose experiments DVC would not show (ValueError)."""
    if not workspace.is_recorded:
        raise ValueError(
            f"--dvc: {workspace.root} is not recorded by DVC; make such a workspace with `manywalks init "
            "TABLE --dvc`, or leave out --dvc"
        )
    try:
        git(workspace, "rev-parse", "--verify", "--quiet", "HEAD")
    except ValueError:
        raise ValueError(f"--dvc: {workspace.root} has no git commit yet; commit first") from None
    git(workspace, "var", "GIT_COMMITTER_IDENT")  # git's own line where nobody has a name


def save(workspace: Workspace, experiments: Sequence[Experiment]) -> None:
    """Save experiments of the present commit; former ones of the same names are replaced."""
    head = git(workspace, "rev-parse", "HEAD")
    below = workspace.root.relative_to(top_of(workspace)).as_posix()
    for one in experiments:
        contents = {
            "params.yaml": one.params,
            f"{FOLDER}/dvc.yaml": f"metrics:\n  - {SCORES}\n",
            f"{FOLDER}/{SCORES}": json.dumps(one.scores, indent=2) + "\n",
        }
        placed = {name if below == "." else f"{below}/{name}": text for name, text in contents.items()}
        commit = _commit(workspace, head, placed, f"manywalks tune: {one.name}")
        git(workspace, "update-ref", experiment_ref(head, one.name), commit)


def _commit(workspace: Workspace, head: str, contents: Mapping[str, str], message: str) -> str:
    """A commit on top of `head` with these files, by path from the top of the repository."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(workspace, "read-tree", head, environment=index)
        for path, text in contents.items():
            blob = git(workspace, "hash-object", "-w", "--stdin", given=text)
            git(workspace, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", environment=index)
        tree = git(workspace, "write-tree", environment=index)
    return git(workspace, "commit-tree", tree, "-p", head, "-m", message)
