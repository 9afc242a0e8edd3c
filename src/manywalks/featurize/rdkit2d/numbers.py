"""All that follows from a molecule's arrays, in one compiled call: values in the order NAMES."""

from functools import cache
from typing import NamedTuple

import numba
import numpy as np
from rdkit import Chem
from rdkit.Chem import MolSurf
from rdkit.Chem.EState import EState_VSA

from manywalks.featurize.rdkit2d import rings
from manywalks.featurize.rdkit2d.bertz import bertz_ct
from manywalks.featurize.rdkit2d.burden import bcut
from manywalks.featurize.rdkit2d.distances import balaban_j, estate, order_distances
from manywalks.featurize.rdkit2d.paths import chi, deltas, kappas
from manywalks.featurize.rdkit2d.polynomial import ipc
from manywalks.featurize.rdkit2d.surface import areas, binned

_ELEMENTS = 119
_PATHS = ("Chi0", "Chi1", *(f"Chi{k}v" for k in range(5)), *(f"Chi{k}n" for k in range(5)))
_BCUT = tuple(
    f"BCUT2D_{name}" for name in ("MWHI", "MWLOW", "CHGHI", "CHGLO", "LOGPHI", "LOGPLOW", "MRHI", "MRLOW")
)
_BINNED = {"SlogP_VSA": 12, "SMR_VSA": 10, "PEOE_VSA": 14, "EState_VSA": 11, "VSA_EState": 10}
_SUMS = ("HeavyAtomCount", "NumHeteroatoms", "NumValenceElectrons", "NumRadicalElectrons")
_EXTREMES = ("MaxPartialCharge", "MinPartialCharge", "MaxAbsPartialCharge", "MinAbsPartialCharge")
NAMES = (
    *_SUMS, *_EXTREMES, "MaxEStateIndex", "MinEStateIndex", "MaxAbsEStateIndex", "MinAbsEStateIndex",
    "BalabanJ", "BertzCT", "Ipc", "AvgIpc", "LabuteASA", *_PATHS, "Kappa2", "Kappa3", *_BCUT,
    *(f"{name}{place}" for name, size in _BINNED.items() for place in range(1, size + 1)),
    *rings.NAMES,
)  # fmt: skip
# what RDKit's functions read off Gasteiger's charges, or cannot
OF_CHARGES = frozenset(name for name in NAMES if name in _EXTREMES or name.startswith(("PEOE_VSA", "BCUT2D")))


class Elements(NamedTuple):
    """RDKit's periodic table by atomic number, and the bins of the VSA descriptors."""

    outer_electrons: np.ndarray
    mass: np.ndarray
    radii: np.ndarray
    logp: np.ndarray
    refractivity: np.ndarray
    charge: np.ndarray
    estate: np.ndarray
    area: np.ndarray


@cache
def elements() -> Elements:
    """Read from RDKit."""
    known = Chem.GetPeriodicTable()
    bins = (MolSurf.logpBins, MolSurf.mrBins, MolSurf.chgBins, EState_VSA.estateBins, EState_VSA.vsaBins)
    return Elements(
        np.array([known.GetNOuterElecs(number) for number in range(_ELEMENTS)], dtype=np.int64),
        np.array([known.GetAtomicWeight(number) for number in range(_ELEMENTS)]),
        np.array([known.GetRb0(number) for number in range(_ELEMENTS)]),
        *(np.array(edges, dtype=np.float64) for edges in bins),
    )


@numba.njit(cache=True, error_model="numpy")
def numbers(graph, plain, properties, alpha, table):  # pragma: no cover
    """Values of NAMES: (k,).

    Args:
        plain: bonds between atoms, as `distances` gives them.
        properties: of each atom mass and charge (n,), contributions to log P and to refractivity (n, 2).
        alpha: Hall and Kier's.
    """
    mass, charge, given = properties
    by_order = order_distances(graph)
    index = estate(graph, plain, table.outer_electrons)
    sizes, of_hydrogens = areas(graph, table.radii)
    of_paths = chi(graph, deltas(graph, table.outer_electrons))
    heavy = (graph.number > 1).sum()
    information = ipc(graph)
    return np.concatenate(
        (
            _sums(graph, table.outer_electrons),
            _extremes(charge),
            np.array([index.max(), index.min(), np.abs(index).max(), np.abs(index).min()]),
            np.array([balaban_j(graph, by_order), bertz_ct(graph, by_order)]),
            np.array([information[0], information[1], sizes.sum() + of_hydrogens]),
            of_paths[:12],
            np.array(kappas(heavy, alpha, of_paths[12], of_paths[13])),
            bcut(graph, np.stack((mass, charge, given[:, 0], given[:, 1]))).ravel(),
            binned(given[:, 0], table.logp, sizes),
            binned(given[:, 1], table.refractivity, sizes),
            binned(charge, table.charge, sizes),
            binned(index, table.estate, sizes),
            binned(sizes, table.area, index),
            rings.ring_counts(graph),
        )
    )


@numba.njit(cache=True, error_model="numpy")
def _sums(graph, outer_electrons):  # pragma: no cover
    """Numbers of atoms and electrons: (4,)."""
    result = np.zeros(4)
    for i in range(len(graph.number)):
        number = graph.number[i]
        result[0] += number > 1
        result[1] += number not in (1, 6)
        result[2] += outer_electrons[number] - graph.charge[i] + graph.hydrogens[i]
        result[3] += graph.radicals[i]
    return result


@numba.njit(cache=True, error_model="numpy")
def _extremes(charge):  # pragma: no cover
    """Of charges: (4,)."""
    low, high = charge.min(), charge.max()
    return np.array([high, low, max(abs(low), abs(high)), min(abs(low), abs(high))])
