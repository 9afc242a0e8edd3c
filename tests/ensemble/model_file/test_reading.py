"""The weights of model.keras are used where they lie in memory, and read as h5py reads them."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from manywalks.ensemble.model_file.reading import _array, read_model


@pytest.fixture(scope="module")
def layers(trained: Path) -> dict[str, list[np.ndarray]]:
    return read_model(trained / "models/ensemble/model.keras")[1]


def test_weights_are_not_copied_and_can_be_used_by_compiled_code(layers: dict[str, list[np.ndarray]]) -> None:
    kernels = [array for name, arrays in layers.items() if "dense" in name for array in arrays]
    assert kernels
    for array in kernels:
        assert not array.flags.owndata
        # compiled code for arrays that cannot be written to would be compiled anew
        assert array.flags.aligned
        assert array.flags.writeable
        assert array.flags.c_contiguous


@pytest.mark.parametrize("stored", [{}, {"chunks": (2, 3)}, {"compression": "gzip"}, {"dtype": ">f4"}])
def test_an_array_is_what_h5py_reads_however_it_is_stored(stored: dict[str, Any]) -> None:
    given = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("odd", data=np.arange(3, dtype=np.uint8))
        file.create_dataset("a", data=given, **stored)
        file.create_dataset("empty", data=np.empty((0, 4), np.float32))
    with h5py.File(content, "r") as file:
        memory = content.getbuffer()
        np.testing.assert_array_equal(_array(file["a"], memory), given)
        assert _array(file["empty"], memory).shape == (0, 4)
