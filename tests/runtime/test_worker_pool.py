"""Worker processes: hangs and deaths cost one text each."""

import os
import signal
import sys
import time

import pytest

from manywalks.runtime.worker_pool import ALONE, Lost, WithBytes, WorkerPool, map_texts
from manywalks.runtime.worker_process import HEADER, WORK_S

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def act(setup):
    """What the workers of these tests do: the text says it."""

    def one(text):
        if text == "hang":
            time.sleep(1000)
        if text == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                pass
        if text == "die":
            os._exit(1)
        if text == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if text == "print":
            print("noise")
            os.write(1, b"more noise\n")
        if text == "bytes":
            return WithBytes(setup["prefix"], b"\n\0" * 100_000)
        if text == "no bytes":
            return WithBytes(None, b"")
        if text == "half":  # an outcome, and its worker dies in the middle of the next
            os.write(int(sys.argv[4]), HEADER.pack(10, 1000) + b'"a"')
            os._exit(1)
        if text == "kept off":  # as a process that gets no processor for a while
            if os.fork() == 0:  # a shell would be waited for, and who waits is not kept off
                time.sleep(2.5)
                os.kill(os.getppid(), signal.SIGCONT)
                os._exit(0)
            os.kill(os.getpid(), signal.SIGSTOP)
        if text == "slow":
            time.sleep(1.5 * WORK_S)
        return [setup["prefix"] + text]

    return one


def broken(setup):
    raise RuntimeError(f"no {setup['prefix']}")


@pytest.fixture(autouse=True)
def findable(monkeypatch):
    """The workers import this module, and the package that this process tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([REPOSITORY, *sys.path]))


def run(texts, *, cores=2, limit=1.0, target="act", progress=None):
    setup = {"prefix": "+"}
    return map_texts(
        f"tests.runtime.test_worker_pool:{target}", setup, texts, cores=cores, limit=limit, progress=progress
    )


def test_outcomes_come_in_order():
    texts = [str(i) for i in range(1000)]
    assert run(texts) == [[f"+{text}"] for text in texts]


def test_no_texts():
    assert run([]) == []


def test_hangs_and_deaths_cost_one_text_each():
    texts = ["a"] * 100 + ["hang", "b", "die", "c", "crash", "stubborn", "d"] + ["e"] * 100
    found = run(texts)
    expected = [
        Lost("timeout") if text in ("hang", "stubborn")
        else Lost("crashed") if text in ("die", "crash")
        else ["+" + text]
        for text in texts
    ]  # fmt: skip
    assert found == expected


def test_the_right_text_is_blamed_while_outcomes_are_held_back():
    """Deaths and hangs behind many quick texts, whose outcomes come together."""
    texts = [*("a" for _ in range(400)), "die", *("b" for _ in range(400)), "hang", "slow", "c", "crash", "d"]
    found = run(texts, cores=1, limit=0.8)
    lost = {text: one.reason for text, one in zip(texts, found, strict=True) if isinstance(one, Lost)}
    assert lost == {"die": "crashed", "hang": "timeout", "crash": "crashed"}
    assert [one for one in found if not isinstance(one, Lost)] == [["+" + t] for t in texts if t not in lost]


def test_a_text_may_take_its_whole_time_behind_others():
    """The limit is each text's own, however many are held back before it."""
    assert run(["slow"] * 12, cores=1, limit=0.5) == [["+slow"]] * 12


def test_a_hang_is_ended_in_time():
    start = time.monotonic()
    assert run(["hang"], cores=1, limit=0.5) == [Lost("timeout")]
    assert time.monotonic() - start < 15


def test_a_busy_machine_costs_no_text():
    assert run(["kept off"], cores=1, limit=1.0) == [["+kept off"]]


def test_a_job_that_was_stopped_for_a_while_loses_no_text():
    """As by ^Z: neither the workers nor who looks at them went on."""
    pool = WorkerPool("tests.runtime.test_worker_pool:act", {"prefix": "+"}, 0.5, 1)
    try:
        lot = pool.add(["slow"] * 3)
        while not pool.workers[0].pending:
            pool.poll()
        process = pool.workers[0].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        pool.poll()
        process.send_signal(signal.SIGCONT)
        assert pool.finish(lot) == [["+slow"]] * 3
    finally:
        pool.stop()


def test_what_a_worker_prints_is_no_outcome():
    assert run(["print", "a"]) == [["+print"], ["+a"]]


def test_bytes_arrive_as_they_are():
    many = WithBytes("+", b"\n\0" * 100_000)
    assert run(["bytes", "a", "no bytes", "bytes"]) == [many, ["+a"], WithBytes(None, b""), many]


def test_an_outcome_cut_short_by_a_death_is_none():
    assert run(["a", "half", "b"], cores=1) == [["+a"], Lost("crashed"), ["+b"]]


def noisy(setup):
    print("noise while it starts", flush=True)
    return act(setup)


def test_what_a_worker_prints_while_it_starts_is_no_outcome():
    assert run(["a"], target="noisy") == [["+a"]]


def test_odd_texts_arrive_whole():
    texts = ["", "a\nb", "é µ", "\ud800", '"', "x" * 200_000]
    assert run(texts) == [["+" + text] for text in texts]


@pytest.mark.parametrize(
    ("texts", "workers"), [(["a"] * ALONE, 1), (["a"] * (ALONE + 1), 2), (["slow"] * 20, 2)]
)
def test_few_texts_have_one_worker_unless_they_take_long(texts, workers):
    pool = WorkerPool("tests.runtime.test_worker_pool:act", {"prefix": "+"}, 1.0, 2)
    try:
        assert pool.finish(pool.add(texts)) == [[f"+{text}"] for text in texts]
        assert len(pool.workers) == workers
    finally:
        pool.stop()


def test_a_worker_that_cannot_start_is_an_error():
    with pytest.raises(RuntimeError, match=r"ended before it started: RuntimeError: no \+"):
        run(["a"], target="broken")


def test_no_worker_is_left(capfd):
    run(["a", "hang"], limit=0.3)
    assert capfd.readouterr() == ("", "")
