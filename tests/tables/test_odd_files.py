"""Odd files of every kind, read by init, train and predict: the right values, or one line that says why."""

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from manywalks.predict.columns import Want
from manywalks.predict.scan import Scan
from manywalks.tables.frame import read_whole
from tests.support.odd_files import (
    EXPECTED,
    IDS,
    PLAIN,
    SMILES,
    refusal,
    sdf,
    seen,
    table,
    written,
)

TEXT = table(PLAIN)
HEAD, *ROWS = TEXT.splitlines()
BODY = "\n".join(ROWS) + "\n"


def lines(*changed: tuple[int, str]) -> str:
    """The plain table with some of its rows (0-based) replaced."""
    rows = [*ROWS]
    for place, row in changed:
        rows[place] = row
    return "\n".join([HEAD, *rows]) + "\n"


def noted(note: str) -> str:
    """The plain table with a third column."""
    return table({"id": IDS, "smiles": SMILES, "note": [note] * 10, "y": PLAIN["y"]})


def without(*rows: int) -> dict[tuple[str, str], float]:
    """What is expected without some rows (0-based)."""
    return {key: value for place, (key, value) in enumerate(EXPECTED.items()) if place not in rows}


SAME_ROWS = {
    "crlf": TEXT.replace("\n", "\r\n"),
    "carriage returns alone": TEXT.replace("\n", "\r"),
    "ends of lines mixed": TEXT.replace("\n", "\r\n", 4),
    "no end of the last line": TEXT.rstrip("\n"),
    "blank lines": TEXT.replace("\n", "\n\n \n", 3),
    "commas behind every line": TEXT.replace("\n", ",,\n"),
    "commas behind the records": HEAD + "\n" + BODY.replace("\n", ",\n"),
    "everything quoted": "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in TEXT.splitlines()),
    "inches within a cell": noted('5" pipe'),
    "inches at the end of a cell": noted('pipe 5"'),
    "a quoted word first": noted('"5 inch" pipe'),
    "doubled quotes": noted('"a ""b"" c"'),
    "a line break in a cell": noted('"one\ntwo"'),
    "a comma in a cell": noted('"2,4-D"'),
    "an empty quoted cell": noted('""'),
    "blanks around": HEAD.replace(",", " , ") + "\n" + BODY.replace(",", " , "),
    "tabs": TEXT.replace(",", "\t"),
    "pipes": TEXT.replace(",", "|"),
    "semicolons": TEXT.replace(",", ";"),
    "one blank between": TEXT.replace(",", " "),
    "many blanks between": TEXT.replace(",", "    "),
    "sep=,": "sep=,\n" + TEXT,
    "sep=tab": "sep=\t\n" + TEXT.replace(",", "\t"),
    "quoted sep": '"sep=;"\n' + TEXT.replace(",", ";"),
    "SEP= and crlf": ("SEP=|\n" + TEXT.replace(",", "|")).replace("\n", "\r\n"),
    "sep behind a mark": "\ufeffsep=;\n" + TEXT.replace(",", ";"),
    "two byte order marks": "\ufeff\ufeff" + TEXT,
    "quoted names behind a mark": '\ufeff"id","smiles","y"\n' + BODY,
    "names in capitals": "ID,SMILES,Y\n" + BODY,
    "lines above that are blank": "\n\n" + TEXT,
    "an index without a name": table({"": [str(i) for i in range(10)], **PLAIN}),
}


@pytest.mark.parametrize("content", SAME_ROWS.values(), ids=SAME_ROWS)
def test_the_same_table_however_it_is_written(tmp_path: Path, content: str) -> None:
    found = seen(written(tmp_path, "t.csv", content))
    assert (found.values, found.rejected) == (EXPECTED, {})


ROWS_LOST = {
    "a quote in the id": (lines((2, '"M-2,CC(=O)O,0.50')), {3: "malformed"}),
    "a quote in the structure": (lines((2, 'M-2,"CC(=O)O,0.50')), {3: "malformed"}),
    "a quote in the value": (lines((2, 'M-2,CC(=O)O,"0.50')), {3: "malformed"}),
    "a quote in the last line": (lines((9, '"M-9,c1ccncc1,9.25')), {10: "malformed"}),
    "a quote in the first record": (lines((0, '"M-0,CCO,-2.00')), {1: "malformed"}),
    "two quotes, rows between": (
        lines((1, 'M-1,"CCN,-0.75'), (7, 'M-7,CCCN",6.75')),
        {2: "malformed", 8: "unparsable"},
    ),
    "two quotes that open": (
        lines((1, 'M-1,"CCN,-0.75'), (7, 'M-7,"CCCN,6.75')),
        {2: "malformed", 8: "malformed"},
    ),
    "a row too wide": (lines((3, "M-3,c1ccccc1O,1.75,5,6")), {4: "malformed"}),
    "a decimal comma, unquoted": (lines((3, "M-3,c1ccccc1O,1,75")), {4: "malformed"}),
    "a row too short": (lines((3, "M-3")), {4: "empty"}),
    "a row without a value": (lines((4, "M-4,CC(C)=O")), {5: "unmeasured"}),
    "a row of commas": (lines((4, ",,")), {5: "empty"}),
    "a structure of two lines": (lines((0, 'M-0,"CC\nO",-2.00')), {1: "unparsable"}),
    "two structures": (lines((0, "M-0,CCO CCN,-2.00")), {1: "unparsable"}),
    "the names again": (lines((5, HEAD)), {6: "unparsable"}),
    "a row of units": (lines((0, ",,nM")), {1: "empty"}),
    "a row of types": (lines((0, "string,string,float")), {1: "unparsable"}),
    "a sum below": (lines((9, "Total,,42")), {10: "empty"}),
    "a comment below": (lines((9, "# by the LIMS on 2024-01-01")), {10: "empty"}),
    "an end-of-file mark": (lines((9, "\x1a")), {10: "empty"}),
    "a Cyrillic carbon": (lines((0, "M-0,\u0421CO,-2.00")), {1: "unparsable"}),
}


