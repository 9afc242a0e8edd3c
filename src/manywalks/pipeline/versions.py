"""The one file that knows DVC: its lock, its record, its remotes."""

import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock, Timeout

from manywalks import files
from manywalks.pipeline.definition import Stage, content_hash, is_current, load_stages
from manywalks.pipeline.git import commit_of, git, top_of
from manywalks.runtime.locks import remove_leftovers
from manywalks.workspace import Workspace

if TYPE_CHECKING:
    from dvc.repo import Repo


@contextmanager
def exclusive(workspace: Workspace, *, wait: float = 0) -> Iterator["Repo | None"]:
    """Hold the workspace for one run, and DVC's own lock where DVC records it.

    So no other flow and no `dvc repro` writes the same outputs meanwhile. Yields the DVC repository,
    None in a workspace that DVC does not record.

    Raises:
        ValueError: somebody else holds it (after `wait` seconds); the line says who.
    """
    workspace.state.mkdir(parents=True, exist_ok=True)
    holder = workspace.state / "holder"
    try:
        with FileLock(workspace.state / "lock", timeout=wait):
            holder.write_text(f"process {os.getpid()}", encoding="utf-8")
            remove_leftovers(workspace)
            if workspace.is_recorded:
                with _dvc_locked(workspace) as repo:
                    yield repo
            else:
                yield None
    except Timeout:
        who = holder.read_text(encoding="utf-8") if holder.is_file() else "another process"
        raise ValueError(f"{workspace.root}: {who} is at work here; wait until it ends, or end it") from None


@contextmanager
def _dvc_locked(workspace: Workspace) -> Iterator["Repo"]:
    """DVC's lock of the repository, and its write lock on every output of the pipeline."""
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo, lock_repo
    from dvc.rwlock import RWLOCK_FILE, rwlock

    # DVC's line for each stage ("Updating lock file 'dvc.lock'") would break the bars
    logging.getLogger("dvc").setLevel(logging.WARNING)
    repo = Repo(str(workspace.root))
    try:
        with lock_repo(repo):
            _mend_rwlock(Path(str(repo.tmp_dir)) / RWLOCK_FILE)
            outs = [out.fs_path for stage in repo.index.stages if stage.cmd for out in stage.outs]
            # `dvc repro` lets the repository's lock go while a stage's command runs and keeps this one;
            # named as DVC names it, so that our own `dvc commit` passes
            with rwlock(repo.tmp_dir, repo.fs, " ".join(sys.argv), [], outs, False):
                yield repo
    except LockError as error:
        line = " ".join(str(error).split())
        raise ValueError(f"{workspace.root}: DVC is at work here ({line}); wait until it ends") from None
    except DvcException as error:
        raise ValueError(f"{workspace.root}: DVC: {' '.join(str(error).split())}") from None
    finally:
        repo.close()


def _mend_rwlock(path: Path) -> None:
    """Remove DVC's list of write locks where a killed process left half of it (DVC writes it in place)."""
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        path.unlink()


def record(repo: "Repo | None", workspace: Workspace, stages: Sequence[Stage]) -> None:
    """Write the stages that ran into dvc.lock, as `dvc repro` would have.

    Raises:
        ValueError: a dependency or an output is not what it was when the stage ran; nothing is recorded.
    """
    for stage in stages:
        if not is_current(stage, workspace):
            raise ValueError(
                f"{workspace.root}: an input or output of stage {stage.name} changed after it ran; "
                "dvc.lock is left as it was: run again"
            )
    if repo is None:
        return
    # stages side by side end in either order; dvc.lock has them in dvc.yaml's, as after `dvc repro`
    order = list(load_stages(workspace))
    for stage in sorted(stages, key=lambda ran: order.index(ran.name)):
        # with its folder, since DVC looks for a bare name where the user stands
        repo.commit(f"{workspace.root / 'dvc.yaml'}:{stage.name}", force=True)


def fetch(repo: "Repo | None", workspace: Workspace) -> bool:
    """Bring the raw table from the DVC remote where only its .dvc file is there; True when it did."""
    pointer = workspace.table.with_name(workspace.table.name + ".dvc")
    if repo is None or workspace.table.exists() or not pointer.is_file():
        return False
    from dvc.exceptions import DvcException

    with _quietly() as said:
        try:
            repo.pull(targets=[str(pointer)])
        except DvcException as error:
            raise ValueError(_not_here(repo, workspace, said or [str(error)])) from None
    return True


def _not_here(repo: "Repo", workspace: Workspace, said: list[str]) -> str:
    """What is said of a table whose content is neither in the cache nor in a remote."""
    table = workspace.table
    pull = f"`dvc pull {table.name}.dvc`"
    name = repo.config["core"].get("remote")
    if not name:
        return (
            f"{table}: is not here, its content is not in DVC's cache, and no DVC remote is set; add the one "
            f"that holds it (dvc remote add --default NAME URL), then {pull}"
        )
    url = repo.config["remote"].get(name, {}).get("url", "")
    return f"{table}: is not here, and {pull} from remote {name} ({url}) failed: {' '.join(said[-1].split())}"


