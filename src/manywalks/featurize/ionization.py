"""How much of a molecule is charged in blood: its acidic and basic groups, with textbook pKa values.

No descriptor of RDKit knows that a carboxylic acid is an anion at pH 7.4 and a piperidine a cation, which
decides how a drug spreads in the body. Each group is a SMARTS pattern whose first atom gives or takes the
proton, and the pKa of its simplest members; the first pattern that finds an atom has it, so special groups
stand before general ones. Aliphatic amines start from 10.6 (primary), 10.9 (secondary) or 10.0 (tertiary)
and lose by what stands near (additive, after D. D. Perrin, B. Dempsey, E. P. Serjeant, "pKa Prediction for
Organic Acids and Bases", 1981); and a group beside a stronger one, which is charged already, is weaker. On 70
drugs and simple compounds the mean error is 0.4 units (tests/test_ionization.py).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from manywalks.featurize.patterns.found import Found, FoundAtOnce
from manywalks.featurize.patterns.graph import graph_of
from manywalks.featurize.rdkit2d.crippen import contributions
from manywalks.featurize.rdkit2d.distances import plain_distances

IONIZATION = (
    "charge", "cation", "anion", "zwitterion", "log_neutral", "log_d",
    "acid_pka", "second_acid_pka", "base_pka", "second_base_pka", "acids", "bases",
)  # fmt: skip
PH = 7.4
NO_ACID, NO_BASE = 14.0, 0.0


"""Stand for a group that is not there, and bound those that are."""


LEAST_NEUTRAL = -8.0


"""log10 of the neutral share, at least: beyond, the estimate says nothing."""


_N_ACYL = "!$(N-C=[O,S,N]);!$(N-S(=O)=O);!$(N-C#N);!$(N-[!#6;!#1])"
_WITHDRAWS = "$(C=O),$(C#N),$(S(=O)=O),$(C(F)(F)F)"
ACIDS: tuple[tuple[str, float], ...] = (
    ("[O;H1,-][SX4](=O)=O", -1.0),  # sulfonic
    ("[O;H1,-]P(=O)", 2.0),  # phosphonic, phosphoric
    ("[O;H1,-]C(=O)[CX4][NX3,NX4]", 2.3),  # amino acid
    ("[O;H1,-]C(=O)[CX4][#8,#9,#16,#17]", 3.3),
    ("[O;H1,-]C(=O)[#6]=,:[#6;$([#6]=[OX1])]", 6.2),  # quinolone
    ("[O;H1,-]C(=O)c", 4.0),
    ("[O;H1,-]C(=O)[#6]", 4.6),
    ("[O;H1,-]C(=O)", 3.5),
    ("[S;H1,-]C=[O,S]", 3.0),
    ("[nX3H1]1nnnc1", 4.9),
    ("[nX3H1]1nncn1", 4.9),
    ("[NX3H1]([CX3](=O)N)S(=O)=O", 5.2),  # sulfonylurea
    ("[NX3H1](C=O)S(=O)=O", 4.0),
    ("[NX3H1](c:[n,o])S(=O)=O", 6.2),
    ("[NX3H1](c)S(=O)=O", 8.4),
    ("[NX3H2]S(=O)=O", 10.0),
    ("[NX3H1;R](C(=O)S)C=O", 6.5),  # thiazolidinedione
    ("[NX3H1;R](C(=O)[NX3;R])C(=O)[CX4]", 8.0),  # barbiturate, hydantoin
    ("[#7X3H1;R]([#6]=[O,S])[#6]=[O,S]", 9.5),
    ("[O;H1,-][NX3]C=O", 9.0),
    ("[O;H1,-]c1:c:c(=[OX1]):[o,n]:*:*:1", 5.3),  # 4-hydroxycoumarin
    ("[O;H1,-][C;R]=[C;R][C;R]=O", 5.0),
    ("[O;H1,-]c(:c[$(N(=O)~O)])", 7.1),
    ("[O;H1,-]c1ccc([$(N(=O)~O)])cc1", 7.1),
    (f"[O;H1,-]c1ccc([{_WITHDRAWS}])cc1", 8.2),
    ("[O;H1,-]c(:c[F,Cl,Br,I]):c[F,Cl,Br,I]", 7.0),
    ("[O;H1,-]c:c[F,Cl,Br,I]", 8.5),
    ("[O;H1,-]c", 9.9),
    ("[SX2H1]c", 6.6),
    ("[SX2H1][CX4]", 9.8),
)
BASES: tuple[tuple[str, float], ...] = (
    ("[NX4+]", NO_ACID),  # always charged
    ("[nX3+;H0;!$(n[O-])]", NO_ACID),
    ("[NX2](=[CX3](N)N)[$(C#N),$(N(=O)~O),$(C=O),$(S(=O)=O)]", 1.0),
    ("[NX2](=[CX3]([NX3][$(C#N),$(N(=O)~O),$(C=O),$(S(=O)=O)])N)", 4.0),
    ("[NX2](=[CX3]([NX3])[NX3;$(N-c)])", 8.5),
    ("[NX2;$(N-c)](=[CX3]([NX3])[NX3])", 8.5),
    ("[NX2](=[CX3]([NX3])[NX3])", 12.5),  # guanidine
    ("[NX2;$(N-c)]=[CX3;$(C[#6]),H1][NX3]", 7.5),
    ("[NX2;!$(N-[!#6])]=[CX3;$(C[#6]),H1][NX3]", 11.6),  # amidine
    ("[NX2;!$(N-[!#6])](=[CX3]([SX2])[NX3])", 9.5),
    ("[NX2;!$(N-[!#6])]=[CX3;!$(C[O,N,S])]", 3.8),  # imine
    (f"[nX2]1c([NX3;{_N_ACYL}])nc([NX3;{_N_ACYL}])cc1", 7.2),
    (f"[nX2]1c([NX3;{_N_ACYL}])cc([NX3;{_N_ACYL}])nc1", 6.5),
    (f"[nX2]1cnc([NX3;{_N_ACYL}])cc1", 5.5),
    (f"[nX2]1c([NX3;{_N_ACYL}])nccc1", 3.5),
    (f"[nX2]1ccc([NX3;{_N_ACYL}])cc1", 8.6),
    (f"[nX2]1c([NX3;{_N_ACYL}])cccc1", 6.7),
    (f"[nX2]1c([NX3;{_N_ACYL}])scc1", 5.3),
    ("[nX2]1c2ccccc2[nX3]c1", 5.5),  # benzimidazole
    ("[nX2]1c[nX3]c(c=[OX1])c1", 0.6),  # xanthine
    ("[nX2]1c2ncncc2[nX3]c1", 2.5),  # purine
    ("[nX2]1c2cncnc2[nX3]c1", 2.5),
    (f"[nX2]1c([F,Cl,Br,I,{_WITHDRAWS}])c[nX3]c1", 3.5),
    ("[nX2]1cc[nX3]c1", 6.9),  # imidazole
    ("[nX2]1[nX3]ccc1", 2.5),
    ("[nX2]1c[nX3]nc1", 2.3),
    ("[nX2]1cncn1", 2.3),
    ("[nX2]1cscc1", 2.5),
    ("[nX2]1cocc1", 0.8),
    ("[nX2;r6]:[nX2]", 2.2),
    ("[nX2;r6]:c:[nX2,$([nX3]:c=[OX1])]", 1.3),
    ("[nX2;r6]:c:c:[nX2;r6]", 0.7),
    (f"[nX2;r6]c[F,Cl,Br,I,{_WITHDRAWS}]", 2.0),
    (f"[nX2;r6]cc[F,Cl,Br,I,{_WITHDRAWS}]", 3.2),
    ("[nX2;r6]", 5.2),  # pyridine
    (f"[NX3;H2;{_N_ACYL}]c1ccc([$(N(=O)~O),{_WITHDRAWS}])cc1", 2.0),
    (f"[NX3;{_N_ACYL};!$(N-c:n);!$(N(-c)-c)](c:c[F,Cl,Br,$(N(=O)~O),{_WITHDRAWS}])", 2.5),
    (f"[NX3;{_N_ACYL};!$(N-c:n);!$(N(-c)-c)]c", 4.7),  # aniline
)
AMINE = f"[NX3;{_N_ACYL};!$(N-c);!$(N-C=C);!$(N-[CX2])]"
AMINES = (10.0, 10.9, 10.6)


"""pKa of an aliphatic amine by its hydrogens."""


LOSSES: tuple[tuple[str, float], ...] = (
    ("N[CX4][CX3](=O)[#7]", 2.2),
    ("N[CX4][CX3](=O)[OX2H1]", 0.9),  # charged before the amine is not
    ("N[CX4][CX3;!$(C-[#7]);!$(C-[OX2H1])]=[O,S]", 2.8),
    ("N[CX4]C#N", 5.0),
    ("N[CX4][CX4](F)(F)F", 4.6),
    ("N[CX4]c", 1.1),
    ("N[CX4]C=[C,N]", 0.9),
    ("N[CX4]S(=O)=O", 3.5),
    ("N[CX4][CX4][OX2]", 1.1),
    ("N[CX4][CX4][#7]", 0.9),
    ("N[CX4][CX4;!$(C(F)(F)F)][F,Cl,Br]", 1.5),
    ("N[CX4][CX4][SX2]", 0.8),
    ("N[CX4][CX4]S(=O)=O", 1.8),
    ("N[CX4][CX4]c", 0.5),
    ("N[CX4][CX4][CX3]=O", 0.7),
    ("N[CX4][CX4][CX4][OX2,#7,F,Cl]", 0.3),
)


"""What an aliphatic amine loses each time that one of these begins with its nitrogen."""


ALL = tuple(smarts for patterns in (ACIDS, BASES, LOSSES, ((AMINE, 0.0),)) for smarts, _ in patterns)
BESIDE = {1: 8.0, 2: 5.0, 3: 3.0, 4: 1.5, 5: 0.8, 6: 0.4}


"""What an acid or a base loses for a stronger one so many bonds away."""


class Sites(NamedTuple):
    """pKa values of a molecule's groups: acids ascending, bases descending (of their conjugate acids)."""

    acids: np.ndarray
    bases: np.ndarray