@pytest.mark.parametrize(("content", "rejected"), ROWS_LOST.values(), ids=ROWS_LOST)
def test_a_bad_row_costs_itself_alone(tmp_path: Path, content: str, rejected: dict[int, str]) -> None:
    found = seen(written(tmp_path, "t.csv", content))
    assert found.rejected == rejected
    assert found.values == without(*(row - 1 for row in rejected))


NO_HEADER = {
    "a molecule first": ("t.csv", table({"CCO": SMILES, "name": IDS}), "'CCO', is a molecule"),
    "methane first": ("t.csv", table({"C": SMILES, "1.5": IDS}), "'C', is a molecule"),
    "nothing but molecules": ("t.csv", "\n".join(SMILES), "is a molecule"),
    "a title": ("t.csv", "Assay 123\n\n" + TEXT, "no line of column names"),
    "a title as wide": ("t.csv", "Batch,Plate,Well\n" + TEXT, "'Batch'. is no line of column names"),
    "a title with commas": ("t.csv", "Assay 123,,\n" + TEXT, "no line of column names"),
    "two titles": ("t.csv", "Project X\nDate: 2024-01-01\n" + TEXT, "no line of column names"),
    "three lines of settings": ("t.csv", "Lab,ACME,\nDate,2024,\n" + TEXT, "no line of column names"),
    "another title": ("t.csv", "Report,,\nCompound,Structure SMILES,Activity\n" + BODY, "no line of column"),
    "a comment": ("t.csv", "# by the LIMS\n" + TEXT, "is a comment"),
    "two comments": ("t.csv", "# by the LIMS\n# v2\n" + TEXT, "is a comment"),
    "a comment with commas": ("t.csv", "# a, b, c\n" + TEXT, "is a comment"),
    "a comment of C": ("t.csv", "// exported\n" + TEXT, "no line of column names"),
    "a comment above a list": ("t.smi", "# list\nCCO a\nCCN b\n", "is a comment; remove it"),
    "one name too few": ("t.csv", "smiles,y\n" + BODY, "line 1 names 2 columns, but most records have more"),
    "no name at all": ("t.csv", ",,\n" + BODY, "no line of column names"),
    "two of one name": ("t.csv", "id,smiles,y,y\n" + BODY, "more than one column 'y'"),
    "two of one name but for blanks": ("t.csv", "id,smiles,y, y \n" + BODY, "more than one column 'y'"),
    "a quote never closed": ("t.csv", 'id,smiles,"y\n' + BODY, "never closes it"),
    "nothing": ("t.csv", "", "is empty"),
    "blank lines alone": ("t.csv", "\n \n,,\n", "is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "said"), NO_HEADER.values(), ids=NO_HEADER)
def test_what_is_no_line_of_names_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    assert said.replace("'. is", "') is") in refusal(written(tmp_path, name, content))


LISTS = {
    "names behind blanks": ("t.smi", "CCO ethanol, dry\nCCN a b c\n", ["CCO", "CCN"]),
    "names behind tabs": ("t.smi", "CCO\tethanol\nCCN\tamine\n", ["CCO", "CCN"]),
    "no names": ("t.smi", "CCO\nCCN\n", ["CCO", "CCN"]),
    "methane first": ("t.smi", "C methane\nCCO ethanol\n", ["C", "CCO"]),
    "a name that says molecule": ("t.smi", "CCO molecule 1\nCCN molecule 2\n", ["CCO", "CCN"]),
    "a bad molecule first": ("t.smi", "XX bad\n" + "CCO a\n" * 9, ["XX", *["CCO"] * 9]),
    "extensions": ("t.smi", "CCO |$a;b;c$| x\nCCN |&1:0|\n", ["CCO |$a;b;c$|", "CCN |&1:0|"]),
    "column names and blanks": ("t.smi", "smiles name\nCCO a\nCCN b\n", ["CCO", "CCN"]),
    "column names and tabs": ("t.smi", "SMILES\tName\nCCO\ta\nCCN\tb\n", ["CCO", "CCN"]),
    "a text": ("t.txt", "CCO ethanol\nCCN amine\n", ["CCO", "CCN"]),
    "gzip": ("t.smi.gz", gzip.compress(b"CCO ethanol\nCCN amine\n"), ["CCO", "CCN"]),
    "a table of commas": ("t.txt", "name,smiles\na,CCO\nb,CCN\n", ["CCO", "CCN"]),
    "crlf": ("t.ism", "CCO a\r\nCCN b\r\n", ["CCO", "CCN"]),
    "a mark": ("t.smi", "\ufeffCCO a\nCCN b\n", ["CCO", "CCN"]),
}


@pytest.mark.parametrize(("name", "content", "smiles"), LISTS.values(), ids=LISTS)
def test_lists_of_smiles(tmp_path: Path, name: str, content: str | bytes, smiles: list[str]) -> None:
    path = written(tmp_path, name, content)
    assert [record.text for record in Scan(path, Want()).records()] == smiles
    frame = read_whole(path).frame
    assert frame[next(c for c in frame if c.lower() == "smiles")].tolist() == smiles


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["t.csv", "t.sdf"])
def test_texts_of_any_usual_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    ids = [f"µ-{i}" for i in range(10)]
    text = table(PLAIN | {"id": ids}) if name == "t.csv" else sdf(ids=ids)
    found = seen(written(tmp_path, name, text, encoding))
    assert [one for one, _ in found.values] == ids


def test_one_wrong_byte_does_not_change_how_the_others_are_read(tmp_path: Path) -> None:
    text = table(PLAIN | {"id": [f"µ-{i}" for i in range(10)]}).encode()
    found = seen(written(tmp_path, "t.csv", text.replace("µ-3".encode(), b"\xff-3")))
    assert [one for one, _ in found.values][:4] == ["µ-0", "µ-1", "µ-2", "\ufffd-3"]


def packed(name: str) -> bytes:
    """The plain table in a tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        about = tarfile.TarInfo(name)
        about.size = len(TEXT)
        archive.addfile(about, io.BytesIO(TEXT.encode()))
    return stream.getvalue()


NO_TABLES = {
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "`git lfs pull`"),
    "LFS of before": (b"version https://hawser.github.com/spec/v1\noid sha256:1\n", "`git lfs pull`"),
    "LFS crlf": (b"version https://git-lfs.github.com/spec/v1\r\noid sha256:1\r\n", "`git lfs pull`"),
    "annex": (b"/annex/objects/MD5E-s1--abc.csv\n", "`git annex get`"),
    "annex link": (b"../.git/annex/objects/f4/aa/MD5E-s1--abc.csv", "`git annex get`"),
    "dvc": (b"outs:\n- md5: abc\n  size: 3\n  path: t.csv\n", "`dvc pull`"),
    "dvc path first": (b"outs:\n- path: t.csv\n  md5: abc\n", "`dvc pull`"),
    "dvc import": (b"md5: a\ndeps:\n- path: d\n  repo:\n    url: x\nouts:\n- path: t\n", "`dvc pull`"),
    "dvc comment": (b"# by dvc\nwdir: ..\nouts:\n- md5: abc\n  path: t.csv\n", "`dvc pull`"),
    "dvc crlf": (b"outs:\r\n- md5: abc\r\n  path: t.csv\r\n", "`dvc pull`"),
    "bzip2": (bz2.compress(TEXT.encode()), "compressed with bzip2"),
    "xz": (lzma.compress(TEXT.encode()), "compressed with xz"),
    "gzip twice": (gzip.compress(gzip.compress(TEXT.encode())), "compressed twice"),
    "gzip cut off": (gzip.compress(TEXT.encode())[:-12], "damaged gzip"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "tar": (packed("t.csv"), "tar archive"),
    "zip": (b"PK\x03\x04abc", "no Excel workbook"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1abc", "old Excel file (.xls), or one with a password"),
    "a page": (b"\n<!DOCTYPE html><p>log in</p>", "a web page"),
    "a page's table": (b"<table><tr><td>smiles</td></tr></table>", "a web page"),
    "XML": (b'\xef\xbb\xbf<?xml version="1.0"?><a/>', "XML"),
    "JSON": (b'[{"smiles": "CCO", "y": 1}]', "JSON"),
    "JSON lines": (b'{"smiles":"CCO","y":1}\n', "JSON"),
    "PDF": (b"%PDF-1.4\n%\xe2\xe3", "a PDF"),
    "SQLite": (b"SQLite format 3\x00abc", "a database"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "a reaction": (b"$RXN\n\n\n\n  1  1\n", "a reaction"),
    "an RD file": (b"$RDFILE 1\n$DATM 2020\n", "an RD file"),
    "MOL2": (b"@<TRIPOS>MOLECULE\nx\n", "a MOL2 file"),
    "zero bytes": (TEXT.replace("M-5", "M\x005").encode(), "zero bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), NO_TABLES.values(), ids=NO_TABLES)
def test_files_that_are_no_tables_say_what_they_are(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(written(tmp_path, "t.csv", content))
