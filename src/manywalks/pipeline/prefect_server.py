"""`python -m manywalks.pipeline.prefect_server SOCKET`: the Prefect server of one run, on a bound socket.

In a session of its own, so that ^C in the terminal does not reach it before the run has ended; and it ends
with the run that started it, however that ends.
"""

import os
import signal
import socket
import sys
import threading

from manywalks.pipeline import prefect_database
from manywalks.runtime.imports import without_collector

LOADED = "Prefect's code is loaded"


def main(descriptor: int) -> None:
    """Serve until the process at the other end of standard input is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with without_collector(program=True):
        import prefect.server.api.server
        import uvicorn

    print(LOADED, flush=True)
    prefect_database.begin(os.environ[prefect_database.DATABASE])
    config = uvicorn.Config(
        prefect.server.api.server.create_app, factory=True, log_level="error", lifespan="on"
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def _end_with_parent() -> None:
    """Nothing is ever written to standard input: it closes when the run's process ends."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
