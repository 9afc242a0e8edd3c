"""The command line as a person uses it: examples that work, one clear line for bad input, status 2."""

import shutil
import sys
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest

from manywalks.cli.app import COMMANDS
from tests.conftest import command, run


@pytest.mark.parametrize("name", ["train", "predict", "init"])
def test_help_shows_an_example(name: str) -> None:
    done = command(name, "--help")
    assert done.returncode == 0
    assert f"Example: manywalks {name}" in " ".join(done.stdout.split())


def test_help_lists_commands_in_order_of_use_with_a_whole_sentence_each() -> None:
    found = command("--help").stdout.partition("Commands:")[2].strip().splitlines()
    assert [line.split()[0] for line in found] == list(COMMANDS)
    assert all(line.endswith(".") and "..." not in line and len(line) <= 80 for line in found)


def test_the_version_is_said() -> None:
    done = command("--version")
    assert done.returncode == 0
    assert done.stdout.strip() == f"manywalks {metadata.version('manywalks')}"


def test_a_missing_argument_names_the_help_of_its_command() -> None:
    done = command("predict")
    assert done.returncode == 2
    assert "(see manywalks predict --help)" in done.stderr


def test_a_choice_that_is_none_is_said_in_plain_words() -> None:
    done = command("init", "table.csv", "--preset", "bset")
    assert done.returncode == 2
    assert done.stderr.startswith("Invalid value for '--preset': 'bset' is not one of 'fast'")


def edited(folder: Path, old: str, new: str) -> None:
    """Replace a piece of params.yaml."""
    path = folder / "params.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("path: table.csv", "path: gone.csv", "gone.csv"),
        ("logS: {kind", "logP: {kind", "logP"),
        ("id: id", "id: no_such", "no_such"),
        ("dropout: 0.1", "droput: 0.1", "network.droput"),
        ("epochs: 4", "epochs: four", "train.epochs: 'four'"),
        ("test: 0.25", "test: 0.0", "test"),
    ],
)
def test_bad_input_ends_before_training_in_one_line(small: Path, old: str, new: str, said: str) -> None:
    edited(small, old, new)
    done = command("train", "--workspace", str(small))
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert said in lines[-1]
    assert not (small / "models").exists()
    assert not list(small.rglob(".tmp-*"))


@pytest.mark.parametrize(
    "table", ["", "id,smiles,logS\n", "id,smiles,logS\n1,CC,x\n2,CCC,y\n", "id,smiles,logS\n1,xx,1\n"]
)
def test_a_table_with_nothing_to_train_on_is_refused(small: Path, table: str) -> None:
    (small / "table.csv").write_text(table, encoding="utf-8")
    done = command("train", "--workspace", str(small))
    assert done.returncode == 2, done.stdout + done.stderr
    assert (
        "table.csv" in done.stderr.strip().splitlines()[-1] or "logS" in done.stderr.strip().splitlines()[-1]
    )


def test_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    done = command("train", "--workspace", str(tmp_path / "gone"))
    assert done.returncode == 2
    assert "manywalks init" in done.stderr


def test_init_finds_the_columns_and_train_accepts_what_it_wrote(
    tmp_path: Path, demo_table: pd.DataFrame
) -> None:
    table = tmp_path / "my assay.csv"
    demo_table.rename(columns={"logS": "Solubility (log10 mol/L)"}).to_csv(table, index=False)
    done = command("init", str(table), "--workspace", str(tmp_path / "work"))
    assert done.returncode == 0, done.stderr
    assert "SMILES: column 'smiles'" in done.stdout
    assert "'Solubility (log10 mol/L)': regression" in done.stdout
    written = (tmp_path / "work/params.yaml").read_text(encoding="utf-8")
    assert 'title: "my assay"' in written
    again = command("init", str(table), "--workspace", str(tmp_path / "work"))
    assert again.returncode == 2
    assert "exists" in again.stderr


