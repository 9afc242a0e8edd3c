"""The variance budget of a network's score: what a fixed seed hides."""

import secrets
from typing import Any

import numpy as np

from manywalks.tasks import files
from manywalks.tasks.budget import variance_budget
from manywalks.tasks.compare import Study
from manywalks.tasks.comparison import Scores
from manywalks.tasks.params import Params
from manywalks.tasks.view import IN_UNITS, SCORE_NAMES
from manywalks.tasks.workspace import Workspace


def shared_entropy(workspace: Workspace, params: Params) -> int:
    """The entropy that all sets of sources share, so that what is held is the same in all of them."""
    if params.replicates.entropy is not None:
        return params.replicates.entropy
    path = workspace.state / "compare" / "entropy.json"
    if not path.is_file():
        files.write_json(path, {"entropy": str(secrets.randbits(128))})
    return int(files.read_json(path)["entropy"])


def budgets(study: Study) -> dict[str, Any]:
    """What reports/compare-sources.json holds: the design and a budget an endpoint."""
    sets = [tuple(name.split("+")) for name in study.names]
    return {
        "design": study.described(),
        "sources": {scores.terms.name: _budget(scores, sets) for scores in study.scores},
    }


def _budget(scores: Scores, sets: list[tuple[str, ...]]) -> dict[str, Any]:
    """One endpoint's budget, in its metric."""
    terms = scores.terms
    values = {chosen: np.stack(list(scores.singles(c).values())) for c, chosen in enumerate(sets)}
    found = variance_budget(values, np.random.default_rng(0))  # bootstrap draws; no walk depends on them
    unit = f" {terms.unit}" if terms.metric in IN_UNITS and terms.unit else ""
    name = SCORE_NAMES[terms.metric]
    hidden, apart = found["seed_share"], 2 * found["seed_sd"] ** 2
    return {
        "metric": terms.metric,
        "metric_name": name,
        "unit": unit.strip(),
        **found,
        "sentence": (
            f"A fixed seed hides {100 * hidden['value']:.0f} % ({100 * hidden['low']:.0f} to "
            f"{100 * hidden['high']:.0f} %) of the variance of a single walk's {name}: two runs on one "
            f"split that differ in nothing but the seed are {apart**0.5:.4f}{unit} apart, root mean square."
        ),
    }