def ionization(mols: Sequence[Chem.Mol]) -> np.ndarray:
    """n molecules -> float32 (n, 12), the columns of IONIZATION; charges and shares at pH 7.4."""
    return np.array([_row(mol) for mol in mols], dtype=np.float32).reshape(len(mols), len(IONIZATION))


def sites(mol: Chem.Mol) -> Sites:
    """The pKa values of a molecule's acidic and basic groups."""
    graph = graph_of(mol)
    find = Found(mol) if graph is None else FoundAtOnce(graph, ALL)
    distance = Chem.GetDistanceMatrix(mol) if graph is None else plain_distances(graph)
    acids = _acids(find, distance)
    return Sites(np.sort(acids), np.sort(_bases(mol, find, distance))[::-1])


def _row(mol: Chem.Mol) -> list[float]:
    """One molecule's values, by Henderson and Hasselbalch."""
    acids, bases = sites(mol)
    anions, cations = 1 / (1 + 10 ** (acids - PH)), 1 / (1 + 10 ** (PH - bases))
    log_neutral = -np.log10(1 + 10 ** (PH - acids)).sum() - np.log10(1 + 10 ** (bases - PH)).sum()
    log_neutral = max(float(log_neutral), LEAST_NEUTRAL)
    anion, cation = float(anions.sum()), float(cations.sum())
    graph = graph_of(mol)
    log_p = (
        rdMolDescriptors.CalcCrippenDescriptors(mol)[0] if graph is None else contributions(graph).total[0]
    )
    a, b = [*acids, NO_ACID, NO_ACID], [*bases, NO_BASE, NO_BASE]
    return [
        cation - anion, cation, anion, min(anion, cation), log_neutral, log_p + log_neutral,
        min(a[0], NO_ACID), min(a[1], NO_ACID), max(b[0], NO_BASE), max(b[1], NO_BASE),
        float((acids < PH).sum()), float((bases > PH).sum()),
    ]  # fmt: skip


