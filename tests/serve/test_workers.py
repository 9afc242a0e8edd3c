"""Workers that clients share: nobody waits for another's molecules."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import psutil
import pytest

from manywalks.runtime.worker_pool import Lost
from manywalks.serve.workers import Broken, Job, Workers, ask_all

LIMIT = 1.5


def worker(_: Any) -> Callable[[str], Any]:
    """Gives a text back in capitals; some take longer than the limit, or end their process."""

    def one(text: str) -> str:
        if text == "hang":
            time.sleep(60)
        if text == "die":
            psutil.Process().kill()
        time.sleep(0.01)
        return text.upper()

    return one


def not_one(_: Any) -> Callable[[str], Any]:
    raise ValueError("starts never")


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(f"{__name__}:worker", None, limit=LIMIT, cores=2)
    assert asked(made, ["warm"]).result(60) == ["WARM"]
    yield made
    made.close()


def asked(workers: Workers, texts: list[str]) -> "Future[list[Any]]":
    future: Future[list[Any]] = Future()
    ask_all(workers, texts, future.set_result, future.set_exception)
    return future


def noted(future: "Future[list[Any]]", name: str, ended: list[str]) -> "Future[list[Any]]":
    """The same future; its name is put down as it ends, whatever this thread waits for then."""
    future.add_done_callback(lambda _: ended.append(name))
    return future


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it, for a minute at most."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_outcomes_come_in_order_and_a_hang_or_a_death_costs_itself(workers: Workers) -> None:
    texts = ["a", "hang", "b", "die", "c"]
    assert asked(workers, texts).result(60) == ["A", Lost("timeout"), "B", Lost("crashed"), "C"]
    assert asked(workers, []).result(1) == []


def test_a_hang_delays_no_other_client(workers: Workers) -> None:
    ended: list[str] = []
    slow = noted(asked(workers, ["hang"]), "slow", ended)
    time.sleep(0.2)
    quick = noted(asked(workers, ["a", "b", "c"]), "quick", ended)
    assert quick.result(60) == ["A", "B", "C"]
    assert slow.result(60) == [Lost("timeout")]
    until(lambda: len(ended) == 2)  # the last name may come a moment after the last outcome
    assert ended == ["quick", "slow"]


def test_a_long_list_delays_no_short_one(workers: Workers) -> None:
    ended: list[str] = []
    long = noted(asked(workers, ["x"] * 400), "long", ended)
    short = noted(asked(workers, ["a"]), "short", ended)
    assert short.result(60) == ["A"]
    assert long.result(60) == ["X"] * 400
    until(lambda: len(ended) == 2)
    assert ended == ["short", "long"]


def test_what_nobody_waits_for_is_not_done(workers: Workers) -> None:
    seen: list[int] = []
    job = workers.ask(Job(["x"] * 1000, lambda place, _: seen.append(place), lambda _: None))
    until(lambda: len(seen) > 0)
    job.cancel()
    counts = [-1]

    def nothing_comes() -> bool:
        time.sleep(0.3)
        counts.append(len(seen))
        return counts[-1] == counts[-2]

    until(nothing_comes)
    assert len(seen) < 1000


def test_workers_stay_as_many_as_asked_for(workers: Workers) -> None:
    assert asked(workers, ["die"]).result(60) == [Lost("crashed")]
    assert asked(workers, ["a"]).result(60) == ["A"]
    assert len(workers.pids()) == 2


def test_workers_that_cannot_start_are_said_so() -> None:
    workers = Workers(f"{__name__}:not_one", None, limit=LIMIT, cores=1)
    failed = threading.Event()
    errors: list[Exception] = []

    def fail(error: Exception) -> None:
        errors.append(error)
        failed.set()

    workers.ask(Job(["a"], lambda place, outcome: None, fail))
    assert failed.wait(60)
    assert isinstance(errors[0], Broken)
    workers.close()
