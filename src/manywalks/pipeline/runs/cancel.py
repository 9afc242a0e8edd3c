"""An interrupted run is told to the user's own server, which would show it as running for ever."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled

from manywalks.pipeline.server import OWN
from manywalks.runtime import interrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """Meanwhile, an interruption leaves the flow run that is running as Cancelled.

    A server that the run started itself ends with it, and nobody looks at its record.
    """
    # Prefect's engine answers SIGTERM itself, and takes longer than the two seconds
    interrupt.keep_watching()
    url, context = PREFECT_API_URL.value(), FlowRunContext.get()
    if url in (None, os.environ.get(OWN)) or context is None or context.flow_run is None:
        yield
        return
    run = context.flow_run.id
    # made now: the second that an interruption leaves is too short for it
    with get_client(sync_client=True) as client:
        cancel = partial(client.set_flow_run_state, run, Cancelled(message="interrupted"), force=True)
        with interrupt.last_act(cancel):
            yield
