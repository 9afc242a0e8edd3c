"""`manywalks explain`: one molecule as a picture, or a table of them as one page."""

from itertools import islice
from pathlib import Path

from rich.progress import track

from manywalks.cli.app import console
from manywalks.ensemble.model import Ensemble
from manywalks.formatting import count
from manywalks.predict.columns import Record, Want
from manywalks.predict.scan import SUFFIXES, Scan
from manywalks.report.explanations.page import Explained

# a page of more is too long to be looked at, and takes minutes
MOST = 500
PICTURE, PAGE = Path("explanation.svg"), Path("explanations.html")


def run_explain(molecules: str, model: Path, output: Path | None, endpoint: str | None) -> None:
    """Explain a SMILES, or the molecules of a table."""
    if Path(molecules).exists():
        _explain_table(Path(molecules), model, output or PAGE, endpoint)
        return
    if molecules.lower().removesuffix(".gz").endswith(SUFFIXES):
        raise ValueError(f"{molecules}: no such file")
    written = output or PICTURE
    if written.suffix.lower() == ".html":
        one = Record("molecule", "smiles", molecules)
        _write_page([one], Ensemble.load(model), written, molecules, endpoint)
        return
    _explain_one(molecules, model, written, endpoint)


def _explain_one(smiles: str, model: Path, output: Path, endpoint: str | None) -> None:
    """Draw one molecule and show its table of atoms."""
    from manywalks.cli.show.tables import atoms_table
    from manywalks.ensemble.explain import explain
    from manywalks.report.explanations.explanation import check_picture, write_picture

    check_picture(output)
    found = explain(Ensemble.load(model), smiles)
    write_picture(found, output, endpoint)
    atoms = found.atoms(endpoint)
    for line in found.headline(endpoint):
        console.print(line, highlight=False)
    console.print(f"\n{atoms_table(atoms)}\n", highlight=False)
    console.print(found.legend(endpoint), highlight=False)
    doubtful = (~atoms["trusted"].to_numpy(dtype=bool)).sum()
    console.print(
        f"{doubtful} of {len(atoms)} atoms are not to be trusted; drawn in {output}", soft_wrap=True
    )


def _explain_table(table: Path, model: Path, output: Path, endpoint: str | None) -> None:
    """Write the page of a table's molecules."""
    if output.suffix.lower() != ".html":
        raise ValueError(f"{output}: the molecules of a table become one page; end it in .html")
    ensemble = Ensemble.load(model)
    data = ensemble.about["params"]["data"]
    scan = Scan(table, Want(trained_smiles=data["smiles"], trained_id=data["id"]))
    records = list(islice(scan.records(), MOST + 1))
    if len(records) > MOST:
        raise ValueError(f"{table}: holds more than {MOST} molecules; a page shows at most {MOST}")
    _write_page(records, ensemble, output, str(table), endpoint)


def _write_page(
    records: list[Record], ensemble: Ensemble, output: Path, title: str, endpoint: str | None
) -> None:
    """Explain molecules and write them on one page."""
    from manywalks.report.explanations.page import write_page

    if endpoint is not None and endpoint not in ensemble.endpoints:
        raise ValueError(f"endpoint: this model has no {endpoint!r}; it has {', '.join(ensemble.endpoints)}")
    busy = track(records, "explaining", console=console, transient=True, disable=not console.is_terminal)
    series = [_explained(ensemble, record) for record in busy]
    write_page(series, output, title, endpoint)
    done = sum(one.explanation is not None for one in series)
    left = f", {len(series) - done} not explained (the page says why)" if done < len(series) else ""
    console.print(f"{count(done, 'molecule')} explained{left}; {output}", highlight=False, soft_wrap=True)


def _explained(ensemble: Ensemble, record: Record) -> Explained:
    """A record's explanation, or why the model's curation rejects it."""
    from manywalks.chemistry.sdf import block_smiles
    from manywalks.ensemble.explain import explain

    smiles = block_smiles(record.text) if record.kind == "block" else record.text
    if record.fault:
        return Explained(record.id, smiles, None, record.fault)
    try:
        return Explained(record.id, smiles, explain(ensemble, smiles))
    except ValueError as error:
        return Explained(record.id, smiles, None, str(error).removeprefix(f"smiles: {smiles!r}: "))
