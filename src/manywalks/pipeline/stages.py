"""The one file that knows Prefect: stages of dvc.yaml and packs of replicates as its tasks.

A stage's task asks the record first (command, params, content of every dep, outputs on disk): where
it holds, the task ends as Cached and starts nothing. One record for both orchestrators, so that a
hit means that the outputs are there, which Prefect's own cache cannot know.
"""

import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Self

from prefect import task
from prefect.assets import Asset, AssetProperties, add_asset_metadata, materialize
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture, wait
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed
from prefect.tasks import exponential_backoff

from manywalks.pipeline import definition, server
from manywalks.pipeline.lineage import Lineage, lineage_of
from manywalks.pipeline.runs.run_names import pack_name, stage_name
from manywalks.replicates.draw_loop import train_draws
from manywalks.replicates.family_weights.opening import open_called
from manywalks.replicates.loop import train_until_enough
from manywalks.replicates.packs import pack_processes, run_pack
from manywalks.replicates.tally import RunPacks, Tally
from manywalks.runtime import object_store, progress
from manywalks.runtime.resources import NO_DASK, processes_of
from manywalks.runtime.steps.kept_process import KeptProcesses
from manywalks.runtime.steps.step_process import StepFailed, run_step
from manywalks.workspace import Workspace

CONNECT_S = float(os.environ.get("MANYWALKS_CONNECT_S", "60"))
# it imports TensorFlow, whose memory no process gives back while it lives
ALONE = "ensemble"
LOCAL = re.compile(r"://(127\.|localhost|\[::1\])")
Follow = Callable[[str], progress.Tell]


def run_stage(
    workspace: Workspace,
    stage: definition.Stage,
    tell: progress.Tell | None,
    steps: "Steps",
    lineage: Lineage | None = None,
) -> Any:
    """Make a stage's outputs, unless the record says that they stand already; note in `steps` that it ran."""
    if definition.is_current(stage, workspace):
        return cached(stage)
    inputs = definition.inputs_of(stage, workspace)
    if tell is not None:
        tell(0, 0, "")
    _run(stage, workspace, steps.processes, tell)
    if tell is not None:
        tell(1, 1, "")
    record = finish(workspace, stage, inputs)
    steps.ran.append(stage)
    if lineage is not None:
        made = {"md5": record["outs"][lineage.asset.path], "data version": lineage.version}
        add_asset_metadata(lineage.asset.key, made)
    return record


def _run(
    stage: definition.Stage, workspace: Workspace, processes: KeptProcesses, tell: progress.Tell | None
) -> None:
    """Run a stage's step, in a process that has run others before where that saves time."""
    limit = workspace.params.orchestrate.time_limit
    if stage.name == ALONE:
        run_step(step_of(stage), folder=workspace.root, time_limit=limit, tell=tell)
    else:
        processes.run(step_of(stage), limit, tell)


def cached(stage: definition.Stage) -> State:
    """The state of a stage that had nothing to do."""
    return Completed(name="Cached", message=f"{stage.name}: nothing changed")


def finish(workspace: Workspace, stage: definition.Stage, inputs: dict[str, Any]) -> dict[str, Any]:
    """Record a stage that has run, unless its inputs changed meanwhile (ValueError)."""
    present = definition.inputs_of(stage, workspace)
    if present != inputs:
        changed = [
            name
            for part in ("deps", "params")
            for name, value in present[part].items()
            if inputs[part].get(name) != value
        ]
        raise ValueError(f"{', '.join(changed) or stage.name} changed while {stage.name} ran; run again")
    return definition.write_record(stage, workspace, inputs)


def step_of(stage: definition.Stage) -> list[str]:
    """The step's arguments, from the stage's command `python -m manywalks.tasks STEP …`."""
    words = shlex.split(stage.cmd)
    if words[:3] != ["python", "-m", "manywalks.tasks"]:
        raise ValueError(
            f"dvc.yaml: stage {stage.name}: {stage.cmd!r} is not `python -m manywalks.tasks STEP`"
        )
    return words[3:]


def is_retryable(_task: Any, _run: Any, state: State) -> bool:
    """Whether another try may end better: a killed process, I/O, memory; never bad input."""
    return isinstance(state.data, StepFailed | OSError | MemoryError)


# Names, retries and limits of one workspace are set with `.with_options` below.
SHARED: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retry_condition_fn": is_retryable,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
}
bound: Any = partial(task, **SHARED)
stage_task = bound(run_stage, name="stage", task_run_name=stage_name)
pack_task = bound(run_pack, name="pack", task_run_name=pack_name)


def _materializing(lineage: Lineage) -> Any:
    """The task of a stage whose output Prefect shows as an asset, with what it is made from."""
    asset, *sources = (
        Asset(key=one.key, properties=AssetProperties(name=one.name, description=one.path))
        for one in (lineage.asset, *lineage.made_from)
    )
    made = materialize(asset, asset_deps=[*sources], name="stage", task_run_name=stage_name, **SHARED)
    return made(run_stage)


