"""The replicates on halves of the training molecules, other draws of the data: how many, trained, read."""

import shutil
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from manywalks import files
from manywalks.formatting import count
from manywalks.params.load import Params
from manywalks.params.sections.evaluate import FEWEST_DRAWS, FEWEST_TRAINED
from manywalks.replicates.opening import EACH, draws_file, open_draws, open_store
from manywalks.replicates.store import Outcomes, prune, read_used_replicates
from manywalks.replicates.tally import RunPacks, train_these
from manywalks.runtime import progress
from manywalks.train.prepare import read_groups
from manywalks.workspace import Workspace

# pairs of halves that `auto` takes at most: beyond, the interval hardly narrows
MOST = 4
# replicates on a pair
PAIR = 2 * EACH
FEWEST_GROUPS = 20
ABOUT = "draws.json"
OFF = "evaluate.data_draws is off"


class Wanted(NamedTuple):
    """How many pairs of halves, and where there are none, why."""

    pairs: int
    why: str | None = None


def wanted_draws(params: Params, replicates: int, groups: np.ndarray) -> Wanted:
    """How often the training molecules are halved, beside so many replicates on all of them.

    By themselves no more than cost as much as the replicates, so that the whole run takes less than twice
    its time.

    Args:
        params: all parameters.
        replicates: of the ensemble.
        groups: of the training molecules (n,).
    """
    asked = params.evaluate.data_draws
    if asked == "off":
        return Wanted(0, OFF)
    if (few := too_few_groups(groups)) is not None:
        return Wanted(0, few)
    if asked != "auto":
        return Wanted(int(asked))
    if replicates < FEWEST_DRAWS * PAIR:
        return Wanted(
            0,
            f"that takes {FEWEST_DRAWS * PAIR} more replicates, and the model has {replicates} in all; set "
            f"evaluate.data_draws: {FEWEST_DRAWS} to train them",
        )
    return Wanted(min(MOST, replicates // PAIR))


def too_few_groups(groups: np.ndarray) -> str | None:
    """Why training molecules of these groups (n,) are not halved; None where they can be."""
    number = len(np.unique(groups))
    if len(groups) >= FEWEST_TRAINED and number >= FEWEST_GROUPS:
        return None
    return (
        f"{count(len(groups), 'training molecule')} in {count(number, 'group')} are too few; at least "
        f"{FEWEST_TRAINED} in {FEWEST_GROUPS} groups are needed"
    )


def train_draws(
    workspace: Workspace, run_packs: RunPacks, *, processes: int, tell: progress.Tell
) -> Sequence[int]:
    """Train the replicates on other draws that are not there yet; returns the indices of all of them."""
    replicates = len(read_used_replicates(open_store(workspace), weights=False)[0])
    together = read_groups(workspace)
    wanted = wanted_draws(workspace.params, replicates, together.groups[together.train])
    about = {"pairs": wanted.pairs, "each": EACH, "why": wanted.why}
    indices = range(wanted.pairs * PAIR)
    if not wanted.pairs:
        shutil.rmtree(workspace.draws, ignore_errors=True)
    else:
        store = open_draws(workspace)
        train_these(
            workspace,
            store,
            indices,
            run_packs,
            processes=processes,
            tell=tell,
            what="replicates on other draws",
        )
        prune(store, indices, also=[draws_file(store.folder)])
    files.write_json(workspace.draws / ABOUT, about)
    return indices


class Drawn(NamedTuple):
    """Replicates on halves of the training molecules.

    Attributes:
        predictions: (pairs, 2, each, n, t) in endpoint units; None where there are none.
        why: there are none.
    """

    predictions: np.ndarray | None
    why: str | None = None


def read_draws(workspace: Workspace) -> Drawn:
    """What the replicates on halves of the training molecules predict out of sample.

    A pair with a replicate that diverged is left out: the others tell of the halves as well.
    """
    about = files.read_json(workspace.draws / ABOUT)
    if about["why"] is not None:
        return Drawn(None, about["why"])
    kept = {one.index: one for one in Outcomes(open_draws(workspace)).look()}
    pairs = [[kept[pair * PAIR + place] for place in range(PAIR)] for pair in range(about["pairs"])]
    good = [own for own in pairs if not any(one.diverged for one in own)]
    if len(good) < FEWEST_DRAWS:
        return Drawn(None, f"{len(pairs) - len(good)} of {len(pairs)} pairs had a replicate that diverged")
    cube = np.stack([np.stack([one.predictions for one in own]) for own in good])
    return Drawn(cube.reshape(len(good), 2, EACH, *cube.shape[2:]).astype(np.float64))
