"""`python -m manywalks.tasks STEP`: one stage of dvc.yaml, in the folder that holds params.yaml."""

import contextlib
import importlib
import sys
from pathlib import Path

from manywalks.runtime import interrupt
from manywalks.runtime.imports import without_collector
from manywalks.runtime.locks import single_process
from manywalks.runtime.steps.step_process import (
    BAD_INPUT,
    DONE,
    RETRYABLE,
    STAY,
    asked_by_parent,
    die_with_parent,
)
from manywalks.runtime.terminal import replace_unwritable
from manywalks.workspace import Workspace

STEPS = (
    "curate",
    "featurize",
    "split",
    "train",
    "draws",
    "ensemble",
    "evaluate",
    "report",
    "pack",
    "sources",
    "compare",
)


def main(arguments: list[str]) -> int:
    """Run one step; 0 done, 2 bad input, 75 a failure that can pass."""
    if not arguments or arguments[0] not in STEPS:
        print(f"usage: python -m manywalks.tasks {{{','.join(STEPS)}}}", file=sys.stderr)
        return BAD_INPUT
    interrupt.watch()
    replace_unwritable()
    die_with_parent()
    workspace = Workspace.open(Path.cwd())
    try:
        # imported by name, so that only the steps that train or predict pay for TensorFlow
        with without_collector(program=True):
            step = importlib.import_module(f"manywalks.tasks.{arguments[0]}")
        beside = arguments[0] in ("pack", "compare")  # many of these run at once, each its own part
        with contextlib.nullcontext() if beside else single_process(workspace, arguments[0]):
            step.run(workspace, *arguments[1:])
    except ValueError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return BAD_INPUT
    except FileNotFoundError as error:
        print(f"{error.filename or error}: no such file; run the step that makes it", file=sys.stderr)
        return BAD_INPUT
    except (OSError, MemoryError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return RETRYABLE
    except Exception as error:
        # TensorFlow's own word for memory, known by name since this process may not have imported it
        if type(error).__name__ != "ResourceExhaustedError":
            raise
        print(f"MemoryError: {' '.join(str(error).split())[:300]}", file=sys.stderr)
        return RETRYABLE
    return 0


def stay() -> int:
    """Steps one after another, as the process asks that started this one; the first to fail ends it."""
    for arguments in asked_by_parent():
        status = main(arguments)
        if status:
            return status
        print(f"\n{DONE}", flush=True)  # on a line of its own, whatever the step printed
    return 0


if __name__ == "__main__":
    sys.exit(stay() if sys.argv[1:] == [STAY] else main(sys.argv[1:]))
