"""Files that are no tables: those that stand for one, and those of another kind, by their first bytes."""

import re

_LFS = re.compile(rb"version https://(git-lfs|hawser)\.github\.com/spec/")
_DVC = re.compile(rb"^(outs|deps):[ \t]*$.*^[ -]+path: ", re.MULTILINE | re.DOTALL)
# what a file of another kind starts with, what it is, and what helps
_OTHERS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls), or one with a password",
     "save it as .xlsx or CSV"),
    (b"BZh91AY", "compressed with bzip2", "unpack it"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it"),
    (b"\x1f\x8b", "compressed twice", "unpack it once"),
    (b"%PDF", "a PDF", "give the table itself"),
    (b"{\\rtf", "a text document", "give the table itself"),
    (b"SQLite format 3", "a database", "export the table as CSV"),
    (b"ARROW1\0", "an Arrow file", "save it as Parquet"),
    (b"\x89HDF", "an HDF5 file", "save the table as Parquet or CSV"),
    (b"\x93NUMPY", "a NumPy array", "save the table as Parquet or CSV"),
    (b"$RXN", "a reaction", "give molecules, as an SDF"),
    (b"$RDFILE", "an RD file", "save it as an SDF"),
    (b"@<TRIPOS>", "a MOL2 file", "save it as an SDF"),
    (b'{"', "JSON", "save the table as CSV or Parquet"),
    (b'[{"', "JSON", "save the table as CSV or Parquet"),
    (b"<!", "a web page", "download the file itself"),
    (b"<html", "a web page", "download the file itself"),
    (b"<table", "a web page", "download the file itself"),
    (b"<?xml", "XML", "export the table as CSV"),
)  # fmt: skip


def refuse_pointers(start: bytes, name: str) -> None:
    """Refuse a file that stands for a table: its content lies elsewhere."""
    text = start.replace(b"\r", b"")
    if _LFS.match(text):
        raise ValueError(f"{name}: is a Git LFS pointer, not the table; `git lfs pull` brings it")
    if b"/annex/objects/" in text[:300] and text.count(b"\n") < 3:
        raise ValueError(f"{name}: is a git-annex pointer, not the table; `git annex get` brings it")
    if _DVC.search(text[:4096]):
        raise ValueError(f"{name}: is a .dvc file, not the table; `dvc pull` brings it, then name the table")


def refuse_others(start: bytes, name: str) -> None:
    """Refuse a file of another kind."""
    begins = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, what, remedy in _OTHERS:
        if begins[: len(mark)].lower() == mark.lower():
            raise ValueError(f"{name}: is {what}, not a table; {remedy}")
    if start[257:262] == b"ustar":
        raise ValueError(f"{name}: is a tar archive, not a table; unpack it")