@pytest.mark.parametrize("first", [["About"], ["a title", "", ""]], ids=["no SMILES", "a line above"])
def test_init_names_the_other_sheets_where_the_first_is_no_table(tmp_path: Path, first: list[str]) -> None:
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        rows = [["exported", "1", "2"]] * 9 if len(first) > 1 else [["exported"]]
        pd.DataFrame([first, *rows]).to_excel(book, sheet_name="Notes", index=False, header=False)
        pd.DataFrame({"smiles": ["CCO"] * 20, "y": range(20)}).to_excel(book, sheet_name="Data", index=False)
    done = command("init", "t.xlsx", "--workspace", "work", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().endswith("; 'Notes', the first sheet, was read (--sheet for 'Data')")
    assert command("init", "t.xlsx", "-w", "work", "--sheet", "Data", cwd=tmp_path).returncode == 0


def test_score_gives_a_row_for_every_row_in_order(trained: Path, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"name": list("abcdef"), "smiles": ["CCO", "not one", "", "c1ccccc1O", "CCO", "[Na+].[Cl-]"]}
    )
    table.to_csv(tmp_path / "new.csv", index=False)
    output = tmp_path / "out.csv"
    done = command("predict", str(trained / "models/ensemble"), str(tmp_path / "new.csv"), str(output))
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(output, keep_default_na=False, dtype=str)
    assert found["id"].tolist() == list("abcdef")
    assert (found["rejected"] != "").tolist() == [False, True, True, False, False, True]
    assert found["logS"].tolist()[0] == found["logS"].tolist()[4]
    assert (
        found.loc[found["rejected"] == "", ["logS", "logS:low", "logS:high"]]
        .astype(float)
        .notna()
        .all()
        .all()
    )


def test_score_refuses_a_model_with_a_damaged_file(trained: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(trained / "models/ensemble", model)
    with (model / "scaler.npz").open("ab") as handle:
        handle.write(b"x")
    (tmp_path / "new.csv").write_text("smiles\nCCO\n", encoding="utf-8")
    done = command("predict", str(model), str(tmp_path / "new.csv"), str(tmp_path / "out.csv"))
    assert done.returncode == 2
    assert "scaler.npz" in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_look_at_an_unchanged_workspace_imports_nothing_heavy(trained: Path) -> None:
    heavy = ("prefect", "tensorflow", "rdkit", "pandas", "scipy", "sklearn", "dvc", "pyarrow", "httpx")
    text = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print([name for name in {heavy} if name in sys.modules]))\n"
        f"sys.argv = ['manywalks', 'train', '-w', {str(trained)!r}]\n"
        "from manywalks.cli.start import main; main()"
    )
    done = run([sys.executable, "-c", text])
    assert "Nothing changed" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_run_leaves_a_log_of_its_steps(trained: Path) -> None:
    (log,) = (trained / ".manywalks/logs").glob("*-train.log")
    said = log.read_text(encoding="utf-8")
    for step in ("curate", "featurize", "split", "pack", "ensemble", "evaluate", "report"):
        assert f" {step}" in said


def test_the_bare_command_shows_its_help(tmp_path: Path) -> None:
    done = command(cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == command("--help").stdout
    assert "completion" not in done.stdout


def test_the_shell_completes_commands(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("manywalks")
    words = {"_MANYWALKS_COMPLETE": "complete_bash", "COMP_WORDS": "manywalks tr", "COMP_CWORD": "1"}
    assert run([str(program)], cwd=tmp_path, **words).stdout.split() == ["train"]


def test_hints_can_be_pasted(tmp_path: Path) -> None:
    done = command("train", "--workspace", "a b", cwd=tmp_path)
    assert f"--workspace '{tmp_path}/a b'" in done.stderr


def test_init_ignores_what_a_run_makes_and_leaves_a_gitignore_alone(
    tmp_path: Path, demo_table: pd.DataFrame
) -> None:
    demo_table.iloc[::20].to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/.gitignore").write_text("mine\n", encoding="utf-8")
    for name in ("own", "new"):
        assert command("init", "table.csv", "--workspace", name, cwd=tmp_path).returncode == 0
    assert (tmp_path / "own/.gitignore").read_text(encoding="utf-8") == "mine\n"
    ignored = (tmp_path / "new/.gitignore").read_text(encoding="utf-8").split()
    assert {"/.manywalks/", "/models/", "/reports/"} <= set(ignored)
    assert "/params.yaml" not in ignored
