"""Reading raw tables: delimiters, encodings, containers, and what is refused."""

import gzip
import os
from datetime import date, datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from manywalks.tables.csv_header import find_delimiter
from manywalks.tables.frame import as_text, read_table, read_whole
from manywalks.tables.reader import Format


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
        ("t.csv", "a,b\n1,2,3,4\n1,2,3\n1,2\n", "line 1 names 2 columns, but most records have more.*quote"),
        (
            "t.csv",
            "Solubility report\nsmiles,y\nCCO,1\n",
            "line 1 .'Solubility report'. is no line of column",
        ),
        ("t.csv", "Report,,\n,,\nid,smiles,y\n1,CCO,2\n", "line 1 .'Report'. is no line of column names"),
        ("t.csv", "# by the LIMS\nid,smiles,y\n1,CCO,2\n", "line 1 .'# by the LIMS'. is a comment"),
        ("t.csv", "M1,CC(C)O,1\nM2,CCCO,2\n", "its first line, 'CC.C.O', is a molecule"),
        ("t.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS pointer.*lfs pull"),
        ("t.csv", "outs:\n- md5: abc\n  path: t.csv\n", r"is a \.dvc file.*dvc pull"),
        ("t.csv", "<!DOCTYPE html><html></html>", "is a web page"),
        ("t.csv", "a,y, y \n1,2,3\n", "more than one column 'y'; rename"),
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


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is a pipe or a device"):
        read_table(tmp_path / "pipe")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize("encoding", ["klingon", "hex"])
def test_what_is_no_encoding_is_refused_in_one_line(tmp_path, encoding):
    path = write(tmp_path, "t.csv", "smiles,y\nCCO,1\n")
    with pytest.raises(ValueError, match=rf"data\.encoding: '{encoding}' is no encoding") as refusal:
        read_table(path, said=Format(encoding=encoding))
    assert "\n" not in str(refusal.value)


def test_columns_without_a_name_may_be_many(tmp_path):
    frame = read_table(write(tmp_path, "t.csv", "smiles,y,,\nCCO,1,,\n"))
    assert frame[["smiles", "y"]].to_numpy().tolist() == [["CCO", "1"]]


def test_a_named_index_of_parquet_is_a_column(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"smiles": ["CCO", "C"], "y": [1, 2]}, index=pd.Index(["a", "b"], name="batch"))
    frame.to_parquet(path)
    assert read_table(path).sort_index(axis=1).to_numpy().tolist() == [["a", "CCO", "1"], ["b", "C", "2"]]
    frame.rename_axis(None).to_parquet(path)
    assert list(read_table(path)) == ["smiles", "y"]


def test_whole_numbers_of_parquet_stay_whole_beside_missing_ones(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": pa.array([7, None]), "y": [0.5, 2.0]}), path)
    assert read_table(path).to_numpy().tolist() == [["7", "0.5"], ["", "2.0"]]


def test_two_columns_of_one_name_in_parquet_are_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table([["CCO"], [1], [2]], names=["smiles", "y", "y"]), path)
    with pytest.raises(ValueError, match="more than one column 'y'"):
        read_table(path)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_wanted_columns_are_those_of_the_whole_table(tmp_path, name, monkeypatch):
    monkeypatch.setattr("manywalks.tables.frame.CHUNK", 7)
    path = tmp_path / name
    table = pd.DataFrame({c: [f"{c}{row}" for row in range(30)] for c in ("smiles", "y", "other", "more")})
    table.to_csv(path, index=False) if name == "t.csv" else table.to_parquet(path)
    pd.testing.assert_frame_equal(read_table(path), table)
    pd.testing.assert_frame_equal(
        read_table(path, columns={"y", "smiles"}), table.drop(columns=["other", "more"])
    )
    # one that is missing is for the caller to speak of, who then names those that are there
    assert list(read_table(path, columns={"y", "gone"})) == list(table)


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        (["1,CCO,3", "2,CC,1,9", "3,C,2"], {1: "line 3: 4 cells"}),
        (["1,CCO,3,", "2,CC,1,,", "3,C"], {}),
        (['1,"CCO,3', "2,CC,1", "3,C,2"], {0: "line 2: a quote"}),
        (['1,"CCO,3', "2,CC,1", "3,C,2", '4,"CC,5', "5,O,1"], {0: "line 2: a quote", 3: "line 5: a quote"}),
        (['1,"CCO,3', "2,CC,1", '4,CC",5', "5,O,1"], {0: "line 2: a quote"}),
        (['1,"a, b', 'c",3', "2,CC,1"], {}),
    ],
)
@pytest.mark.parametrize("columns", [None, {"smiles"}])
def test_a_damaged_line_costs_itself_and_is_told(tmp_path, lines, faults, columns):
    found = read_whole(write(tmp_path, "t.csv", "\n".join(["id,smiles,y", *lines])), columns=columns)
    assert len(found.frame) == len(lines) - any('c"' in line for line in lines)
    assert list(found.faults) == list(faults)
    assert all(found.faults[row].startswith(said) for row, said in faults.items())


