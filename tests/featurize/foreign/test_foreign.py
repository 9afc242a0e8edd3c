"""Features made elsewhere: functions in real worker processes, their cache and checks, tables of vectors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manywalks.featurize.featurize import featurize, featurize_each
from manywalks.featurize.foreign import foreign
from manywalks.featurize.foreign.representations import check_versions, recorded
from manywalks.params.load import parse_params
from manywalks.params.sections.block_sources import content_of, located
from manywalks.params.sections.model import FeatureBlock

LENGTHS = '''
"""Counts of two letters, and a note of each call."""
from pathlib import Path

import numpy as np


def embed(smiles):
    with (Path(__file__).parent / "calls.txt").open("a") as file:
        file.write("".join(f"{one}\\n" for one in smiles))
    return np.array([[one.count("C"), one.count("O")] for one in smiles]), ["carbons", "oxygens"]
'''


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache of the test's own; what this process remembers of functions is forgotten."""
    monkeypatch.setenv("MANYWALKS_CACHE", str(tmp_path / "cache"))
    foreign._cache.cache_clear()
    foreign.load.cache_clear()
    yield
    foreign._cache.cache_clear()
    foreign.load.cache_clear()


def block_of(tmp_path: Path, text: str, function: str = "embed") -> FeatureBlock:
    """A block of a function in a file beside params.yaml."""
    (tmp_path / "letters.py").write_text(text, encoding="utf-8")
    block = FeatureBlock.model_validate({"kind": "function", "of": f"letters:{function}"})
    (found,) = located([block], tmp_path)
    return found


def test_a_function_runs_in_workers_and_its_columns_are_named(tmp_path):
    block = block_of(tmp_path, LENGTHS)
    smiles = ["CCO", "OCO", "CCCC"]
    found = featurize_each(smiles, [block], cores=2, always_workers=True).features
    assert found.names == ("function.letters.embed:carbons", "function.letters.embed:oxygens")
    np.testing.assert_array_equal(found.dense, [[2, 1], [1, 2], [4, 0]])
    here = featurize(smiles, [block])
    np.testing.assert_array_equal(here.dense, found.dense)


def test_a_molecule_is_computed_once_until_the_function_changes(tmp_path):
    block, calls = block_of(tmp_path, LENGTHS), tmp_path / "calls.txt"
    featurize(["CCO", "CCN"], [block])
    first = calls.read_text()
    featurize_each(["CCO", "CCN"], [block], cores=1, always_workers=True)
    assert calls.read_text() == first + "CCO\n"  # a worker tries its function once before the first molecule
    featurize(["CCCl"], [block])
    assert calls.read_text() == first + "CCO\nCCCl\n"
    foreign._cache.cache_clear()
    foreign.load.cache_clear()
    changed = block_of(tmp_path, LENGTHS.replace('count("C")', 'count("C") * 10'))
    np.testing.assert_array_equal(featurize(["CCO"], [changed]).dense, [[20, 1]])


def test_an_array_alone_has_numbered_columns(tmp_path):
    text = "def embed(smiles):\n    return [[float(len(one))] for one in smiles]\n"
    assert featurize(["CCO"], [block_of(tmp_path, text)]).names == ("function.letters.embed:0",)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return np.zeros(3)", r"letters:embed gave an array of shape \(3,\) for 3 SMILES"),
        ("return np.full((len(smiles), 2), np.nan)", "values of CCO are not finite"),
        ("return np.zeros((len(smiles), 2)), ['a']", "gave 1 names for 2 columns"),
        ("return np.zeros((len(smiles), 2)), ['a', 'a']", "2 column names, some twice"),
        ("return np.arange(len(smiles))[:, None]", "alone and 1 in a list; make each row depend on its own"),
    ],
)
def test_what_is_no_feature_of_one_molecule_is_refused(tmp_path, body, message):
    block = block_of(tmp_path, f"import numpy as np\n\ndef embed(smiles):\n    {body}\n")
    with pytest.raises(ValueError, match=message):
        featurize(["CCO"], [block])


def test_a_function_that_fails_at_one_molecule_costs_that_one(tmp_path):
    text = (
        "import numpy as np\n\ndef embed(smiles):\n    if 'CCBr' in smiles:\n"
        "        raise RuntimeError('bromine')\n"
        "    return np.ones((len(smiles), 1)) * (np.nan if 'CCCl' in smiles else 1)\n"
    )
    found = featurize_each(["CCO", "CCBr", "CCCl"], [block_of(tmp_path, text)], always_workers=True)
    assert set(found.failures) == {1, 2}
    assert "RuntimeError: bromine" in found.failures[1].detail
    assert "not finite" in found.failures[2].detail


