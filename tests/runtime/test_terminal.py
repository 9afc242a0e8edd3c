"""A terminal that lacks a character ends no run."""

import io
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from manywalks.runtime.terminal import replace_unwritable


def test_what_a_terminal_lacks_becomes_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    replace_unwritable()
    print("0.5 ± 0.1", flush=True)
    assert written.getvalue() == b"0.5 ? 0.1\n"


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_what_is_said_on_a_closed_stream_goes_nowhere(tmp_path: Path, closed: str) -> None:
    """Neither to standard output, nor into a file that is opened later and would get the stream's number."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\n"
        "from manywalks.runtime.terminal import fill_closed_streams\n"
        "fill_closed_streams()\n"
        "with open('file', 'w') as file:\n"
        "    print('said', file=sys.stderr, flush=True)\n"
        "    os.write(2, b'by a library')\n"
        "    file.write(str(file.fileno() > 2))\n"
    )
    command = f"{shlex.quote(sys.executable)} script.py {closed}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, check=True, timeout=60)
    assert done.stdout == b""
    assert (tmp_path / "file").read_text() == "True"
