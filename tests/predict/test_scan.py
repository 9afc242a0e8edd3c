"""Records of tables in every form, and faults that cost one record."""

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from manywalks.predict.columns import Record, Want
from manywalks.predict.scan import Scan

SMILES = ["CCO", "c1ccccc1O", "CC(=O)N"]


def scanned(path: Path, want: Want | None = None) -> list[Record]:
    scan = Scan(path, want or Want())
    found = list(scan.records())
    assert scan.share == 1.0
    return found


def sdf(path: Path) -> Path:
    blocks = []
    for number, smiles in enumerate(SMILES):
        mol = Chem.MolFromSmiles(smiles)
        mol.SetProp("_Name", f"m{number}")
        blocks.append(Chem.MolToMolBlock(mol) + f"> <batch>\nb{number}\n\n$$$$\n")
    path.write_text("".join(blocks), encoding="utf-8")
    return path


def written(folder: Path, form: str) -> Path:
    frame = pd.DataFrame({"name": ["m0", "m1", "m2"], "smiles": SMILES, "x": [1, 2, 3]})
    path = folder / f"table.{form}"
    if form == "parquet":
        frame.to_parquet(path)
    elif form == "csv":
        frame.to_csv(path, index=False)
    elif form == "tsv":
        frame.to_csv(path, index=False, sep="\t", encoding="utf-16")
    elif form == "sdf":
        sdf(path)
    else:
        inner = written(folder, form.removesuffix(".gz"))
        path.write_bytes(gzip.compress(inner.read_bytes()))
        inner.unlink()
    return path


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "csv.gz", "parquet.gz"])
def test_every_form_of_a_table_gives_the_same_records(tmp_path: Path, form: str) -> None:
    found = scanned(written(tmp_path, form), Want(keep=("x",)))
    assert [r.id for r in found] == ["m0", "m1", "m2"]
    assert [r.text for r in found] == SMILES
    assert [r.kept for r in found] == [("1",), ("2",), ("3",)]


@pytest.mark.parametrize("index", ["id", "smiles"])
def test_a_named_index_of_parquet_is_a_column(tmp_path: Path, index: str) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": ["a", "b", "c"], "smiles": SMILES}).set_index(index).to_parquet(path)
    assert [(r.id, r.text) for r in scanned(path)] == list(zip("abc", SMILES, strict=True))


def test_whole_numbers_of_parquet_stay_whole_beside_missing_ones(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": pa.array([7, None, 9]), "smiles": SMILES}), path)
    assert [r.id for r in scanned(path)] == ["7", "2", "9"]


def test_two_columns_of_one_name_in_parquet_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table([SMILES, [1, 2, 3], [4, 5, 6]], names=["smiles", "y", "y"]), path)
    with pytest.raises(ValueError, match="more than one column 'y'"):
        scanned(path)


@pytest.mark.parametrize("form", ["sdf", "sdf.gz"])
def test_an_sdf_gives_its_blocks(tmp_path: Path, form: str) -> None:
    found = scanned(written(tmp_path, form), Want(keep=("batch",)))
    assert [r.id for r in found] == ["m0", "m1", "m2"]
    assert [Chem.MolToSmiles(Chem.MolFromMolBlock(r.text)) for r in found] == [
        Chem.CanonSmiles(smiles) for smiles in SMILES
    ]
    assert [r.kept for r in found] == [("b0",), ("b1",), ("b2",)]


def test_a_folder_is_its_tables_by_name(tmp_path: Path) -> None:
    for name, form in (("b.csv", "csv"), ("a.sdf", "sdf"), ("c.parquet", "parquet")):
        (tmp_path / "in").mkdir(exist_ok=True)
        written(tmp_path, form).rename(tmp_path / "in" / name)
    (tmp_path / "in/readme.md").write_text("no table")
    assert [r.kind for r in scanned(tmp_path / "in")] == ["block"] * 3 + ["smiles"] * 6
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no tables"):
        Scan(tmp_path / "empty", Want())