def test_a_function_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        ValueError, match=r"there is no module nowhere_to_be_found; put nowhere_to_be_found\.py"
    ):
        featurize(["CCO"], [FeatureBlock(kind="function", of="nowhere_to_be_found:embed")])
    with pytest.raises(
        ValueError, match=r"letters:other: there is no function other; define other\(smiles\)"
    ):
        featurize(["CCO"], [block_of(tmp_path, LENGTHS, "other")])
    with pytest.raises(ValueError, match="'letters' is not module:function"):
        featurize(["CCO"], [FeatureBlock(kind="function", of="letters")])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"kind": "function"}, "of: is missing; give what to use, such as my_module:embed"),
        ({"kind": "table"}, "path: is missing; give what to use, such as vectors.parquet"),
        ({"kind": "erg", "of": "a:b"}, "of: is for kind: function alone; remove it"),
    ],
)
def test_a_block_has_the_keys_of_its_kind(block, message):
    with pytest.raises(ValueError, match=message):
        parse_params({"data": {"path": "x.csv", "endpoints": {"y": {}}}, "featurize": {"blocks": [block]}})


def test_a_function_travels_by_name_version_and_content(tmp_path):
    block = block_of(tmp_path, LENGTHS)
    wanted = recorded([block])
    assert (
        wanted[0]["name"] == "letters:embed" and wanted[0]["version"] == "" and len(wanted[0]["sha256"]) == 64
    )
    check_versions(wanted, [block], tmp_path / "model")
    changed = block_of(tmp_path, LENGTHS + "# another\n")
    with pytest.raises(ValueError, match="letters:embed is not the file that the model was trained with"):
        check_versions(wanted, [changed], tmp_path / "model")
    older = [{**recorded([changed])[0], "version": "letters 1.0"}]
    with pytest.raises(ValueError, match=r"trained with letters:embed of letters 1\.0, this is no package"):
        check_versions(older, [changed], tmp_path / "model")


def test_an_installed_functions_version_is_its_packages():
    (one,) = recorded([FeatureBlock(kind="function", of="scipy.stats:rankdata")])
    assert one["version"].startswith("scipy ")


def vectors(tmp_path: Path, name: str = "vectors.parquet", **columns) -> FeatureBlock:
    frame = pd.DataFrame(columns)
    path = tmp_path / name
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_csv(path, index=False)
    key = "inchikey" if "inchikey" in columns else "smiles"
    (block,) = located([FeatureBlock(kind="table", path=name, key=key)], tmp_path)
    return block


@pytest.mark.parametrize("name", ["vectors.parquet", "vectors.csv"])
def test_a_table_gives_a_molecule_its_row_however_its_smiles_is_written(tmp_path, name):
    block = vectors(tmp_path, name, smiles=["OCC", "c1ccccc1"], dock=[-7.5, np.nan], homo=[1.0, 2.0])
    found = featurize_each(["CCO", "C1=CC=CC=C1", "CCN"], [block], cores=2, always_workers=True)
    assert found.features.names == (f"table.{name}:dock", f"table.{name}:homo")
    np.testing.assert_array_equal(found.features.dense[:2], [[-7.5, 1], [np.nan, 2]])
    assert found.failures[2].detail == f"featurizing: ValueError: {name} has no row of smiles CCN; add one"


def test_a_table_by_inchikey_may_hold_lists(tmp_path):
    block = vectors(tmp_path, inchikey=["LFQSCWFLJHTTHZ-UHFFFAOYSA-N"], vector=[np.array([0.5, 1.5, 2.5])])
    found = featurize(["CCO"], [block])
    assert found.names[2] == "table.vectors.parquet:2"
    np.testing.assert_array_equal(found.dense, [[0.5, 1.5, 2.5]])


def test_a_table_that_contradicts_itself_is_refused(tmp_path):
    with pytest.raises(ValueError, match="rows 1 and 2 give 'OCC' different vectors"):
        featurize(["CCO"], [vectors(tmp_path, smiles=["CCO", "OCC"], x=[1.0, 2.0])])
    with pytest.raises(ValueError, match="no column smiles; it has 'x'"):
        featurize(["CCO"], [vectors(tmp_path, "b.parquet", x=[1.0])])
    with pytest.raises(ValueError, match="no such file"):
        featurize(["CCO"], [FeatureBlock(kind="table", path=str(tmp_path / "none.csv"))])


def test_a_changed_file_is_another_input(tmp_path):
    block_of(tmp_path, LENGTHS)
    vectors(tmp_path, smiles=["CCO"], x=[1.0])
    ours, function = {"kind": "erg"}, {"kind": "function", "of": "letters:embed"}
    blocks = [ours, function, {"kind": "table", "path": "vectors.parquet"}]
    before = content_of(blocks, tmp_path)
    assert len(before) == 2 and None not in before.values()
    assert content_of(blocks, tmp_path) == before
    vectors(tmp_path, smiles=["CCO"], x=[2.0])
    after = content_of(blocks, tmp_path)
    assert [before[key] == after[key] for key in before] == [True, False]
    (tmp_path / "letters.py").unlink()
    assert None in content_of(blocks, tmp_path).values()
