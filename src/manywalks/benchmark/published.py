"""Published test scores of the 22 ADMET tasks of Therapeutics Data Commons, each with its source and a mark.

published.csv holds them: the ten best of each leaderboard and the usual baselines, and what papers report
that are not on it. A score that could not be read somewhere is not there.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

# the metric that the benchmark group asks for
METRICS = {
    "caco2_wang": "mae",
    "hia_hou": "auroc",
    "pgp_broccatelli": "auroc",
    "bioavailability_ma": "auroc",
    "lipophilicity_astrazeneca": "mae",
    "solubility_aqsoldb": "mae",
    "bbb_martins": "auroc",
    "ppbr_az": "mae",
    "vdss_lombardo": "spearman",
    "cyp2c9_veith": "auprc",
    "cyp2d6_veith": "auprc",
    "cyp3a4_veith": "auprc",
    "cyp2c9_substrate_carbonmangels": "auprc",
    "cyp2d6_substrate_carbonmangels": "auprc",
    "cyp3a4_substrate_carbonmangels": "auroc",
    "half_life_obach": "spearman",
    "clearance_hepatocyte_az": "spearman",
    "clearance_microsome_az": "spearman",
    "ld50_zhu": "mae",
    "herg": "auroc",
    "ames": "auroc",
    "dili": "auroc",
}
LOWER = ("mae", "rmse", "rmse_cliff", "rae", "ma_rae")

MARKS = {
    "leaderboard": "on the leaderboard",
    "clean": "on the leaderboard, and reproduced without a fault by the audit",
    "seen": "known or suspected to have seen test labels",
    "second-hand": "reported by its authors, read in another work",
}


class Source(NamedTuple):
    """Where scores were read: what it is, its year, its address."""

    what: str
    year: int
    address: str


SOURCES = {
    "leaderboard": Source(
        "TDC leaderboard on 24 March 2026, as the audit copied it",
        2026,
        "https://github.com/receptor-ai/tdc-admet-bench/blob/main/data/tdc_admet_leaderboard.json",
    ),
    # The page of bioavailability has since taken over the entries of P-gp, number for number.
    "leaderboard-2022": Source(
        "TDC leaderboard in 2022, in a copy of its site",
        2022,
        "https://github.com/AI4Science101/AI4Science101.github.io/blob/main/benchmark/admet_group/04bioav.md",
    ),
    "mole": Source("MolE, table 1", 2024, "https://doi.org/10.1038/s41467-024-53751-y"),
    "kpgt": Source("KPGT, supplementary table 8", 2023, "https://doi.org/10.1038/s41467-023-43214-1"),
    "qip": Source("Quantum-informed pretraining, table 1", 2024, "https://doi.org/10.1021/acs.jcim.4c00772"),
    "molgps": Source("MolGPS (3B), table 2", 2024, "https://arxiv.org/abs/2404.11568"),
    "minimol": Source("MiniMol, its repository", 2024, "https://github.com/graphcore-research/minimol"),
}


class Published(NamedTuple):
    """A published test score.

    Attributes:
        model: its name there.
        score: in the task's metric.
        sd: over the repeats of its authors, None where they give none.
        mark: a key of MARKS.
        source: a key of SOURCES.
    """

    model: str
    score: float
    sd: float | None
    mark: str
    source: str

    @property
    def on_leaderboard(self) -> bool:
        """Whether it was read on the leaderboard."""
        return self.source.startswith("leaderboard")


@cache
def published() -> dict[str, tuple[Published, ...]]:
    """All scores by task, in the order of published.csv."""
    found: dict[str, list[Published]] = {task: [] for task in METRICS}
    with Path(__file__).with_name("published.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sd = float(row["sd"]) if row["sd"] else None
            found[row["task"]].append(
                Published(row["model"], float(row["score"]), sd, row["mark"], row["source"])
            )
    return {task: tuple(scores) for task, scores in found.items()}


def metric_of(task: str, kind: str) -> str:
    """The metric that decides: the benchmark group's, else the usual one of the kind."""
    return METRICS.get(task, "auroc" if kind == "classification" else "mae")


def better(metric: str, a: float, b: float) -> bool:
    """Whether score a is better than score b."""
    return a < b if metric in LOWER else a > b


def leaderboard(task: str) -> list[Published]:
    """The task's entries on the leaderboard."""
    return [one for one in published().get(task, ()) if one.on_leaderboard]


def best_on_leaderboard(task: str, *, clean: bool = False) -> Published | None:
    """The first of the leaderboard, or of those that the audit found clean."""
    return _best(task, [one for one in leaderboard(task) if not clean or one.mark == "clean"])


def best_in_papers(task: str) -> Published | None:
    """The best score that a paper reports and the leaderboard does not hold."""
    return _best(task, [one for one in published().get(task, ()) if not one.on_leaderboard])


def entry(task: str, model: str) -> Published | None:
    """The leaderboard's entry of this name."""
    return next((one for one in leaderboard(task) if one.model == model), None)


def _best(task: str, scores: list[Published]) -> Published | None:
    """The best of some, None of none."""
    if not scores:
        return None
    choose = min if METRICS[task] in LOWER else max
    return choose(scores, key=lambda one: one.score)
