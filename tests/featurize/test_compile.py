"""The descriptors compiled ahead: what one process compiles, no other one has to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import json, sys
from manywalks.featurize.featurize import featurize
from manywalks.featurize.fingerprints import FROM_ARRAYS
from manywalks.featurize.molecule import COMPILED
from manywalks.params.sections.model import FeatureBlock
blocks = [FeatureBlock(kind=kind) for kind in (*COMPILED, *FROM_ARRAYS)]
featurize(["CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)NC1CC1"], blocks)
ours = [module for name, module in list(sys.modules.items()) if name.startswith("manywalks.featurize")]
compiled = [each for module in ours for each in vars(module).values() if hasattr(each, "py_func")]
print(json.dumps([len(compiled), sum(len(each.stats.cache_misses) for each in compiled)]))
"""


@pytest.mark.long
def test_molecules_find_everything_compiled(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    run("-m", "manywalks.featurize.compile")
    functions, compiled_again = json.loads(run("-c", CODE))
    assert functions > 10
    assert compiled_again == 0
