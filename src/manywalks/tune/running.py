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


def run_here(search: Search, train: Train) -> None:
    """A whole search in this thread."""
    for share in search.present_shares():
        train(share)
    search.begin()
    while (number := search.ask()) is not None:
        evaluate_or_fail(search, number, train)
