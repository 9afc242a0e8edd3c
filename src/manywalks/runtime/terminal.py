"""Terminals as they come."""

import os
import sys


def replace_unwritable() -> None:
    """What a terminal's encoding lacks (± in ASCII) is written as ?; no run ends because of it."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")


def fill_closed_streams() -> None:
    """Streams that were closed (`2>&-`) lead nowhere, instead of into the next file that is opened.

    Python gives a closed stream no file; what is printed for standard error would then go to standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            os.set_inheritable(number, True)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  (stays open)
