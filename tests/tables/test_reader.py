"""One table in every form gives the same molecules, values and ids; no line of a file is lost."""

import gzip
import io
import random
import zipfile
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from rdkit import Chem

from manywalks.chemistry.standardize import standardize_one
from manywalks.data.curate import Curated, curate_table
from manywalks.data.guess.guess import guess_params
from manywalks.params.load import parse_params
from manywalks.params.sections.curate import CurateParams
from manywalks.predict.columns import Want
from manywalks.predict.scan import Scan
from manywalks.tables.csv_rows import no_formula, whole_rows
from manywalks.tables.frame import Whole, read_whole
from manywalks.tables.reader import open_table

SMILES = [
    "CCO",
    "c1ccccc1O",
    "CC(=O)N",
    "C[C@H](N)C(=O)O",
    "CC(=O)[O-].[Na+]",
    "N#Cc1ccncc1",
    "C1CCCCC1",
    "OCC",
]
FORMS = [
    "csv",
    "tsv",
    "semicolon",
    "sep",
    "sdf",
    "parquet",
    "xlsx",
    "csv.gz",
    "sdf.gz",
    "parquet.gz",
    "utf16",
]
FORMS_OF_TEXT = ["csv", "tsv", "semicolon", "sep", "csv.gz", "utf16"]
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Rows = list[tuple[str, str, float]]
rows_of_molecules = st.lists(
    st.tuples(st.sampled_from(SMILES), st.integers(-99_999, 99_999).map(lambda n: n / 100)),
    min_size=2,
    max_size=12,
).map(lambda drawn: [(f"M-{i}", smiles, value) for i, (smiles, value) in enumerate(drawn)])


class Written(NamedTuple):
    """A table in a file."""

    path: Path
    id: str
    decimal: str


def written(folder: Path, rows: Rows, form: str) -> Written:
    """A table with columns id, smiles and y; an SDF has its ids in the blocks' first lines."""
    path = folder / f"t.{'csv' if form in ('semicolon', 'sep', 'utf16') else form}"
    frame = pd.DataFrame(rows, columns=pd.Index(["id", "smiles", "y"]))
    if form.endswith(".gz"):
        inner = written(folder, rows, form.removesuffix(".gz"))
        path.write_bytes(gzip.compress(inner.path.read_bytes()))
        return inner._replace(path=path)
    if form == "parquet":
        frame.to_parquet(path)
    elif form == "xlsx":
        frame.to_excel(path, index=False)
    elif form == "sdf":
        path.write_text("".join(_record(*row) for row in rows), encoding="utf-8")
        return Written(path, "name", ".")
    elif form in ("semicolon", "sep"):
        text = str(frame.to_csv(index=False, sep=";", decimal=","))
        path.write_text("sep=;\n" + text if form == "sep" else text, encoding="utf-8")
        return Written(path, "id", ",")
    else:
        encoding = "utf-16" if form == "utf16" else "utf-8"
        frame.to_csv(path, index=False, sep="\t" if form == "tsv" else ",", encoding=encoding)
    return Written(path, "id", ".")


def _record(name: str, smiles: str, value: float) -> str:
    """One record of an SDF."""
    mol = Chem.MolFromSmiles(smiles)
    mol.SetProp("_Name", name)
    return f"{Chem.MolToMolBlock(mol)}> <y>\n{value}\n\n$$$$\n"


def curated(table: Written, whole: Whole) -> Curated:
    """The table curated with parameters that a user would write."""
    data = {"path": "t", "id": table.id, "decimal": table.decimal, "endpoints": {"y": {}}}
    params = parse_params({"data": data, "orchestrate": {"cores": 1}})
    return curate_table(whole.frame, params, faults=whole.faults)


def kept(found: Curated) -> dict[str, tuple[str, float]]:
    """Molecules and values by id."""
    columns = (found.molecules[name] for name in ("id", "smiles", "y"))
    return {name: (smiles, float(value)) for name, smiles, value in zip(*columns, strict=True)}


