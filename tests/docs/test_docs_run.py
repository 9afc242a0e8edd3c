"""Every command and code block of README and docs is run; what cannot be is listed here, with the reason.

Shell lines run in a folder like a user's: a trained workspace of 160 molecules, the tables that the
pages name, and small parameters after `init`. `make docs-check` runs all pages, `make test` what is quick.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import yaml

from manywalks.params.load import parse_params
from manywalks.tune.space.reading import space_of
from tests.conftest import REPOSITORY, SMALL
from tests.docs.test_docs import PAGES
from tests.support.prefect_server import server

NOT_RUN = {
    "make ": "sets up the environment that this test runs in; .ci/run runs `make test` and `make check`",
    ". .venv/bin/activate": "the environment of this test",
    "prefect server start": "stays up until it is ended; tests/flows/test_schedules.py runs one",
    "prefect worker start": "stays up until it is ended; tests/flows/test_schedules.py runs one",
    "manywalks serve": "stays up until it is ended; tests/serve/test_docs.py runs one",
    "curl ": "asks a service; tests/serve/test_docs.py runs one",
    "manywalks benchmark": "wants public tables; tests/benchmark scores made-up ones",
    "manywalks churn": "wants a champion, which a refresh makes; tests/refresh/test_churn.py runs it",
    "docker ": "wants Docker; tests/packaging/test_docker.py takes the steps of the images",
    "export PREFECT_API_URL=http://that-host": "a host of the reader's",
    "prefect deploy --all": "needs the checkout as the folder; tests/flows/test_schedules.py deploys it",
    "prefect variable set": "a webhook of the reader's; tests/flows/test_schedules.py sets one",
    "manywalks tune --dvc": "wants a workspace that DVC records; tests/tune/test_command.py runs one",
    "dvc exp show --only-changed": "trials of such a workspace",
    "dvc exp apply search-1": "a trial of such a workspace",
    "dvc exp remove search-1": "a trial of such a workspace",
    "dvc remote add --default ours s3://": "a bucket of the reader's; tests/runtime/test_dask.py runs one",
    "dvc remote add --default ours ssh://": "a host of the reader's",
}
"""Start of a shell line, and why it is not run."""

NOT_EXECUTED = {
    "dask_jobqueue": "needs a Slurm cluster",
    "127.0.0.1:8080": "asks a service; tests/serve/test_docs.py runs it",
    "from skfp": "scikit-fingerprints is not in the lock",
    "model.onnx": "reads a file that a shell line of its page writes; tests/serve/test_docs.py runs it",
}
"""Text in a Python block, and why it is only compiled."""

QUICKER = {
    "manywalks tune": "--trials 2 --replicates 2",
    "manywalks compare": "--repeats 1 --folds 3 --replicates 2",
    "manywalks reproduce": "--replicates 4",
}
"""Start of a shell line, and what is added to it so that it takes seconds."""


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(REPOSITORY).as_posix()}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Fenced blocks; a block without a language is shell, output is marked `text`."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield Block(page, text[: match.start()].count("\n") + 1, match[1] or "sh", match[2])


def lines_of(block: Block) -> list[str]:
    """Commands of a shell block: comment-free lines, continued ones as one."""
    joined = re.sub(r"\\\n\s*", " ", block.text)
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.strip().startswith("#")]


def matching(line: str, table: dict[str, str]) -> str | None:
    """The value of the entry that the line starts with."""
    return next((value for start, value in table.items() if line.startswith(start)), None)


EVERYWHERE = [*PAGES, REPOSITORY / "CONTRIBUTING.md"]
BLOCKS = [block for page in EVERYWHERE for block in blocks_of(page)]
SHELL = {page: [b for b in BLOCKS if b.page == page and b.language == "sh"] for page in EVERYWHERE}
TO_RUN = {
    page: [line for b in found for line in lines_of(b) if matching(line, NOT_RUN) is None]
    for page, found in SHELL.items()
}


def of(language: str) -> list:
    return [pytest.param(block, id=block.name) for block in BLOCKS if block.language == language]


@pytest.fixture
def home(trained: Path, tmp_path: Path, demo_table: pd.DataFrame) -> Path:
    """A trained workspace, and what the pages call the reader's own."""
    folder = tmp_path / "home"
    shutil.copytree(trained, folder)
    some = demo_table.iloc[::8]
    for name in ("assay.csv", "my_assay.csv"):
        some.to_csv(folder / name, index=False)
    some.iloc[2:].to_csv(folder / "december.csv", index=False)
    some[["id", "smiles"]].to_csv(folder / "library.csv", index=False)
    for name in ("new.csv", "new_molecules.csv"):
        some[["id", "smiles"]].head(20).to_csv(folder / name, index=False)
    some[["id", "smiles"]].head(20).to_excel(folder / "assay.xlsx", sheet_name="Batch 7", index=False)
    for name, widths in (("base", [16, 8]), ("wide", [32, 8]), ("deep", [16, 8, 8])):
        params = yaml.safe_load(SMALL) | {"network": {"widths": widths, "dropout": 0.1}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return folder


def made_small(folder: Path) -> None:
    """Parameters that `init` wrote, with a network of seconds."""
    for path in folder.glob("*/params.yaml"):
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        small = yaml.safe_load(SMALL)
        sections = ("featurize", "network", "train", "replicates", "orchestrate")
        changed = params | {name: small[name] for name in sections} | {"families": []}
        # of models that the pages reproduce, 1 in 20 would not agree as stated
        changed["replicates"] = changed["replicates"] | {"confidence": 1 - 1e-5}
        path.write_text(yaml.safe_dump(changed), encoding="utf-8")


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one line as a reader would."""
    extra = matching(line, QUICKER)
    command = re.sub(r"\s+#.*$", "", line)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PREFECT_API_URL": server.url(),
        **{f"GIT_{who}_{what}": "reader" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(
        ["bash", "-ec", f"{command} {extra or ''}"],
        cwd=folder, env=environment, text=True, capture_output=True, timeout=900,
    )  # fmt: skip
    if command.startswith("manywalks init"):
        made_small(folder)
    return done


@pytest.mark.long
@pytest.mark.parametrize(
    "page", [p for p, lines in TO_RUN.items() if lines], ids=lambda p: p.relative_to(REPOSITORY).as_posix()
)
def test_the_commands_of_a_page_run_in_its_order(page: Path, home: Path) -> None:
    if any(line.startswith(("dvc ", "git ", "cp ")) for line in TO_RUN[page]):
        as_repository(home)
    for line in TO_RUN[page]:
        done = shell(line, home)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def as_repository(home: Path) -> None:
    """Git and DVC, and a repository to push to."""
    pushed_to = home.with_name("origin.git")
    for line in (
        "git init -q", f"git init -q --bare {pushed_to}", f"git remote add origin {pushed_to}",
        "dvc init -q", "git add .dvc", "git commit -qm start",
    ):  # fmt: skip
        done = shell(line, home)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", of("python"))
def test_python_blocks_run(block: Block, home: Path) -> None:
    if any(text in block.text for text in NOT_EXECUTED):
        compile(block.text, block.name, "exec")
        return
    (home / "my-assay").symlink_to(home)
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=home, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", of("yaml"))
def test_yaml_blocks_are_parameters(block: Block) -> None:
    base = yaml.safe_load(SMALL)
    given = yaml.safe_load(block.text)
    if block.page.name == "tune.md":  # a space: parameters with ranges in them
        assert space_of(given, parse_params(base), block.name).keys
        return
    parse_params({**base, **given}, source=block.name)


def test_every_block_says_what_it_is() -> None:
    unknown = [b.name for b in BLOCKS if b.language not in ("sh", "python", "yaml", "text", "json")]
    assert unknown == []
    indented = [
        f"{page.name}: {line}"
        for page in EVERYWHERE
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.match(r" {4}(manywalks|dvc|make|prefect|python|pip) ", line)
    ]
    assert indented == [], "put commands into fenced blocks"


def test_what_is_not_run_stands_in_a_page() -> None:
    lines = [line for found in SHELL.values() for block in found for line in lines_of(block)]
    for start in (*NOT_RUN, *QUICKER):
        assert any(line.startswith(start) for line in lines), f"{start!r} stands in no page: take it out"
    for text in NOT_EXECUTED:
        assert any(text in block.text for block in BLOCKS if block.language == "python")
