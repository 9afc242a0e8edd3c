"""Odd Parquet files and SDFs, read by init, train and predict."""

import gzip
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manywalks.tables.frame import read_whole
from tests.support.odd_files import (
    EXPECTED,
    IDS,
    SMILES,
    VALUES,
    record,
    refusal,
    sdf,
    seen,
    written,
)


def parquet(**columns: Any) -> bytes:
    """A Parquet file: the plain table with other columns."""
    stream = io.BytesIO()
    pq.write_table(pa.table({"id": IDS, "smiles": SMILES, "y": VALUES} | columns), stream)
    return stream.getvalue()


PARQUET = {
    "decimal": {"y": pa.array([Decimal(f"{v:.2f}") for v in VALUES])},
    "large decimal": {"y": pa.array([Decimal(f"{v:.2f}") for v in VALUES], pa.decimal256(40, 2))},
    "half": {"y": pa.array(np.array(VALUES, np.float16))},
    "float": {"y": pa.array(VALUES, pa.float32())},
    "text": {"y": pa.array([f"{v:.2f}" for v in VALUES])},
    "text with commas": {"y": pa.array([f"{v:.2f}".replace(".", ",") for v in VALUES])},
    "dictionary": {"y": pa.array(VALUES).dictionary_encode()},
    "dictionary of texts": {"smiles": pa.array(SMILES).dictionary_encode()},
    "large text": {"smiles": pa.array(SMILES, pa.large_string())},
    "view of text": {"smiles": pa.array(SMILES, pa.string_view())},
    "bytes": {"smiles": pa.array([one.encode() for one in SMILES])},
    "bytes of ids": {"id": pa.array([one.encode() for one in IDS], pa.binary(3))},
    "dates": {"when": pa.array([date(2020, 1, 1 + i) for i in range(10)])},
    "milliseconds": {"when": pa.array([date(2020, 1, 1 + i) for i in range(10)], pa.date64())},
    "nanoseconds": {"when": pa.array([datetime(2020, 1, 1, 3, i) for i in range(10)], pa.timestamp("ns"))},
    "zone": {"when": pa.array([datetime(2020, 1, 1)] * 10, pa.timestamp("us", "Europe/Berlin"))},
    "time of day": {"when": pa.array(range(10), pa.time64("ns"))},
    "duration": {"when": pa.array(range(10), pa.duration("ns"))},
    "list": {"bits": pa.array([[1, None], None] * 5)},
    "fixed list": {"bits": pa.array([[1.0, 2.0]] * 10, pa.list_(pa.float32(), 2))},
    "struct": {"more": pa.array([{"a": 1, "b": "x"}] * 10)},
    "map": {"more": pa.array([[("a", 1)]] * 10, pa.map_(pa.string(), pa.int32()))},
    "nothing": {"more": pa.nulls(10)},
    "whole numbers with holes": {"more": pa.array([7, None] * 5)},
    "bytes that are no text": {"more": pa.array([b"\xff\xfe\x00"] * 10)},
    "a name with a point": {"more.or.less": pa.array(["a"] * 10)},
}


@pytest.mark.parametrize("columns", PARQUET.values(), ids=PARQUET)
def test_parquet_of_any_types(tmp_path: Path, columns: dict[str, Any]) -> None:
    found = seen(written(tmp_path, "t.parquet", parquet(**columns)))
    assert (found.values, found.rejected) == (EXPECTED, {})


def test_parquets_own_odd_cells(tmp_path: Path) -> None:
    keys = [bytes([255, place] * 8) for place in range(10)]
    found = seen(written(tmp_path, "t.parquet", parquet(id=pa.array(keys, pa.binary(16)))))
    assert [one for one, _ in found.values] == [key.hex() for key in keys]
    found = seen(written(tmp_path, "t.parquet", parquet(smiles=pa.array([None, *SMILES[1:]]))))
    assert found.rejected == {1: "empty"}
    found = seen(written(tmp_path, "t.parquet", parquet(y=pa.array([float("nan"), None, *VALUES[2:]]))))
    assert found.rejected == {1: "unmeasured", 2: "unmeasured"}


def test_a_parquet_file_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    assert "is a damaged Parquet file" in refusal(written(tmp_path, "t.csv", parquet()[:-10]))


def test_parquets_names_are_read_as_a_csvs(tmp_path: Path) -> None:
    stream = io.BytesIO()
    pq.write_table(pa.table([SMILES, VALUES, IDS], names=[" smiles ", "y ", ""]), stream)
    found = seen(written(tmp_path, "t.parquet", stream.getvalue()))
    assert list(found.whole.frame) == ["smiles", "y", "Unnamed: 2"]
    assert list(found.values.values()) == VALUES
    stream = io.BytesIO()
    pq.write_table(pa.table([SMILES, VALUES, VALUES], names=["smiles", "y", " y"]), stream)
    assert "more than one column 'y'" in refusal(written(tmp_path, "u.parquet", stream.getvalue()))


