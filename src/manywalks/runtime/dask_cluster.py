"""TODO"""

import logging
from contextlib import ExitStack
from typing import Any

from distributed import Client, LocalCluster

from manywalks.params.run import OrchestrateParams

CONNECT_S = 60


def dask_client(asked: OrchestrateParams, stack: ExitStack) -> Client:
    """A client of the cluster at orchestrate.address, or of a local one that ends with it."""
    logging.getLogger("distributed").setLevel(logging.ERROR)
    where: Any = asked.address
    try:
        if where is None:
            where = stack.enter_context(
                LocalCluster(
                    n_workers=asked.cores,
                    threads_per_worker=1,
                    dashboard_address=None,  # pyright: ignore[reportArgumentType]
                    silence_logs=logging.ERROR,
                )
            )
        client = stack.enter_context(Client(where, set_as_default=False, timeout=CONNECT_S))
        client.wait_for_workers(1, timeout=CONNECT_S)
    except (OSError, TimeoutError) as error:
        stack.close()
        raise ValueError(
            f"orchestrate.address: no Dask cluster with a worker at {asked.address} ({error}); start it"
        ) from None
    return client
