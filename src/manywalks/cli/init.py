"""`manywalks init`: look at a table, write params.yaml, and say what was assumed."""

import os
import shlex
from pathlib import Path

from manywalks import files
from manywalks.formatting import count
from manywalks.params.load import Params
from manywalks.params.presets import PRESETS, Preset, with_preset
from manywalks.params.sections.families import families_of
from manywalks.params.sections.run import ReportParams
from manywalks.runtime.resources import usable_cores

# a workspace often lies in a team's own repository: what a run makes is not to be committed there
MADE_BY_A_RUN = """\
/.manywalks/
/data/curated.parquet
/data/rejected.csv
/data/not_featurized.csv
/data/features.np*
/data/split.parquet
/models/
/reports/
/runs/
"""
# Seconds of a run on the defaults (two cores: 45 for 1,282 records with the two families of the default;
# with one family 80 for 4,200, benchmarks/RESULTS.md):
# to start and to write the reports; of a core for each record; of a core for each record and epoch, all
# replicates together
START_S, RECORD_S, EPOCH_S = 25.0, 0.014, 0.00026
# The same of a network on graphs, for each slot and layer, of u units: u * 5.4e-8 + u * u * 3.8e-10 (of one
# replicate and molecule a sixth of that: 0.12 ms of 48 slots, 3 layers, 64 units; 0.78 ms of 48, 4 and 192;
# benchmarks/engine_graph.py). Slots as init chooses them, of which molecules fill about half
UNIT_S, UNIT2_S = 5.4e-8, 3.8e-10
# its program is compiled, once for all molecules and once for the folds of fitted weights
COMPILE_S = 15.0
# fitted weights of the families take six replicates more, each on two thirds of the molecules: of 8 a half
FITTED = 0.5
# what train.epochs is where nothing is said
EPOCHS = {"regression": 50, "classification": 8}


def run_init(
    table: Path,
    folder: Path,
    *,
    smiles: str | None = None,
    sheet: str | None = None,
    preset: Preset = "default",
    dvc: bool = False,
) -> list[str]:
    """Write params.yaml (and dvc.yaml) for a table; lines for the user: what is assumed, what comes next."""
    from manywalks.data.guess.guess import guess_params
    from manywalks.data.sizes import slots_for
    from manywalks.params.render import render
    from manywalks.pipeline.own_definition import write_definition
    from manywalks.tables.frame import read_whole
    from manywalks.tables.reader import Format

    target = folder / "params.yaml"
    if target.exists():
        raise ValueError(f"{target}: exists; edit it, or name another folder with --workspace")
    try:
        read = read_whole(table, said=Format(sheet=sheet))
        sound = read.frame.drop(index=list(read.faults))
        if sound.empty:
            raise ValueError(f"{table}: every record is damaged; {next(iter(read.faults.values()))}")
        guess = guess_params(sound, data_path(table, folder), str(table), smiles=smiles, sheet=sheet)
    except ValueError as error:
        names = _sheets(table) if sheet is None and table.is_file() else []
        if len(names) < 2:
            raise
        read_here = f"{names[0]!r}, the first sheet, was read"
        raise ValueError(f"{error}; {read_here} ({_to_choose(names[1:])})") from None
    # "manywalks" above every report would tell none from another
    titled = with_preset(
        guess.params.model_copy(update={"report": ReportParams(title=table.name.split(".")[0])}),
        preset,
        max_atoms=slots_for(sound[guess.params.data.smiles].tolist()) if preset == "best" else 60,
    )
    files.write_text(target, render(titled, f"Parameters for {table.name}, as `manywalks init` saw it."))
    ignored = folder / ".gitignore"
    if not ignored.exists():
        files.write_text(ignored, MADE_BY_A_RUN)
    columns = count(len(read.frame.columns), "column")
    lines = [f"table: {count(len(read.frame), 'record')}, {columns}{_sheet_words(table, sheet)}"]
    lines += [f"structures: {count(len(read.frame), 'molecule block')} of an SDF"] if read.is_sdf else []
    lines += guess.assumed
    lines += _networks_words(titled, preset)
    first = next(iter(read.faults.values()), "")
    lines += [f"{count(len(read.faults), 'record')} will be rejected: {first}"] if first else []
    lines.append(f"training: {waiting(titled, len(read.frame), usable_cores())}")
    made = write_definition(folder) if dvc else []
    workspace = shlex.quote(str(folder))
    last = f"Edit it where that is wrong, then: manywalks train --workspace {workspace}"
    return [f"{target} assumes", *(f"  {line}" for line in lines), "", *made, last]