def _acids(find: Found | FoundAtOnce, distance: np.ndarray) -> np.ndarray:
    """pKa of each acidic atom, weakened by stronger ones nearby."""
    found = {atom: ACIDS[place][1] for atom, place in find.first(_smarts(ACIDS)).items()}
    order = sorted(found, key=lambda atom: (found[atom], atom))
    return np.array([found[atom] + loss for atom, loss in _losses(distance, order)], dtype=np.float64)


def _bases(mol: Chem.Mol, find: Found | FoundAtOnce, distance: np.ndarray) -> np.ndarray:
    """pKa of each basic atom, weakened by stronger ones nearby."""
    found = _amines(mol, find)
    found |= {atom: BASES[place][1] for atom, place in find.first(_smarts(BASES)).items()}
    order = sorted(found, key=lambda atom: (-found[atom], atom))
    return np.array([found[atom] - loss for atom, loss in _losses(distance, order)], dtype=np.float64)


def _losses(distance: np.ndarray, order: list[int]) -> list[tuple[int, float]]:
    """Atoms from the strongest on, each with what those before it, which are charged already, cost it."""
    return [
        (atom, sum(BESIDE.get(int(distance[atom, other]), 0.0) for other in order[:place]))
        for place, atom in enumerate(order)
    ]


def _amines(mol: Chem.Mol, find: Found | FoundAtOnce) -> dict[int, float]:
    """Atom -> pKa of each aliphatic amine."""
    atoms = list(find.first([AMINE]))
    found = {atom: AMINES[min(mol.GetAtomWithIdx(atom).GetTotalNumHs(), 2)] for atom in atoms}
    if atoms:
        times = find.times(_smarts(LOSSES), atoms)
        for (_, loss), row in zip(LOSSES, times.tolist(), strict=True):
            for atom, often in zip(atoms, row, strict=True):
                for _ in range(often):  # in the same order of subtractions whatever the number
                    found[atom] -= loss
    return found


def _smarts(patterns: tuple[tuple[str, float], ...]) -> list[str]:
    return [smarts for smarts, _ in patterns]