def test_what_is_passed_over_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name, text in (("a.csv", "smiles\nCCO\n"), ("b.txt", "smiles\nCCN\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("README.txt", "notes.md", ".hidden"):
        (tmp_path / name).write_text("These tables come from the plate reader.\n", encoding="utf-8")
    scan = Scan(tmp_path, Want(smiles="smiles"))
    assert [path.name for path in scan.skipped] == ["more", "notes.md", "README.txt"]
    assert [(r.text, r.kept) for r in scan.records()] == [("CCO", ("a.csv",)), ("CCN", ("b.txt",))]


@pytest.mark.parametrize(
    ("text", "said"), [("", "z.csv: is empty"), ("CCO\nCC=O\n", "z.csv: its first line, 'CCO', is a mol")]
)
def test_every_file_of_a_folder_is_looked_at_first(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text("smiles\nCCO\n", encoding="utf-8")
    (tmp_path / "z.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        Scan(tmp_path, Want())


def test_a_field_that_no_record_of_an_sdf_has_is_refused(tmp_path: Path) -> None:
    path = sdf(tmp_path / "t.sdf")
    with pytest.raises(
        ValueError, match=r"no record has a field 'note'; it has 'smiles', 'name', 'batch' \(change --keep\)"
    ):
        scanned(path, Want(keep=("note",)))
    with pytest.raises(ValueError, match="change --id"):
        scanned(path, Want(id="note"))


def test_a_damaged_row_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'id,smiles\n1,CCO\n2,"CC\n3,C\xff\n4,CC,more\n5\n6,' + b"C" * 200_000 + b"\n7,CO\n")
    found = scanned(path)
    assert [r.id for r in found] == ["1", "2", "3", "4", "5", "6", "7"]
    assert [bool(r.fault) for r in found] == [False, True, False, True, False, False, False]
    assert "3 cells where the table has 2" in found[3].fault


def test_rows_without_a_name_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("smiles\nCCO\n\nCC=O\n", encoding="utf-8")
    assert [(r.id, r.text) for r in scanned(path)] == [("1", "CCO"), ("2", "CC=O")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("CCO\nCC=O\nCCN(C)C\n", "'CCO', is a molecule; put a line of column names above"),
        ("CCO\nCCN\n", "'CCO', is a molecule; put a line of column names above"),
        ("a,b\n1,2\n", "no column holds SMILES.*--smiles"),
        ("place,CO,NO\nhere,1,2\n", "no column holds SMILES.*--smiles"),
        ("CO\nCC=O\nCC(=O)N\n", "'CO', is a molecule; put a line of column names above"),
    ],
)
def test_a_table_without_molecules_says_so(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        scanned(path)


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, "csv")
    for want, said in (
        (Want(smiles="z"), "--smiles"),
        (Want(id="z"), "--id"),
        (Want(keep=("z",)), "--keep"),
    ):
        with pytest.raises(ValueError, match=f"no column 'z'.*{said}"):
            scanned(path, want)
    with pytest.raises(ValueError, match="no such file"):
        Scan(tmp_path / "gone.csv", Want())


def test_the_models_own_column_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("smiles,parent\nCCO,CC=O\n", encoding="utf-8")
    assert scanned(path, Want(trained_smiles="parent"))[0].text == "CC=O"
    assert scanned(path, Want(smiles="smiles", trained_smiles="parent"))[0].text == "CCO"


def test_ids_are_found_by_pattern_and_the_columns_are_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Assay,Molecule Name,Structure SMILES\nA,ABC-1,CCO\nA,ABC-2,CC(=O)N\n", encoding="utf-8")
    scan = Scan(path, Want())
    assert [record.id for record in scan.records()] == ["ABC-1", "ABC-2"]
    assert scan.columns_said() == ["SMILES from 'Structure SMILES', ids from 'Molecule Name'"]
    path.write_text("smiles,Assay\nCCO,A\nCC(=O)N,A\n", encoding="utf-8")
    assert Scan(path, Want()).columns_said() == ["SMILES from 'smiles', row numbers as ids"]
