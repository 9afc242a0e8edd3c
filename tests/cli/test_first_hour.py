"""A new user's first hour in a real terminal: what the screen says, the statuses, ^C, a broken promise.

The short form has a small network and the session's Prefect server; the long one takes what `init` writes,
and each command starts a server of its own.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from manywalks import files
from tests.docs.test_docs_run import made_small
from tests.support.prefect_server import server
from tests.support.terminal import Terminal

PROGRAM = ["python", "-c", "from manywalks.cli.start import main; main()"]
Do = Callable[..., Terminal]


@pytest.fixture
def folder(tmp_path: Path, demo_table: pd.DataFrame) -> Path:
    """A chemist's folder: an assay with its own words, and molecules to predict."""
    some = demo_table.iloc[::6].rename(columns={"id": "Compound", "logS": "Solubility (log10 mol/L)"})
    some.to_csv(tmp_path / "assay.csv", index=False)
    some.loc[:, ["Compound", "smiles"]].head(12).to_csv(tmp_path / "new.csv", index=False)
    return tmp_path


@pytest.fixture
def do(folder: Path) -> Iterator[Do]:
    """Type `manywalks …` at the prompt and press return."""
    begun: list[Terminal] = []

    def run(line: str, **environment: str) -> Terminal:
        begun.append(Terminal(*PROGRAM, *line.split(), cwd=folder, **environment))
        return begun[-1]

    yield run
    for terminal in begun:
        terminal.close()


def ended(terminal: Terminal, status: int = 0) -> str:
    """The screen of a command that has ended as it should; nothing of its own is left running."""
    assert terminal.status(600) == status, terminal.screen
    assert terminal.left() == [], terminal.screen
    assert "Traceback" not in terminal.screen and "\ufffd" not in terminal.screen
    return terminal.screen


def in_order(screen: str, *words: str) -> None:
    """Whether the screen says these one after the other, wherever its lines end."""
    place, screen = 0, " ".join(screen.split())
    for word in words:
        found = screen.find(word, place)
        assert found >= 0, f"no {word!r} after {screen[:place][-60:]!r} in\n{screen}"
        place = found + len(word)


def first_half(do: Do, folder: Path, until: str, **environment: str) -> None:
    """init, train, ^C, train, predict, explain."""
    shown = ended(do("init assay.csv -w work"))
    in_order(shown, "work/params.yaml assumes", "SMILES: column 'smiles'", "ids: column 'Compound'")
    in_order(
        shown, "endpoint 'Solubility (log10 mol/L)'", "log10 mol/L", "training: about", "manywalks train"
    )
    if environment:
        made_small(folder)
    began = time.monotonic()
    training = do("train -w work", **environment)
    training.wait_for("Prefect" if not environment else "curate")
    assert environment or time.monotonic() - began < 20
    training.wait_for(until, 300)
    assert training.press_ctrl_c() < 2.0
    line = ended(training, 130).strip().splitlines()[-1].strip()
    assert re.fullmatch(r"stopped; \d+ of \d+ replicates kept; run again to go on", line)
    shown = ended(do("train -w work", **environment))
    in_order(
        shown, "Solubility (log10 mol/L): ", "RMSE on", "a retrained ensemble of", "will agree", "model "
    )
    assert (folder / "work/reports/report.html").is_file()
    assert "Nothing changed: every step is up to date." in ended(do("train -w work", **environment))
    shown = ended(do("predict work/models/ensemble new.csv out.csv"))
    assert "12 rows: out.csv" in shown
    assert (
        pd.read_csv(folder / "out.csv")["id"].tolist() == pd.read_csv(folder / "new.csv")["Compound"].tolist()
    )
    shown = ended(do("explain CCOC(=O)c1ccccc1 --model work/models/ensemble --output atoms.png"))
    in_order(shown, "log10 mol/L, 90 % interval", "contribution", "drawn in atoms.png")
    assert (folder / "atoms.png").read_bytes().startswith(b"\x89PNG")


def test_the_first_half_of_the_hour(do: Do, folder: Path) -> None:
    first_half(do, folder, "train replicates", PREFECT_API_URL=server.url())


@pytest.mark.long
def test_the_whole_hour(do: Do, folder: Path) -> None:
    first_half(do, folder, "replicates")
    shown = ended(do("explain new.csv --model work/models/ensemble"))
    assert "12 molecules explained; explanations.html" in shown
    shown = ended(do("reproduce work/models/ensemble"))
    in_order(shown, "agrees with the model of", "was promised", "report ")
    break_the_promise(folder)
    shown = ended(do("reproduce work/models/ensemble"), 1)
    in_order(shown, "does NOT agree with the model of", "was promised")
    shown = ended(do("compare -w work --set network.dropout=0.1,0.5 --repeats 1 --folds 3 --replicates 2"))
    in_order(shown, "A:", "mean over splits", "differences", "A − B")
    assert "manywalks init" in ended(do("train -w gone"), 2)


def break_the_promise(folder: Path) -> None:
    """The values are others than those that the model was trained on, though its manifest says the same."""
    table = pd.read_csv(folder / "assay.csv", dtype=str)
    column = "Solubility (log10 mol/L)"
    table[column] = (table[column].astype(float) + 30).astype(str)
    table.to_csv(folder / "assay.csv", index=False)
    about = files.read_json(folder / "work/models/ensemble/manifest.json")
    about["data"]["md5"] = files.md5_file(folder / "assay.csv")
    files.write_json(folder / "work/models/ensemble/manifest.json", about)
