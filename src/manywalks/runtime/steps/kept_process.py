"""A process that stays for one step after another: starting Python and its libraries takes 1 to 3 seconds."""

import contextlib
import json
import queue
import subprocess
import threading
import time
from pathlib import Path

from manywalks.runtime import interrupt, progress, run_log
from manywalks.runtime.steps.step_process import DONE, STAY, StepFailed, end_group, hear, judge, start_process

# after so many steps a new process begins, since a library may never give its memory back
STEPS = 30
ENDED = "ended"


class KeptProcess:
    """One process for steps in the same folder; where a step fails, the next one gets a new process."""

    def __init__(self, folder: Path, threads: int | None) -> None:
        self._folder, self._threads = folder, threads
        self._process: subprocess.Popen | None = None
        self._readers: list[threading.Thread] = []
        self._answers: queue.Queue[str] = queue.Queue()
        self._heard: list[str] = []
        self._tell: progress.Tell | None = None
        self._what, self._steps = "", 0

    def run(self, arguments: list[str], time_limit: float, tell: progress.Tell | None = None) -> None:
        """Run a step as `step_process.run_step` does, with its exceptions; `tell` gets its progress."""
        interrupt.wait_if_stopping()
        self._tell = tell
        process, self._what = self._ready(), " ".join(arguments)
        self._heard.clear()
        self._steps += 1
        began = time.monotonic()
        run_log.note(self._what, "started")
        try:
            with contextlib.suppress(BrokenPipeError):  # it died idle; its end says so
                process.stdin.write(f"{json.dumps(arguments)}\n")  # pyright: ignore[reportOptionalMemberAccess]
                process.stdin.flush()  # pyright: ignore[reportOptionalMemberAccess]
            answer = self._answers.get(timeout=time_limit)
        except queue.Empty:
            self.end()
            raise StepFailed(
                f"{self._what}: ended after its time limit of {time_limit:g} s (orchestrate.time_limit)"
            ) from None
        except BaseException:
            self.end()
            raise
        interrupt.wait_if_stopping()
        run_log.note(self._what, f"{answer} after {time.monotonic() - began:.1f} s")
        if answer == ENDED:
            status = process.wait()
            self.end()
            judge(status, self._what, self._heard)

    def _ready(self) -> subprocess.Popen:
        """The process, a new one where there is none or it has done enough."""
        if self._steps >= STEPS:
            self.end()
        if self._process is None:
            self._process = start_process([STAY], self._folder, self._threads)
            self._answers, self._steps = queue.Queue(), 0
            answers = self._answers
            self._readers = [
                threading.Thread(target=self._follow, args=(self._process.stdout, answers), daemon=True),
                threading.Thread(target=self._follow, args=(self._process.stderr, None), daemon=True),
            ]
            for reader in self._readers:
                reader.start()
        return self._process

    def _follow(self, stream, answers: "queue.Queue[str] | None") -> None:
        """Follow what the process says; `answers` get the end of each step, and of the process."""
        with stream:
            for line in stream:
                told = progress.parse(line)
                if answers is not None and line.strip() == DONE:
                    answers.put("done")
                elif told is not None and self._tell is not None:
                    self._tell(*told)
                elif told is None:
                    hear(self._what, self._heard, line.rstrip())
        if answers is not None:
            answers.put(ENDED)

    def end(self) -> None:
        """End the process and whatever it started."""
        if self._process is None:
            return
        end_group(self._process)
        for reader in self._readers:
            reader.join(timeout=5)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        self._process = None


class KeptProcesses:
    """As many as there are steps side by side; one that is free takes the next step."""

    def __init__(self, folder: Path, threads: int | None = 1) -> None:
        self._folder, self._threads = folder, threads
        self._all: list[KeptProcess] = []
        self._free: queue.LifoQueue[KeptProcess] = queue.LifoQueue()

    def run(self, arguments: list[str], time_limit: float, tell: progress.Tell | None = None) -> None:
        """Run a step in a process that is free, or in a new one; `tell` gets its progress."""
        try:
            process = self._free.get_nowait()
        except queue.Empty:
            process = KeptProcess(self._folder, self._threads)
            self._all.append(process)
        try:
            process.run(arguments, time_limit, tell)
        finally:
            self._free.put(process)

    def end(self) -> None:
        """End them all; a further step gets a new one."""
        for process in self._all:
            process.end()
