import gc
import weakref

import pytest

from manywalks.runtime.imports import without_collector


class Node:
    """Something that may refer to itself."""

    def __init__(self) -> None:
        self.own = self


def test_the_collector_rests_no_longer_than_the_import() -> None:
    with pytest.raises(ImportError), without_collector():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()


def test_one_within_another_does_not_wake_it() -> None:
    with without_collector():
        with without_collector():
            pass
        assert not gc.isenabled()


def test_what_others_no_longer_need_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "get_freeze_count", lambda: 0)  # as in a process that is no program of ours
    with without_collector():
        seen = weakref.ref(Node())
    gc.collect()
    assert seen() is None