SDF = {
    "V3000": sdf(v3000=True),
    "crlf": sdf().replace("\n", "\r\n"),
    "carriage returns alone": sdf().replace("\n", "\r"),
    "no end of the last record": sdf().removesuffix("$$$$\n"),
    "a number before the name": sdf(field="> 25 <y> (7)"),
    "no blank before the name": sdf(field="><y>"),
    "blanks within the name": sdf(field="> < y >"),
    "DT12 alone": sdf(field="> DT12"),
    "> in the name": sdf(field="> <y >24 h>"),
    "< in the name": sdf(field="> <y <24 h>"),
    "no name": sdf(field="> <>"),
    "a field of two lines": sdf(field="> <note>\none\ntwo\n\n> <y>"),
    "a blank line in a field": sdf(field="> <note>\none\n\ntwo\n\n> <y>"),
    "> in a value": sdf(field="> <note>\n>5 uM\n\n> <y>"),
    "a field twice, alike": sdf(field="> <a>\n1\n\n> <a>\n1\n\n> <y>"),
    "a structure field": sdf(field="> <SMILES>\nC\n\n> <y>"),
    "a name field": sdf(field="> <name>\nzz\n\n> <y>"),
    "fields of one name but for case": sdf(field="> <note>\n9\n\n> <Note>\n8\n\n> <y>"),
    "a blank line before the end of the block": sdf().replace("M  END", "\nM  END"),
    "no blank line after the value": sdf().replace("\n\n$$$$", "\n$$$$"),
    "blank lines at the end": sdf() + "\n \n\n",
    "a mark": "\ufeff" + sdf(),
}


@pytest.mark.parametrize("content", SDF.values(), ids=SDF)
def test_sdf_however_it_is_written(tmp_path: Path, content: str) -> None:
    found = seen(written(tmp_path, "t.sdf", content))
    assert (found.values, found.rejected) == (EXPECTED, {})
    assert [one.id for one in found.records] == IDS


def more(old: str = "", new: str = "", smiles: str = "CCO") -> str:
    """The plain table and an eleventh record, with something replaced in its block."""
    return sdf() + record(smiles, "x", 3).replace(old, new)


SDF_ROWS = {
    "no M  END": (sdf().replace("M  END\n", "", 1), {1: "unparsable"}),
    "$$$$ in a field": (
        sdf().replace("> <y>", "> <z>\n$$$$5\n\n> <y>", 1),
        {1: "unmeasured", 2: "unparsable"},
    ),
    "no atoms": (more("  3  2", "  0  0"), {11: "unparsable"}),
    "an R group": (more(smiles="*CC"), {11: "polymer"}),
    "an atom Q": (more(" O   0", " Q   0"), {11: "query"}),
    "an atom A": (more(" O   0", " A   0"), {11: "query"}),
    "a bond of any order": (more("  2  3  1", "  2  3  8"), {11: "query"}),
    "a polymer's bead": (more(" O   0", " Pol 0"), {11: "polymer"}),
    "repeat units": (more(smiles="CCO |Sg:n:0,1:n:ht|"), {11: "polymer"}),
    "an element that is none": (more(" O   0", " Du  0"), {11: "unparsable"}),
    "words at the end": (sdf() + "end of file\n", {11: "unparsable"}),
    "an empty record": (sdf() + "$$$$\n", {11: "unparsable"}),
}


@pytest.mark.parametrize(("content", "rejected"), SDF_ROWS.values(), ids=SDF_ROWS)
def test_a_bad_block_costs_itself_alone(tmp_path: Path, content: str, rejected: dict[int, str]) -> None:
    found = seen(written(tmp_path, "t.sdf", content))
    assert found.rejected == rejected
    kept = {key: value for key, value in EXPECTED.items() if 1 not in rejected or key[0] != "M-0"}
    assert found.values == kept


DRAWN = [
    ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
    ("CC(Cl)=O.[Na+].[Cl-]", "CC(=O)Cl"),
    ("[2H]C([2H])F", "CF"),
    ("CCF |SgD:1:PKA:4.1::::|", "CCF"),
    ("[CH3:1][CH2:2]Cl", "CCCl"),
]
GROUPS = [
    ("C[C@H](N)C(=O)O |&1:1|", "CC(N)C(=O)O"),
    ("C[C@H](N)C(=O)O |o1:1|", "CC(N)C(=O)O"),
    ("C[C@H](N)C(=O)O |a:1|", "C[C@H](N)C(=O)O"),
]


@pytest.mark.parametrize(
    ("v3000", "smiles", "expected"),
    [*((False, *one) for one in DRAWN), *((True, *one) for one in [*DRAWN, *GROUPS])],
)
def test_a_block_is_the_molecule_that_it_draws(
    tmp_path: Path, v3000: bool, smiles: str, expected: str
) -> None:
    found = seen(written(tmp_path, "t.sdf", sdf() + record(smiles, "x", 3, v3000=v3000)))
    assert found.values == EXPECTED | {("x", expected): 3}


@pytest.mark.parametrize("packing", ["gzip", "two gzips in one file"])
def test_sdf_is_known_by_its_content(tmp_path: Path, packing: str) -> None:
    half = sdf()[: sdf().index("M-5")]
    whole = (
        gzip.compress(sdf().encode())
        if packing == "gzip"
        else gzip.compress(half.encode()) + gzip.compress(sdf()[len(half) :].encode())
    )
    assert seen(written(tmp_path, "t.csv", whole)).values == EXPECTED
    assert seen(written(tmp_path, "u.csv", sdf())).values == EXPECTED


def test_sdf_without_first_lines_takes_its_ids_from_a_field(tmp_path: Path) -> None:
    content = "".join(
        record(smiles, "", value, f"> <Compound_ID>\n{name}\n\n> <y>")
        for name, smiles, value in zip(IDS, SMILES, VALUES, strict=True)
    )
    found = seen(written(tmp_path, "t.sdf", content))
    assert found.values == EXPECTED
    assert [one.id for one in found.records] == IDS


def test_an_sdf_that_cannot_be_read_says_so_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="RDKit reads none of its 10 molecule blocks"):
        read_whole(written(tmp_path, "t.sdf", sdf().replace("V2000", "V9000")))
    twice = sdf() + record("CCO", "x", 1, "> <y>\n2\n\n> <y>")
    assert "record 11: field 'y' is there more than once" in refusal(written(tmp_path, "u.sdf", twice))
