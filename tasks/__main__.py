"""`python -m manywalks.tasks STEP`: one stage of dvc.yaml, in the folder that holds params.yaml."""

import importlib
import sys
from pathlib import Path

from manywalks.tasks.child import BAD_INPUT, CAN_PASS
from manywalks.tasks.workspace import Workspace

STEPS = ("curate", "featurize", "split", "train", "ensemble", "evaluate", "report", "pack", "sources")


def main(arguments: list[str]) -> int:
    """Run one step; 0 done, 2 bad input, 75 a failure that can pass."""
    if not arguments or arguments[0] not in STEPS:
        print(f"usage: python -m manywalks.tasks {{{','.join(STEPS)}}}", file=sys.stderr)
        return BAD_INPUT
    try:
        # imported by name, so that only the steps that train or predict pay for TensorFlow
        step = importlib.import_module(f"manywalks.tasks.steps.{arguments[0]}")
        step.run(Workspace.open(Path.cwd()), *arguments[1:])
    except ValueError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return BAD_INPUT
    except FileNotFoundError as error:
        print(f"{error.filename}: no such file; run the step that makes it", file=sys.stderr)
        return BAD_INPUT
    except (OSError, MemoryError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return CAN_PASS
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