@pytest.mark.parametrize("form", FORMS)
@given(rows=rows_of_molecules)
@QUICK
def test_every_form_gives_the_same_molecules_values_and_ids(tmp_path: Path, form: str, rows: Rows) -> None:
    plain, other = written(tmp_path, rows, "csv"), None
    expected = curated(plain, read_whole(plain.path))
    other = written(tmp_path, rows, form)
    found = curated(other, read_whole(other.path))
    assert kept(found).keys() == kept(expected).keys()
    for name, (smiles, value) in kept(expected).items():
        assert kept(found)[name] == (smiles, pytest.approx(value))
    assert len(found.rejected) == len(expected.rejected) == 0


@pytest.mark.parametrize("form", FORMS)
@given(rows=rows_of_molecules)
@QUICK
def test_prediction_sees_the_rows_that_training_sees(tmp_path: Path, form: str, rows: Rows) -> None:
    table = written(tmp_path, rows, form)
    found = list(Scan(table.path, Want(keep=("y",))).records())
    assert [record.id for record in found] == [name for name, _, _ in rows]
    assert [float(record.kept[0].replace(",", ".")) for record in found] == [value for *_, value in rows]
    standard = [standardize_one(smiles, CurateParams()).smiles for _, smiles, _ in rows]
    texts = [
        Chem.MolToSmiles(Chem.MolFromMolBlock(record.text)) if record.kind == "block" else record.text
        for record in found
    ]
    assert [standardize_one(text, CurateParams()).smiles for text in texts] == standard


@pytest.mark.parametrize("form", FORMS)
def test_init_finds_the_same_columns_in_every_form(tmp_path: Path, form: str) -> None:
    rows = [(f"M-{i}", smiles, 1.25 * i - 2) for i, smiles in enumerate(SMILES)]
    table = written(tmp_path, rows, form)
    params = guess_params(read_whole(table.path).frame, "t", "t").params
    assert (params.data.smiles, params.data.id, list(params.data.endpoints)) == ("smiles", table.id, ["y"])
    assert params.data.decimal == table.decimal


@pytest.mark.parametrize("form", FORMS_OF_TEXT)
@given(rows=rows_of_molecules, seed=st.integers(0, 99))
@QUICK
def test_the_order_of_rows_and_columns_does_not_matter(
    tmp_path: Path, form: str, rows: Rows, seed: int
) -> None:
    distinct = list({smiles: row for row in rows for smiles in [row[1]]}.values())
    table = written(tmp_path, distinct, form)
    before = kept(curated(table, read_whole(table.path)))
    whole = read_whole(table.path)
    draw = random.Random(seed)
    columns = draw.sample(list(whole.frame), 3)
    order = draw.sample(range(len(distinct)), len(distinct))
    mixed = pd.DataFrame(whole.frame[columns]).iloc[order].reset_index(drop=True)
    after = kept(curated(table, Whole(mixed, {}, False)))
    assert sorted(after.values()) == sorted(before.values())


TEXT = st.text(st.sampled_from("aC1=(\")',;\t |.\n\r0"), max_size=60)


@given(text=TEXT, width=st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_no_character_of_a_file_is_lost_between_rows(text: str, width: int) -> None:
    found = list(whole_rows(io.StringIO(text, newline=""), ",", width))
    assert "".join(row.text for row in found) == text
    starts = [
        1 + len(io.StringIO("".join(r.text for r in found[:i]), newline="").readlines())
        for i in range(len(found))
    ]
    assert [row.line for row in found] == starts


@given(rows=rows_of_molecules, damaged=st.sets(st.integers(0, 11)), form=st.sampled_from([",", ";", "\t"]))
@QUICK
def test_rows_with_a_stray_quote_are_counted_and_leave_the_others_alone(
    tmp_path: Path, rows: Rows, damaged: set[int], form: str
) -> None:
    marks = {i for i in damaged if i < len(rows)}
    lines = [
        form.join([name, f'"{name}' if i in marks else name, smiles, str(value)])
        for i, (name, smiles, value) in enumerate(rows)
    ]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([form.join(["id", "note", "smiles", "y"]), *lines]) + "\n", encoding="utf-8")
    whole = read_whole(path)
    assert len(whole.frame) == len(rows)
    assert set(whole.faults) == marks
    assert whole.frame["id"].tolist() == [name for name, _, _ in rows]
    sound = [i for i in range(len(rows)) if i not in marks]
    assert whole.frame["y"].iloc[sound].astype(float).tolist() == [rows[i][2] for i in sound]
    if sound:
        found = curated(Written(path, "id", "."), whole)
        assert found.card["records"] == len(rows)
        assert sum(found.molecules["records"].tolist()) + len(found.rejected) == len(rows)
        assert found.rejected["reason"].tolist().count("malformed") == len(marks)
    assert [bool(r.fault) for r in Scan(path, Want()).records()] == [i in marks for i in range(len(rows))]


