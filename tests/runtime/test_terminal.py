"""A terminal that lacks a character ends no run."""

import io
import sys

import pytest

from manywalks.runtime.terminal import replace_unwritable


def test_what_a_terminal_lacks_becomes_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    replace_unwritable()
    print("0.5 ± 0.1", flush=True)
    assert written.getvalue() == b"0.5 ? 0.1\n"
