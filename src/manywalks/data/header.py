"""The column names of a table without its records: what is missing is said before anything starts."""

import gzip
from pathlib import Path

from manywalks.data.tables import find_delimiter

SAMPLE = 1 << 16
TEXT = (".csv", ".tsv")


def column_names(
    path: Path, *, delimiter: str | None = None, encoding: str | None = None
) -> list[str] | None:
    """The names in the first line of a CSV file; None where only reading all of a file tells."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if not suffixes or suffixes[-1] not in TEXT:
        return None
    packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            sample = stream.read(SAMPLE)
    except (OSError, EOFError):
        return None  # reading it all says what is wrong
    if sample[:3] == b"\xef\xbb\xbf":
        encoding = "utf-8-sig"
    text = sample.decode(encoding or "utf-8", errors="replace")
    if "\0" in text or "\ufffd" in text or '"' in text.split("\n", 1)[0]:
        return None  # another encoding, or names that hold delimiters
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    return [name.strip() for name in lines[0].split(delimiter or find_delimiter(text))]
