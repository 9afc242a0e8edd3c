"""The tuning flow: trials side by side, then the winner against the present settings on fresh folds."""

import threading
from datetime import date
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture, wait

from manywalks.compare.design import Share
from manywalks.flows.shares import Trainer, train_shares, trainer, untold
from manywalks.pipeline import versions
from manywalks.pipeline.runs.cancel import interruptible
from manywalks.pipeline.runs.run_names import named
from manywalks.pipeline.side_workspace import data_workspace
from manywalks.pipeline.stages import Steps, bound
from manywalks.replicates.tally import Tally
from manywalks.runtime import interrupt, run_log
from manywalks.runtime.progress import Board, Tell
from manywalks.runtime.steps.step_process import StepFailed
from manywalks.tune.history import History
from manywalks.tune.job import TuneJob
from manywalks.tune.material import Material
from manywalks.tune.report.experiments import save_trials
from manywalks.tune.report.reports import finished
from manywalks.tune.report.words import progress, standing
from manywalks.tune.running import conclude, evaluate_or_fail
from manywalks.tune.search import Search
from manywalks.tune.space import recipe
from manywalks.tune.verdict import Contest
from manywalks.workspace import Workspace


def try_trial(search: Search, number: int, by: Trainer) -> None:
    """Train and judge one trial, rung after rung, on one core."""
    evaluate_or_fail(search, number, lambda share: by.train(share, untold))


# what was kept before a failure is not trained again
trial_task = bound(try_trial, name="trial", task_run_name="trial {number}", retries=2)


@flow(
    name="tune",
    flow_run_name=named,
    description="Search better parameters, and judge the winner on molecules that the search has not seen.",
    persist_result=False,
)
def tune(job: TuneJob | None = None) -> dict[str, Any]:
    """Search, judge, write the reports; returns what reports/tune.json holds."""
    job = job or TuneJob()  # pyright: ignore[reportCallIssue]
    workspace, opened = Workspace.open(job.workspace), job.opened()
    with (
        run_log.kept(workspace.state, "tune"),
        interruptible(),
        versions.exclusive(workspace) as repo,
        Board() as board,
    ):
        versions.fetch(repo, workspace)
        material = Material(workspace, _featurized(workspace, opened, board), job.design)
        recipe.keep(opened, workspace.params, material.data.curated)
        history = History(opened.folder, workspace.params.replicates.seed, job.cost)
        with trainer(workspace) as by:
            search = Search(material, opened.space, history, by.processes)
            with interrupt.keeping(lambda: standing(search)):
                _train_present(search, by, board.follow("present"))
                search.begin()
                _search(search, by, board.follow("tune"))
                conclude(search)
                contest = Contest.of(search)
                if contest is not None:
                    _train(by, contest.shares(by.processes), board.follow("verdict"))
        found = finished(search, contest, date.today().isoformat())
        if job.dvc:
            found["experiments"] = save_trials(search, found)
    return found


def _featurized(workspace: Workspace, opened: recipe.Opened, board: Board) -> Workspace:
    """A workspace with the curated table and every block that a trial may use."""
    present = workspace.params
    blocks = opened.space.features(present.featurize)
    families = present.families if blocks == present.featurize else ()
    wanted = present.model_copy(update={"featurize": blocks, "families": families})
    data = data_workspace(workspace, wanted)
    if data.root != workspace.root:
        with Steps(data, board.follow) as steps:
            steps.submit("featurize", steps.submit("curate")).result()
    return data


def _train(by: Trainer, shares: list[Share], tell: Tell) -> None:
    """Train shares side by side, if there are any."""
    if not shares:
        return
    tally, expected = Tally(tell), sum(len(share.numbers) * share.count for share in shares)
    tally.look(0, expected)
    train_shares(by, shares, tally)
    tally.look(expected, expected)


def _train_present(search: Search, by: Trainer, tell: Tell) -> None:
    """Train the present settings; a time limit that cannot hold a search ends it after the first of them."""
    tally = Tally(tell)
    while shares := search.present_shares():
        expected = len(search.splits) * search.rungs[-1].replicates
        tally.look(sum(have for have, _ in search.present_kept()), expected)
        train_shares(by, shares, tally)
        tally.look(sum(have for have, _ in search.present_kept()), expected)


def _search(search: Search, by: Trainer, tell: Tell) -> None:
    """Trials, as many side by side as there are cores or workers, until trials or time are spent."""
    slots, futures = threading.Semaphore(search.workers), dict[int, PrefectFuture]()

    def free(_: PrefectFuture) -> None:
        tell(*progress(search))
        slots.release()

    tell(*progress(search))
    while True:
        slots.acquire()
        _settle(search, futures)
        number = search.ask()
        if number is None:
            break
        futures[number] = trial_task.submit(search, number, by)
        futures[number].add_done_callback(free)
    wait(list(futures.values()))
    _settle(search, futures)
    tell(1, 1, progress(search)[2])


def _settle(search: Search, futures: dict[int, PrefectFuture]) -> None:
    """Raise what ends the search; a trial whose process failed again and again has failed alone."""
    for number, future in list(futures.items()):
        if future.state.is_failed() or future.state.is_crashed():
            error = future.result(raise_on_failure=False)
            if not isinstance(error, StepFailed):
                future.result()
            search.fail(number, str(error))
        if future.state.is_final():
            del futures[number]
