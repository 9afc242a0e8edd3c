"""Reading raw tables: delimiters, encodings, containers, and what is refused."""

import gzip

import pandas as pd
import pytest
from rdkit import Chem

from manywalks.tasks.tables import as_text, find_delimiter, read_table


def write(folder, name, content, encoding="utf-8"):
    path = folder / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(tmp_path, delimiter):
    lines = [["name", "smiles", "y"], ["ethanol, dry", "CCO", "1"], ['a "b"', "C[C@H](N)O", ""]]
    text = "\n".join(
        delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in lines
    )
    frame = read_table(write(tmp_path, "t.csv", text))
    assert [list(frame), *frame.to_numpy().tolist()] == lines


def test_a_table_of_one_column(tmp_path):
    frame = read_table(write(tmp_path, "t.csv", "smiles\nCCO\nC(=O)O\n\nC\n"))
    assert frame["smiles"].tolist() == ["CCO", "C(=O)O", "C"]


def test_commas_in_names_do_not_fool_the_search():
    assert find_delimiter("id;name;y\n1;2,4-D;3\n2;2,4,5-T;1\n3;a,b;4\n") == ";"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encoding_is_found(tmp_path, encoding):
    path = write(tmp_path, "t.csv", "smiles,unit\nCCO,µM\nC,é\n", encoding)
    assert read_table(path)["unit"].tolist() == ["µM", "é"]


def test_cells_stay_text(tmp_path):
    frame = read_table(write(tmp_path, "t.csv", "smiles,id,y\nCCO,007,NA\nC,1e5,\n"))
    assert frame.to_numpy().tolist() == [["CCO", "007", "NA"], ["C", "1e5", ""]]


def test_gzip_by_content_whatever_the_name(tmp_path):
    path = write(tmp_path, "t.csv", gzip.compress(b"smiles,y\nCCO,1\n"))
    assert read_table(path).shape == (1, 2)


def test_parquet_is_text_with_empty_cells(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"smiles": ["CCO", None], "y": [1.5, None], "n": [1, 2], "b": [True, False]}).to_parquet(
        path
    )
    assert read_table(path).to_numpy().tolist() == [["CCO", "1.5", "1", "True"], ["", "", "2", "False"]]


def test_numbers_of_a_frame_become_text_that_reads_back():
    frame = as_text(pd.DataFrame({"y": [0.1, None, 3e-9]}))
    assert frame["y"].tolist() == ["0.1", "", "3e-09"]


def test_sdf_keeps_every_record(tmp_path):
    good = Chem.MolToMolBlock(Chem.MolFromSmiles("C[C@H](N)C(=O)O"))
    odd = good.replace(" C ", " Xx", 1)
    text = f"{good}> <y>\n1.5\n\n> <smiles>\nnot this\n\n$$$$\n{odd}> <y>\n2\n\n$$$$\nbroken\n$$$$\n"
    frame = read_table(write(tmp_path, "t.sdf", text))
    assert len(frame) == 3
    assert frame["smiles"].tolist()[0] == "C[C@H](N)C(=O)O"
    assert frame["y"].tolist() == ["1.5", "2", ""]
    assert frame["smiles field"].tolist()[0] == "not this"


def test_sdf_says_that_a_polymer_is_one(tmp_path):
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("*CC* |$;;;$,Sg:n:1,2::ht|"))
    frame = read_table(write(tmp_path, "t.sdf", block + "$$$$\n"))
    assert "Sg:n" in frame["smiles"].tolist()[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", "smiles,y\n", "holds no records"),
        ("t.csv", "a,b\n1,2\n1,2,3\n", "line 3"),
        ("t.csv", "a,b\n1,2,\n1,2,\n", "more cells than the header"),
        ("t.csv", 'a,b\n"x,2\n1,2\n', "EOF inside string"),
        ("t.csv", b"\x89PNG\x00\x00\x00\x00", "not a text table"),
        ("t.csv", b"\x1f\x8b\x08broken", "damaged gzip"),
        ("t.parquet", b"PAR1broken", "damaged Parquet"),
        ("t.sdf", "", "holds no records"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path, name, content, said):
    with pytest.raises(ValueError, match=said) as refusal:
        read_table(write(tmp_path, name, content))
    assert str(tmp_path / name) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)


def test_a_wrong_encoding_is_refused(tmp_path):
    path = write(tmp_path, "t.csv", "smiles,unit\nCCO,µM\n", "cp1252")
    with pytest.raises(ValueError, match=r"not utf-8 text.*data\.encoding"):
        read_table(path, encoding="utf-8")