@contextmanager
def _quietly() -> Iterator[list[str]]:
    """What DVC logs as errors, kept instead of shown with its traceback."""
    said = list[str]()
    loggers = [logging.getLogger(name) for name in ("dvc", "dvc_data", "dvc_objects")]

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            cause = record.exc_info[1] if record.exc_info else None
            said.append(f"{record.getMessage()} {cause or ''}".strip())

    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [Kept(logging.ERROR)], False
    try:
        yield said
    finally:
        for logger, (handlers, propagated) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagated


def pull_git(workspace: Workspace) -> str:
    """Bring newer .dvc files (and params.yaml) by `git pull --ff-only`; the commits, in words.

    Raises:
        ValueError: not a checkout with an upstream branch, or git cannot go straight ahead; git's own line.
    """
    try:
        before = git(workspace, "rev-parse", "--short", "HEAD")
        git(workspace, "rev-parse", "--abbrev-ref", "@{upstream}")
        git(workspace, "pull", "--ff-only", "--quiet")
        after = git(workspace, "rev-parse", "--short", "HEAD")
    except ValueError as error:
        raise ValueError(f"{error}; fix it, or refresh without --pull") from None
    return f"git {after} as before" if after == before else f"git {before} to {after}"


def update(repo: "Repo | None", workspace: Workspace) -> str:
    """Bring the newest version of the raw table; what was done, in words.

    A table that `dvc import` or `dvc import-url` brought is updated from where it came. One that a .dvc file
    names is pulled where it is not here or is a former version; one that somebody changed and DVC has not
    got is used as it is, since pulling would lose it. Newer .dvc files come with git: `pull_git`.
    """
    pointer = workspace.table.with_name(workspace.table.name + ".dvc")
    if repo is None or not pointer.is_file():
        return "the table as it is"
    from dvc.exceptions import DvcException

    try:
        (stage,) = repo.stage.load_all(str(pointer))
        if stage.is_import:
            repo.update(targets=[str(pointer)])
            return "updated from its source"
        if workspace.table.exists():
            return _newer(repo, workspace, pointer, str(getattr(stage.outs[0].hash_info, "value", None)))
    except DvcException as error:
        raise ValueError(f"{pointer}: `dvc update` failed: {' '.join(str(error).split())}") from None
    return "pulled" if fetch(repo, workspace) else "the table as it is"


def _newer(repo: "Repo", workspace: Workspace, pointer: Path, wanted: str) -> str:
    """Pull the version that the .dvc file names over a former one; in words."""
    present = str(content_hash(workspace.table))
    if present == wanted:
        return "the table as it is"
    if not repo.cache.local.exists(present):
        return f"the table as it is, with changes that {pointer.name} does not know"
    repo.pull(targets=[str(pointer)])
    return "pulled"


def push(repo: "Repo | None", workspace: Workspace) -> str:
    """Push data and model to the remote where the user set one outside the repository; in words."""
    if repo is None:
        return "not recorded by DVC"
    from dvc.exceptions import DvcException

    name = repo.config["core"].get("remote")
    url = str(repo.config["remote"].get(name, {}).get("url", "")) if name else ""
    if not url or Path(url).is_relative_to(workspace.root):
        return "no remote of your own (dvc remote add --default NAME URL)"
    try:
        return f"{repo.push()} files pushed to {url}"
    except DvcException as error:
        raise ValueError(f"{url}: `dvc push` failed: {' '.join(str(error).split())}") from None


def experiment_ref(commit: str, name: str) -> str:
    """Where DVC looks for the experiment of that name on top of a commit."""
    from dvc.repo.experiments.refs import ExpRefInfo

    return str(ExpRefInfo(commit, name))


def read_at(workspace: Workspace, path: str, rev: str) -> bytes:
    """Content of a file of the repository at a git revision or tag, from the cache or a remote."""
    import dvc.api
    from dvc.exceptions import DvcException
    from scmrepo.exceptions import SCMError

    # DVC looks for a path from the top of the git repository, wherever in it the workspace lies
    top = top_of(workspace)
    file = (workspace.root / path).parent.resolve() / Path(path).name
    if not file.is_relative_to(top):
        raise ValueError(f"{path} at {rev!r}: {file} lies outside the git repository {top} (data.rev)")
    try:
        return dvc.api.read(str(file.relative_to(top)), repo=str(top), rev=rev, mode="rb")
    except (DvcException, SCMError, FileNotFoundError) as error:
        line = " ".join(str(error).split())
        raise ValueError(f"{path} at {rev!r}: {line}; look at `dvc remote list` (data.rev)") from None


class Version(NamedTuple):
    """One version of the raw table: its file, and the commit that it was read at (None: as it is)."""

    file: Path
    commit: str | None


def table_at(workspace: Workspace, rev: str | None) -> Version:
    """The raw table: the file as it is where `rev` is None, else a copy of that revision's.

    A branch is read at the commit that it names now.
    """
    if rev is None:
        return Version(workspace.table, None)
    commit = commit_of(workspace, rev)
    content = read_at(workspace, workspace.params.data.path, commit)
    path = workspace.state / "tables" / files.sha256_bytes(content)[:16] / workspace.table.name
    if not path.is_file():
        files.write_bytes(path, content)
    return Version(path, commit)
