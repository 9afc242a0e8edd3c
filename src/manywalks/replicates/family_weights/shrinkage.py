"""How far fitted weights are drawn back to the given ones: as far as what they gain may be luck.

At the given weights let g be the slope of the loss along the directions in which weights can move, J its
curvature, and S the covariance of g: from what the groups of molecules add to it (a sandwich estimate by
clusters: Liang and Zeger 1986), and from how it differs between networks of the same folds. To second order
a fit lowers the loss by g' J^-1 g / 2. Where the given weights are the best ones, luck alone makes that
tr(J^-1 S) / 2 on average (Takeuchi 1976). The mix

    luck * given + (1 - luck) * fitted,    luck = min(1, tr(J^-1 S) / g' J^-1 g)

has the least expected loss among such mixes, with the unknown true gain put as what was found less luck's
part: Stein's positive-part rule (James and Stein 1961; Efron and Morris 1973), in the metric of the loss.
"""

import numpy as np

from manywalks.replicates.family_weights.solver import Unseen, terms

# fewer groups of molecules do not tell how sure a slope is
FEWEST_GROUPS = 20
# No weight becomes quite 0: where a molecule is too large for one family's graph, the others predict it.
LEAST = 0.01


def luck(unseen: Unseen, given: np.ndarray, of_networks: np.ndarray | float = 0.0) -> float:
    """The share of the given weights (f,) in the final ones: from LEAST to 1.

    Args:
        unseen: f families at n molecules.
        given: their weights.
        of_networks: covariance (f - 1, f - 1) of `slope` that retraining the networks of the folds brings.
    """
    _, own = np.unique(unseen.groups, return_inverse=True)
    number = int(own.max(initial=-1)) + 1
    if number < FEWEST_GROUPS:
        return 1.0
    here, along = terms(unseen, given), directions(len(given)) @ unseen.families
    # families that predict the same differ by rounding, which says nothing
    along[np.abs(along) < 1e-12 * np.abs(unseen.families).max()] = 0
    total, slopes = slope(unseen, given), np.zeros((number, len(along)))
    np.add.at(slopes, own, (along * here.slope).T)
    sizes = np.bincount(own, unseen.weights) / unseen.weights.sum()
    apart = slopes - sizes[:, None] * total
    covariance = apart.T @ apart * number / (number - 1) + of_networks
    inverse = np.linalg.pinv((along * here.curvature) @ along.T, rcond=1e-10, hermitian=True)
    found, chance = float(total @ inverse @ total), float(np.trace(inverse @ covariance))
    return 1.0 if found <= chance else max(LEAST, chance / found)


def slope(unseen: Unseen, weights: np.ndarray) -> np.ndarray:
    """How the loss changes along the directions in which weights (f,) can move: (f - 1,)."""
    return directions(len(weights)) @ (unseen.families @ terms(unseen, weights).slope)


def directions(count: int) -> np.ndarray:
    """Orthonormal directions (f - 1, f) along which the sum of f weights stays the same."""
    basis = np.linalg.qr(np.column_stack([np.ones(count), np.eye(count)[:, : count - 1]]))[0]
    return basis[:, 1:].T
