"""What git is asked: commands of a workspace, and the commit that a name stands for."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from manywalks.workspace import Workspace


def git(
    workspace: Workspace,
    *arguments: str,
    given: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """What a git command says; ValueError with its own line where it fails. It never asks for a password."""
    done = subprocess.run(
        ["git", *arguments], cwd=workspace.root, text=True, capture_output=True, check=False, input=given,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **(environment or {})},
    )  # fmt: skip
    if done.returncode:
        raise ValueError(f"{workspace.root}: git {' '.join(arguments)}: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


def commit_of(workspace: Workspace, rev: str) -> str:
    """The full name of the commit that a branch, tag or shortened name stands for now."""
    path = workspace.params.data.path
    try:
        git(workspace, "rev-parse", "--git-dir")
    except ValueError:
        raise ValueError(
            f"{path} at {rev!r}: {workspace.root} lies in no git repository, which would keep versions "
            "(data.rev)"
        ) from None
    try:
        return git(workspace, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    except ValueError:
        raise ValueError(
            f"{path} at {rev!r}: git knows no such tag, branch or commit; `git tag` and `git branch` list "
            "them (data.rev)"
        ) from None


def top_of(workspace: Workspace) -> Path:
    """The folder that holds the git repository of the workspace, which may lie deep inside it."""
    return Path(git(workspace, "rev-parse", "--show-toplevel"))
