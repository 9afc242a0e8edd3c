"""A service follows the champion: the next request is answered by the new one, and no request is lost."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from manywalks.refresh.champions import Champions
from manywalks.workspace import Workspace
from tests.conftest import SMALL, command
from tests.support.service import Served, served

PREDICT = "/v1/models/demo/predict"
Seen = list[tuple[int, str]]


@contextmanager
def asking(running: Served, clients: int = 4) -> Iterator[Seen]:
    """Clients that ask all the time: the status of every answer, and the champion that gave it."""
    seen: Seen = []
    ended = threading.Event()

    def ask() -> None:
        with running.client() as own:
            while not ended.is_set():
                answer = own.post(PREDICT, json=["CCO", "CCN"])
                seen.append((answer.status_code, answer.json().get("champion")))

    with ThreadPoolExecutor(clients) as pool:
        asked = [pool.submit(ask) for _ in range(clients)]
        try:
            yield seen
        finally:
            ended.set()
        # a client whose connection broke has lost a request
        for one in asked:
            one.result()


@pytest.fixture
def work(trained: Path, tmp_path: Path) -> Workspace:
    """A trained workspace of its own."""
    shutil.copytree(trained, tmp_path / "work", symlinks=True)
    return Workspace.open(tmp_path / "work")


def test_the_next_request_is_answered_by_the_new_champion_and_none_is_lost(
    work: Workspace, tmp_path: Path
) -> None:
    champions = Champions(work)
    first = champions.add({"logS": {"rmse": 1.0}})
    second = "2027-01-01-abcdef"
    shutil.copytree(champions.folder / first, champions.folder / second)
    # another manifest is another version
    manifest = champions.model(second) / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    entry = champions.folder / second / "entry.json"
    entry.write_text(entry.read_text().replace(first, second))
    champions.promote(first, "the first")
    with served(tmp_path, f"demo={work.root}") as running, running.client() as client:
        with asking(running) as seen:
            for name in (second, first, second):
                champions.promote(name, "by hand")
                assert client.post(PREDICT, json=["CCO"]).json()["champion"] == name
        assert {status for status, _ in seen} == {200}
        assert {name for _, name in seen} == {first, second}
        # a damaged model never answers
        with (champions.model(first) / "scaler.npz").open("ab") as handle:
            handle.write(b"x")
        champions.link.unlink()
        champions.link.symlink_to(Path("champions") / first / "model")
        assert client.post(PREDICT, json=["CCO"]).json()["champion"] == second
        assert client.get("/health").json()["status"] == "degraded"


@pytest.mark.long
def test_after_a_refresh_the_next_request_is_answered_by_what_it_promoted(
    work: Workspace, tmp_path: Path
) -> None:
    """The table has grown, a challenger is trained and promoted, and clients ask all the time."""
    champions = Champions(work)
    first = champions.add({"logS": {"rmse": 1.0}})
    champions.promote(first, "the first")
    table = pd.read_csv(work.root / "table.csv", dtype=str, keep_default_na=False)
    new = pd.DataFrame(
        {"id": ["n1", "n2"], "smiles": ["CCCCCCCN(C)C", "OCCCCCCOC"], "logS": ["-1.5", "-1.1"]}
    )
    pd.concat([table, new]).fillna("").to_csv(work.root / "table.csv", index=False)
    rule = "refresh: {promote: not_worse, margin: 0.95, min_molecules: 10}\n"
    work.params_file.write_text(SMALL + rule, encoding="utf-8")
    with served(tmp_path, f"demo={work.root}") as running, running.client() as client:
        with asking(running, 2) as seen:
            done = command("refresh", "--workspace", str(work.root))
            assert done.returncode == 0, done.stdout + done.stderr
            second = champions.current()
            assert second not in (first, None), done.stdout
            assert client.post(PREDICT, json=["CCO"]).json()["champion"] == second
        assert {status for status, _ in seen} == {200}
        assert {name for _, name in seen} == {first, second}