def data_path(table: Path, folder: Path) -> str:
    """The table's path for params.yaml: relative to the workspace, so that both can be moved together."""
    path, root = table.resolve(), folder.resolve()
    if len(Path(os.path.commonpath([path, root])).parts) < 2:
        return str(path)  # nothing in common but the root of the file system
    return Path(os.path.relpath(path, root)).as_posix()


def waiting(params: Params, records: int, cores: int) -> str:
    """About how long a run will take here, in words."""
    families = families_of(params)  # each has a network of its own
    networks = [family.params.network for family in families]
    if any(network.builder is not None and not network.on_graph for network in networks):
        return "not estimated: this network takes many times as long as a dense one"
    kinds = {endpoint.kind for endpoint in params.data.endpoints.values()}
    epochs = max(EPOCHS[kind] for kind in kinds)
    dense = sum(not family.params.network.on_graph for family in families)
    graphs = sum(_graph_seconds(family.params) for family in families if family.params.network.on_graph)
    training = (EPOCH_S * epochs * dense + graphs) * (1 + (FITTED if params.weights != "given" else 0))
    start = START_S + (COMPILE_S if graphs else 0)
    seconds = start + records * (RECORD_S + training) / cores
    minutes = round(seconds / 60)
    words = "about a minute" if minutes < 2 else f"about {minutes} minutes"
    if minutes >= 90:
        words = f"about {round(seconds / 3600)} hours"
    replicates = count(params.replicates.count or params.replicates.min, "replicate")
    return f"{words} for {replicates} on {count(cores, 'core')}; {_longer(params)}"


def _longer(params: Params) -> str:
    """What may take longer: more replicates, and from some number on those on other samples of the data."""
    from manywalks.params.sections.evaluate import FEWEST_DRAWS
    from manywalks.replicates.draw_loop import PAIR

    said = "longer if the tolerance asks for more"
    if params.evaluate.data_draws != "auto":
        return said
    return f"{said} (from {FEWEST_DRAWS * PAIR} on, others on halves of the data take up to as long again)"


def _graph_seconds(params: Params) -> float:
    """Of a core for each record, of one family's network on graphs in all replicates and epochs."""
    network, (slots,) = params.network, (b.max_atoms for b in params.featurize.blocks if b.kind == "graph")
    each = network.units * UNIT_S + network.units**2 * UNIT2_S
    classes = all(one.kind == "classification" for one in params.data.endpoints.values())
    return slots * network.layers * each * params.train.most_epochs(classes_alone=classes)


def _networks_words(params: Params, preset: Preset) -> list[str]:
    """How many networks a replicate is, and what the one on graphs leaves to the others."""
    graphs = [block for block in params.featurize.blocks if block.kind == "graph"]
    others = " or ".join(name for name in PRESETS if name != preset)
    return [
        f"networks: {PRESETS[preset]} (--preset for {others})",
        *(
            f"graphs: of up to {block.max_atoms} atoms; larger molecules are left to the dense networks"
            for block in graphs
        ),
    ]


def _sheet_words(table: Path, sheet: str | None) -> str:
    """Which of several sheets was read; "" of other files."""
    names = _sheets(table)
    if len(names) < 2:
        return ""
    read = sheet or names[0]
    return f" of sheet {read!r} ({_to_choose([name for name in names if name != read])})"


def _to_choose(others: list[str]) -> str:
    """How to name another sheet."""
    return f"--sheet for {', '.join(map(repr, others))}"


def _sheets(table: Path) -> list[str]:
    """A workbook's sheets; none of other files."""
    from manywalks.tables.excel import sheet_names
    from manywalks.tables.source import opened

    with opened(table, str(table)) as source:
        return sheet_names(source.stream, source.name) if source.kind == "excel" else []
