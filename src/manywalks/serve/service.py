"""The state of a service: its models, what waits, and how long clients wait for it."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from fastapi import Request

from manywalks.runtime.worker_pool import Lost
from manywalks.serve.limits import Limits
from manywalks.serve.live import Followed, Live
from manywalks.serve.metrics import Metrics
from manywalks.serve.predicting import Row
from manywalks.serve.source import Source
from manywalks.serve.uploads import Refused
from manywalks.serve.worker import TOOLS
from manywalks.serve.workers import Workers, ask_all

T = TypeVar("T")
# seconds for one drawing or one substructure search
TOOL_S = 5.0
# bodies of the largest size that may be here at once
MOST_BODIES = 16
# where a request keeps how many bytes of its body were counted
HELD = "manywalks.held"


class Service:
    """What all requests share; it lives on one event loop."""

    def __init__(self, sources: Sequence[Source], limits: Limits, cores: int) -> None:
        """Load every model; a ValueError says which one cannot be served."""
        self.limits = limits
        self.metrics = Metrics()
        self.models = {source.name: Followed.open(source, limits, cores) for source in sources}
        self.tools = Workers(TOOLS, None, limit=TOOL_S, cores=1)
        self.waiting = 0
        # bytes of all bodies that are here
        self.held = 0
        # molecules a second, for Retry-After; a first guess
        self.speed = 100.0
        self.ending = False

    def followed(self, name: str) -> Followed:
        """A model by its name."""
        if name not in self.models:
            raise Refused(404, f"there is no model {name[:80]!r}; there are {', '.join(self.models)}")
        return self.models[name]

    def hold(self, scope: Any, size: int) -> None:
        """Count bytes of a request's body; Busy where there are too many of all requests."""
        scope[HELD] = scope.get(HELD, 0) + size
        self.held += size
        if self.held > MOST_BODIES * self.limits.body:
            raise Busy(1)

    def release(self, scope: Any) -> None:
        """A request has ended."""
        self.held -= scope.get(HELD, 0)

    async def predict(self, request: Request, live: Live, texts: Sequence[str]) -> list[Row | None]:
        """Rows of n texts, once there is room for them."""
        count = len(texts)
        if self.waiting and self.waiting + count > self.limits.waiting:
            raise Busy(self.waiting / self.speed)
        self.waiting += count
        start = time.monotonic()
        asked = live.predicting.predict(texts)
        try:
            rows = await self.until(request, asked.future, asked.cancel)
        finally:
            self.waiting -= count
        if count:
            self.speed = 0.8 * self.speed + 0.2 * count / max(1e-3, time.monotonic() - start)
        return rows

    async def ask(self, request: Request, workers: Workers, texts: Sequence[str]) -> list[Any]:
        """Outcomes of texts by some workers; None for one that hung or ended its process."""
        future: Future[list[Any]] = Future()
        job = ask_all(workers, texts, future.set_result, future.set_exception)
        outcomes = await self.until(request, future, job.cancel)
        return [None if isinstance(one, Lost) else one for one in outcomes]

    async def until(self, request: Request, future: "Future[T]", cancel: Callable[[], None]) -> T:
        """What a future brings; Refused where it takes too long, or where nobody waits any longer."""
        done = asyncio.ensure_future(asyncio.wrap_future(future))
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({done, gone}, timeout=self.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            if done.done():
                return done.result()
            cancel()
            if gone.done():
                raise Refused(499, "the client left")
            raise Refused(
                504,
                f"took longer than {self.limits.seconds:g} s; send fewer molecules",
            )
        finally:
            gone.cancel()
            # a future that was given up may still fail; that it did is of no interest
            done.add_done_callback(lambda one: one.cancelled() or one.exception())

    def followers(self) -> list[Coroutine[Any, Any, None]]:
        """What looks for newer versions."""
        return [one.follow() for one in self.models.values()]

    def close(self) -> None:
        """End all workers."""
        self.tools.close()
        for one in self.models.values():
            one.live.predicting.close()


class Busy(Exception):
    """No room for more molecules; `seconds` until there may be some."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = max(1, min(60, round(seconds)))


async def _gone(request: Request) -> None:
    """Return once the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
