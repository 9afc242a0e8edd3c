"""Files are whole or not there."""

from pathlib import Path

import numpy as np
import pytest

from manywalks import files


def test_a_failing_writer_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), files.atomic_path(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError("power cut")
    assert files.read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_json_refuses_nan_since_json_has_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_the_same_arrays_give_the_same_bytes() -> None:
    arrays = {"a": np.arange(5), "b": np.ones((2, 3), np.float32)}
    assert files.npz_bytes(arrays) == files.npz_bytes(arrays)


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_npz_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.npz"
    files.write_npz(path, {"a": np.arange(1000)})
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[:-200])
    elif damage == "flip":
        content[500] ^= 1
        path.write_bytes(content)
    else:
        path.unlink()
    with pytest.raises(ValueError, match=r"a\.npz: (is damaged|no such file)"):
        files.read_npz(path)
