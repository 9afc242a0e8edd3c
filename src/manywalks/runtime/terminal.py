"""Terminals as they come."""

import sys


def replace_unwritable() -> None:
    """What a terminal's encoding lacks (± in ASCII) is written as ?; no run ends because of it."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