class Steps:
    """The stages of one workspace as Prefect tasks of the flow that is running.

    Stages that follow each other share a process, which ends before replicates train, since they may
    want all memory, and at the end of the `with`.
    """

    def __init__(self, workspace: Workspace, follow: Follow) -> None:
        """`follow(name)` gives the `tell` that shows a stage's progress."""
        self.ran: list[definition.Stage] = []
        self.processes = KeptProcesses(workspace.root, threads=None)
        self._submitted: list[PrefectFuture] = []
        self._workspace = workspace
        self._follow = follow
        self._stages = definition.load_stages(workspace)
        self._options = {"retries": workspace.params.orchestrate.retries}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.processes.end()

    def submit(self, name: str, *after: PrefectFuture | None) -> PrefectFuture:
        """Start a stage once those in `after` have ended well."""
        lineage = lineage_of(self._stages[name], self._workspace)
        bound_task = stage_task if lineage is None else _materializing(lineage)
        future = bound_task.with_options(**self._options).submit(
            self._workspace,
            self._stages[name],
            self._follow(name),
            self,
            lineage,
            wait_for=[future for future in after if future],
        )
        self._submitted.append(future)
        return future

    def settle(self) -> None:
        """Wait for all that was submitted; raise the first failure as the step raised it.

        (A stage behind a failed one never starts; its own result would say only that.)
        """
        wait(self._submitted)
        for future in self._submitted:
            if future.state.is_failed() or future.state.is_crashed():
                future.result()

    def replicates(self) -> PrefectFuture | None:
        """Stage train: one task for each pack, look after look, until there are enough replicates."""
        self.settle()
        self.processes.end()
        return self._packs("train", train_until_enough)

    def draws(self, replicates: PrefectFuture | None) -> PrefectFuture | None:
        """Stage draws: one task for each pack, once the replicates are there."""
        if replicates is not None:
            wait([replicates])
        return self._packs("draws", train_draws)

    def _packs(self, name: str, loop: Callable[..., Any]) -> PrefectFuture | None:
        """A stage whose loop asks for packs; None where it has run, else the future of its cached state."""
        stage = self._stages[name]
        if definition.is_current(stage, self._workspace):
            return self.submit(name)
        inputs = definition.inputs_of(stage, self._workspace)
        with self._runner() as (run_packs, processes):
            loop(self._workspace, run_packs, processes=processes, tell=self._follow(name))
        finish(self._workspace, stage, inputs)
        self.ran.append(stage)
        return None

    @contextmanager
    def _runner(self) -> Iterator[tuple[RunPacks, int]]:
        """What trains packs, and how many at once: this machine's cores, or a Dask cluster's."""
        if self._workspace.params.orchestrate.runner == "local":
            yield self._run_packs, pack_processes(self._workspace)
            return
        with _dask_client(self._workspace) as client:
            yield partial(self._run_packs_on_dask, client), sum(client.nthreads().values())

    def _run_packs_on_dask(self, client: Any, key: str, packs: list[list[int]], tally: Tally) -> None:
        """A task a small pack; what each made is kept as it ends, the first failure raised at the end."""
        from distributed import as_completed

        from manywalks.replicates import dask_packs
        from manywalks.runtime.dask_cluster import Delivery

        store = open_called(self._workspace, key)
        root = self._workspace.params.orchestrate.storage
        if root and dask_packs.collect(store, root):
            return  # a former driver ended before it had taken these: look again what is missing
        client.register_plugin(Delivery(key, dask_packs.training_bundle(self._workspace, store), root))
        far_task = bound(dask_packs.run_far_pack, name="pack", task_run_name=pack_name)
        smaller = dask_packs.smaller(packs)
        parameters = [{"key": key, "indices": pack, "root": root} for pack in smaller]
        # the dynamic `submit` of prefect-dask's client makes Prefect task runs of the packs
        futures = [
            client.submit(far_task.with_options(**self._options), parameters=given, return_type="state")
            for given in parameters
        ]
        failed = []
        for future in as_completed(futures, loop=client.loop):
            state = future.result()
            if not state.is_completed():
                failed.append(state)
                continue
            number = futures.index(future)
            tally.of(number)(dask_packs.keep(store, state.result(), root), len(smaller[number]), "")
        for state in failed:
            state.result()
        if root:
            object_store.remove(root, key)

    def _run_packs(self, key: str, packs: list[list[int]], tally: Tally) -> None:
        """A task a pack, all at once; the first failure is raised when all have ended."""
        task_of_pack = pack_task.with_options(**self._options)
        futures = [
            task_of_pack.submit(self._workspace, key, pack, tally.of(number))
            for number, pack in enumerate(packs)
        ]
        wait(futures)
        for future in futures:
            future.result()


@contextmanager
def _dask_client(workspace: Workspace) -> Iterator[Any]:
    """A client of the cluster at orchestrate.address, or of a local one that ends with it."""
    try:
        from prefect_dask.client import PrefectDaskClient

        from manywalks.runtime.dask_cluster import cluster_client
    except ImportError:
        raise ValueError(NO_DASK) from None
    asked = workspace.params.orchestrate
    with ExitStack() as stack:
        client = cluster_client(
            asked,
            stack,
            processes=processes_of(workspace),
            connect_s=CONNECT_S,
            folder=workspace.state / "dask",
            kind=PrefectDaskClient,
        )
        stack.enter_context(temporary_settings({PREFECT_API_URL: _api_url(asked.address)}))
        yield client


def _api_url(address: str | None) -> str:
    """The API that workers tell of their tasks: the one set, or the run's own for workers on this machine."""
    url = PREFECT_API_URL.value()
    own = url is None or url == os.environ.get(server.OWN)
    if own and address is not None and not LOCAL.search(address):
        raise ValueError(
            f"orchestrate.address: workers of {address} cannot reach this run's own Prefect server; "
            "start one (`prefect server start --host 0.0.0.0`) and set PREFECT_API_URL"
        )
    context = FlowRunContext.get()
    return url or str(getattr(context and context.client, "api_url", ""))
