"""Train and judge trials; what trains a share is given, so that a search runs here or in processes."""

from collections.abc import Callable

from manywalks.compare.design import Share
from manywalks.tune.search import Search

Train = Callable[[Share], object]


def evaluate(search: Search, number: int, train: Train) -> None:
    """Train and judge one trial, rung after rung."""
    for rung in range(len(search.rungs)):
        share = search.share(number, rung)
        if share is not None:
            train(share)
        if not search.take(number, rung):
            return


def evaluate_or_fail(search: Search, number: int, train: Train) -> None:
    """The same; settings that cannot be trained are a failed trial, and not the end of the search."""
    try:
        evaluate(search, number, train)
    except ValueError as error:
        search.fail(number, str(error))


def conclude(search: Search) -> None:
    """After the last trial: leave those aside whose verdict would end after the time limit.

    A ValueError says how much time it takes, where that leaves nothing to judge or no trial could begin.
    """
    clock = search.clock
    for trial in search.trials.values():  # one that was left may be the best
        trial.state = "running" if trial.state == "left" else trial.state
    if clock.limit is None:
        return
    if not search.trials:
        raise ValueError(clock.too_short(clock.least()))
    while (best := search.best()) is not None:
        number = best[0]
        clock.left[number] = search.material.left(search.trials[number].params)
        if not clock.is_late(clock.verdict_on(number)):
            return
        search.unjudged.append(number)
    if search.unjudged:
        raise ValueError(clock.not_judged(search.unjudged[0]))


def run_here(search: Search, train: Train) -> None:
    """A whole search in this thread."""
    while shares := search.present_shares():
        for share in shares:
            train(share)
    search.begin()
    while (number := search.ask()) is not None:
        evaluate_or_fail(search, number, train)
    conclude(search)
