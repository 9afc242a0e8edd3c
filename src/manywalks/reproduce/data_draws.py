"""Another draw of the data beside the other sources of randomness: a row of `reproduce --sources`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from manywalks.ensemble import manifest
from manywalks.evaluate.statement.data_draws import DrawTerms, not_stated, stated, too_few
from manywalks.params.sections.evaluate import FEWEST_DRAWS
from manywalks.replicates.draw_loop import too_few_groups
from manywalks.replicates.draws import Draws, on_draw
from manywalks.replicates.opening import EACH
from manywalks.replicates.statistics.mixing import EVENLY, Mixing
from manywalks.reproduce.sources import StudyDesign, Tell, train_packs
from manywalks.train.prepare import Groups, Prepared, read_groups, read_tables
from manywalks.workspace import Workspace

# what the row of `reproduce --sources` is called
DRAW = "another draw of the data"


@dataclass(frozen=True)
class DrawDesign:
    """How the replicates of the draws are trained.

    Attributes:
        pairs: of halves of the training molecules.
        entropy: that draws and streams are spawned from.
        threads: of the engine.
        mixing: how families are averaged.
        bootstrap: whether each replicate then draws from its half, with replacement.
    """

    pairs: int
    entropy: int
    threads: int = 1
    mixing: Mixing = EVENLY
    bootstrap: bool = False


def train_draws(
    prepared: Sequence[Prepared],
    groups: Groups,
    design: DrawDesign,
    *,
    follow: Callable[[float], None] = lambda done: None,
) -> np.ndarray:
    """Predictions (pairs, 2, each, n, t) in endpoint units, from replicates of streams of their own.

    Args:
        prepared: each family's problem.
        groups: of all rows of the curated table; rows of one group are drawn together.
        design: how many, and from what entropy.
        follow: called with how many replicates are done.
    """
    drawn = Draws(design.entropy, EACH, design.bootstrap)
    alike = (list(indices) for _, indices in groupby(range(2 * design.pairs * EACH), drawn.shared))
    packs = (([on_draw(one, groups, drawn, indices[0]) for one in prepared], indices) for indices in alike)
    cube = train_packs(packs, design, follow).astype(np.float64)
    return cube.reshape(design.pairs, 2, EACH, *cube.shape[1:])


def study_draws(
    workspace: Workspace,
    prepared: Sequence[Prepared],
    design: StudyDesign,
    spreads: Mapping[str, float],
    *,
    tell: Tell,
) -> dict[str, Any]:
    """The statement of each endpoint, from about as many replicates as `design` has for a source.

    Nothing is trained where the training molecules are too few, and nothing is stated of an endpoint with too
    few.

    Args:
        workspace: whose training molecules are halved, in whole groups where its split keeps these together.
        prepared: each family's problem.
        design: of the study of sources.
        spreads: of replicates on all training molecules, root mean square, by endpoint.
        tell: gets the progress.
    """
    params = workspace.params
    groups = read_groups(workspace)
    trained = read_tables(workspace).curated.iloc[groups.train]
    measured = {name: trained[name].to_numpy(dtype=np.float64) for name in params.data.endpoints}
    if (few := too_few_groups(groups.groups[groups.train])) is not None:
        return {name: not_stated(few, name) for name in params.data.endpoints}
    pairs = max(FEWEST_DRAWS, design.count // (2 * EACH))
    asked = DrawDesign(
        pairs, design.entropy, design.threads, design.mixing, bootstrap=design.groups is not None
    )
    total = pairs * 2 * EACH
    cube = train_draws(prepared, groups, asked, follow=lambda done: tell(done, total, DRAW))
    there = (workspace.ensemble / manifest.FILE).is_file()
    m = int(manifest.read(workspace.ensemble)["replicates"]) if there else design.count
    found = {}
    for column, (name, endpoint) in enumerate(params.data.endpoints.items()):
        if (why := too_few(endpoint.kind, measured[name])) is not None:
            found[name] = not_stated(why, name)
            continue
        terms = DrawTerms(
            endpoint.kind,
            endpoint.unit,
            m,
            within=spreads[name] ** 2,
            threshold=params.evaluate.threshold,
            wanted=endpoint,
            confidence=params.replicates.confidence,
        )
        found[name] = stated(cube[..., column], terms, name)
    return found


def draw_row(found: dict[str, Any], everything: float) -> dict[str, float]:
    """The row of `reproduce --sources`; `everything` is the spread where all that is random varies."""
    ends = {"spread": found["draw_sd"], "low": found["low"], "high": found["high"]}
    shares = {"share": "spread", "share_low": "low", "share_high": "high"}
    return {**ends, **{to: (ends[of] / everything) ** 2 if everything else 0.0 for to, of in shares.items()}}