def test_excels_line_of_the_delimiter_is_read(tmp_path):
    frame = read_table(write(tmp_path, "t.csv", "sep=;\nsmiles;y\nCCO;1,5\n"))
    assert frame.to_dict("records") == [{"smiles": "CCO", "y": "1,5"}]


@pytest.mark.parametrize("name", ["t.smi", "t.txt"])
def test_a_list_of_smiles_needs_no_column_names(tmp_path, name):
    frame = read_table(write(tmp_path, name, "CCO ethanol, dry\nCC |$a;b$|\tethane\nC\n"))
    assert frame.to_numpy().tolist() == [["CCO", "ethanol, dry"], ["CC |$a;b$|", "ethane"], ["C", ""]]


def test_long_cells_and_headers_are_read(tmp_path):
    names = [f"column {i}" for i in range(9000)]
    text = ",".join(["smiles", *names]) + "\nCCO," + "x" * 200_000 + "\n"
    frame = read_table(write(tmp_path, "t.csv", text))
    assert (frame.shape, len(frame["column 0"][0])) == ((1, 9001), 200_000)


def test_parquet_of_any_types_is_text(tmp_path):
    path = tmp_path / "t.parquet"
    columns = {
        "decimal": pa.array([Decimal("1.50")]),
        "date": pa.array([date(2020, 1, 31)]),
        "time": pa.array([datetime(2020, 1, 31)]),
        "bytes": pa.array([b"CCO"]),
        "list": pa.array([[1, 2]]),
        "short": pa.array([0.1], pa.float32()),
        "word": pa.array(["a"]).dictionary_encode(),
        "none": pa.array([None]),
    }
    pq.write_table(pa.table(columns), path)
    cells = ["1.50", "2020-01-31", "2020-01-31", "CCO", "[1, 2]", "0.1", "a", ""]
    assert read_table(path).to_numpy().tolist() == [cells]


def test_sdf_titles_and_fields_keep_their_names(tmp_path):
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    fields = "> <Viability >24 h>\n68\n\n> <Viability >48 h>\n29\n\n>  25 <name> (7)\nx\n\n$$$$\n"
    frame = read_table(write(tmp_path, "t.txt", f"A1{block}{fields}"))
    assert frame.to_dict("records") == [
        {"smiles": "CCO", "name": "A1", "Viability >24 h": "68", "Viability >48 h": "29", "name field": "x"}
    ]


def test_a_field_of_two_values_is_refused(tmp_path):
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    text = f"{block}> <y>\n1\n\n> <y>\n2\n\n$$$$\n"
    with pytest.raises(ValueError, match="record 1: field 'y' is there more than once"):
        read_table(write(tmp_path, "t.sdf", text))


def test_a_table_that_dvc_has_not_brought_is_asked_for(tmp_path):
    write(tmp_path, "t.csv.dvc", "outs:\n- md5: abc\n  path: t.csv\n")
    with pytest.raises(ValueError, match=r"not here, only t\.csv\.dvc is; `dvc pull t\.csv\.dvc` brings it"):
        read_table(tmp_path / "t.csv")


def test_a_wrong_encoding_is_refused(tmp_path):
    path = write(tmp_path, "t.csv", "smiles,unit\nCCO,µM\n", "cp1252")
    with pytest.raises(ValueError, match=r"not utf-8 text.*data\.encoding"):
        read_table(path, said=Format(encoding="utf-8"))