ODD = st.text(st.sampled_from("abC1=()[]#@+-.,;:'<>&| \t"), max_size=12)


@given(cells=st.lists(st.tuples(ODD, ODD), min_size=1, max_size=8), form=st.sampled_from(["csv", "parquet"]))
@QUICK
def test_odd_cells_come_back_as_they_were(tmp_path: Path, cells: list, form: str) -> None:
    frame = pd.DataFrame([("CCO", *row) for row in cells], columns=pd.Index(["smiles", "a", "b"]))
    path = tmp_path / f"t.{form}"
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    assert read_whole(path).frame.to_numpy().tolist() == frame.to_numpy().tolist()


@pytest.mark.parametrize(
    "content",
    [
        "", "a,a,smiles\n1,2,CCO\n", "Title\n\nsmiles,y\nCCO,1\n", "# note\nsmiles,y\nCCO,1\n",
        "M1,CC(C)O,1\nM2,CCCO,2\n", "CCCO,1\n",
        "version https://git-lfs.github.com/spec/v1\n", "<html></html>",
    ],
)  # fmt: skip
def test_what_one_refuses_all_refuse_in_the_same_words(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"t\.csv") as one:
        read_whole(path)
    with pytest.raises(ValueError, match=r"t\.csv") as other:
        list(Scan(path, Want()).records())
    assert str(one.value) == str(other.value)


@pytest.mark.parametrize(
    ("cell", "shown"), [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("=", "="), ("-5", "-5")]
)
def test_a_text_is_no_formula_in_a_spreadsheet(cell: str, shown: str) -> None:
    assert no_formula(cell) == shown


def test_standard_input_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / ".stdin-x1"
    path.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^standard input: is empty"):
        Scan(path, Want())


def test_a_table_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("smiles,y\n" + "CCO,1\n" * 5000, encoding="utf-8")
    with open_table(path) as table:
        assert sum(1 for _ in table.records) == 5000
        assert table.read_so_far() == path.stat().st_size


def test_a_sheet_has_whole_numbers_dates_and_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    cells = [["id", "smiles", "y", "when"], [1, "CCO", 5.0, date(2020, 1, 31)], [], [2, "CCN", 0.25, None]]
    book = Workbook()
    for row in cells:
        book.active.append(row)  # pyright: ignore[reportOptionalMemberAccess]
    book.create_sheet("notes").append(["not", "the", "table"])
    book.save(path)
    frame = read_whole(path).frame
    assert frame.to_numpy().tolist() == [["1", "CCO", "5", "2020-01-31"], ["2", "CCN", "0.25", ""]]


def test_an_archive_that_is_no_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tables.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.csv", "smiles,y\nCCO,1\n")
    with pytest.raises(ValueError, match=r"tables\.zip: is no Excel workbook that can be read"):
        read_whole(path)


@pytest.mark.parametrize("text", ['smiles,"y\nCCO,1\nCCN,2\n', '"smiles;y\n' + "CCO;1\n" * 300])
def test_a_quote_that_the_column_names_never_close_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="line 1 opens a quote in the column names and never closes it") as e:
        read_whole(tmp_path / "t.csv")
    assert len(str(e.value)) < 300


def test_a_quote_within_a_column_name_is_a_letter(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('smiles,5" tube\nCCO,1\n', encoding="utf-8")
    assert list(read_whole(tmp_path / "t.csv").frame) == ["smiles", '5" tube']


def test_a_column_name_may_hold_a_line_break(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('smiles,"y\n(nM)"\nCCO,1\n', encoding="utf-8")
    assert list(read_whole(tmp_path / "t.csv").frame) == ["smiles", "y\n(nM)"]
