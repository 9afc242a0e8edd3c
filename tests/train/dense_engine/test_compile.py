"""The dense engine compiled ahead: what two processes compile is what training calls."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# half a minute of compiling: `make wheel-check` runs it
pytestmark = pytest.mark.long
CODE = """
import json
import numpy as np
from manywalks.train.dense_engine.compile import compile_ahead, is_compiled, tiny_problem
from manywalks.train.dense_engine.network import forward, predict_rows
from manywalks.train.dense_engine.steps import backward, train_window, update_rows
from manywalks.train.dense_engine.engine import train_pack
from manywalks.train.dense_engine.sparse_plan import plan_window
from manywalks.train.problem import Pack

functions = [forward, predict_rows, backward, update_rows, plan_window, train_window]
before = is_compiled()
compile_ahead(2)
after = is_compiled()
(replicate,) = train_pack(Pack(tiny_problem(), [0], 1, threads=2))
print(json.dumps({
    "compiled": [before, after],
    "kinds": {each.py_func.__name__: len(each.signatures) for each in functions},
    "made here": [each.py_func.__name__ for each in functions if each.stats.cache_misses],
    "finite": bool(np.isfinite(replicate.predictions).all()),
}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a process tells that finds nothing compiled."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("compiled"))}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=environment,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_training_calls_what_was_compiled_ahead(told: dict) -> None:
    """A second signature would be a type that was guessed wrong."""
    assert told["kinds"] == dict.fromkeys(told["kinds"], 1)
    assert told["finite"]


def test_the_other_process_has_compiled_the_way_back_and_prediction(told: dict) -> None:
    assert told["made here"] == ["forward", "train_window"]


def test_nothing_is_compiled_twice(told: dict) -> None:
    assert told["compiled"] == [False, True]
