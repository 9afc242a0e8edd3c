"""Start a service and end it well: what was asked before is answered, no worker is left."""

import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from manywalks.runtime import interrupt
from manywalks.serve.limits import Limits
from manywalks.serve.service import Service
from manywalks.serve.source import Source
from manywalks.serve.web.app import application

HOME = ("127.0.0.1", "localhost", "::1")
# requests under way get so long once the service is to end
LAST_S = 30
# open connections; each costs some memory
CONNECTIONS = 1000


class _Server(uvicorn.Server):
    """uvicorn, but an asked-for end is no failure: status 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal ends it once all is answered, the second at once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


def serve(
    sources: Sequence[Source], *, host: str, port: int, token: str | None, limits: Limits, cores: int
) -> None:
    """Serve models until a signal comes."""
    # before the models: a port that is taken must not be said after a minute
    with _listening(host, port) as listening:
        service = Service(sources, limits, cores)
        hosts = HOME if host in HOME else ()
        app = application(service, token=token, hosts=hosts)
        interrupt.let_go()
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False,
            limit_concurrency=CONNECTIONS, timeout_graceful_shutdown=LAST_S,
        )  # fmt: skip
        shown = f"[{host}]" if ":" in host else host
        for source in sources:
            live = service.models[source.name].live
            print(f"{source.name}: {', '.join(live.endpoints)}, version {live.version}")
        print(f"http://{shown}:{listening.getsockname()[1]}", flush=True)
        _Server(config).run(sockets=[listening])
        print("stopped; all requests were answered", file=sys.stderr)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ValueError(
            f"--host {host} --port {port}: cannot listen there ({error.strerror}); give another"
        ) from None
