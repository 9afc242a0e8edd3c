"""Ionization: against measured pKa values of drugs and simple compounds, and what follows from them."""

import numpy as np
import pytest
from rdkit import Chem

from manywalks.featurize.ionization import (
    ACIDS,
    AMINE,
    BASES,
    IONIZATION,
    LEAST_NEUTRAL,
    LOSSES,
    ionization,
    sites,
)

# name, SMILES, measured acid pKa values (ascending), those of conjugate acids of bases (descending):
# values as in the CRC Handbook, Perrin's compilations and drug labels, to a tenth
MEASURED: list[tuple[str, str, list[float], list[float]]] = [
    ("acetic acid", "CC(=O)O", [4.76], []),
    ("benzoic acid", "OC(=O)c1ccccc1", [4.2], []),
    ("aspirin", "CC(=O)Oc1ccccc1C(=O)O", [3.5], []),
    ("ibuprofen", "CC(C)Cc1ccc(cc1)C(C)C(=O)O", [4.9], []),
    ("diclofenac", "OC(=O)Cc1ccccc1Nc1c(Cl)cccc1Cl", [4.2], []),
    ("warfarin", "CC(=O)CC(c1ccccc1)C1=C(O)c2ccccc2OC1=O", [5.1], []),
    ("phenytoin", "O=C1NC(=O)C(N1)(c1ccccc1)c1ccccc1", [8.3], []),
    ("phenobarbital", "CCC1(c2ccccc2)C(=O)NC(=O)NC1=O", [7.4], []),
    ("sulfamethoxazole", "Cc1cc(NS(=O)(=O)c2ccc(N)cc2)no1", [5.7], [1.8]),
    ("sulfadiazine", "Nc1ccc(cc1)S(=O)(=O)Nc1ncccn1", [6.5], [2.0]),
    ("paracetamol", "CC(=O)Nc1ccc(O)cc1", [9.5], []),
    ("tolbutamide", "CCCCNC(=O)NS(=O)(=O)c1ccc(C)cc1", [5.3], []),
    ("glibenclamide", "COc1ccc(Cl)cc1C(=O)NCCc1ccc(cc1)S(=O)(=O)NC(=O)NC1CCCCC1", [5.3], []),
    ("losartan", "CCCCc1nc(Cl)c(CO)n1Cc1ccc(cc1)-c1ccccc1-c1nnn[nH]1", [4.9], []),
    ("4-nitrophenol", "O=[N+]([O-])c1ccc(O)cc1", [7.15], []),
    ("thiophenol", "Sc1ccccc1", [6.6], []),
    ("hydrochlorothiazide", "NS(=O)(=O)c1cc2c(cc1Cl)NCNS2(=O)=O", [7.9], []),
    ("atenolol", "CC(C)NCC(O)COc1ccc(CC(N)=O)cc1", [], [9.6]),
    ("propranolol", "CC(C)NCC(O)COc1cccc2ccccc12", [], [9.5]),
    ("amitriptyline", "CN(C)CCC=C1c2ccccc2CCc2ccccc12", [], [9.4]),
    ("imipramine", "CN(C)CCCN1c2ccccc2CCc2ccccc12", [], [9.4]),
    ("lidocaine", "CCN(CC)CC(=O)Nc1c(C)cccc1C", [], [7.9]),
    ("procaine", "CCN(CC)CCOC(=O)c1ccc(N)cc1", [], [9.0]),
    ("diphenhydramine", "CN(C)CCOC(c1ccccc1)c1ccccc1", [], [9.0]),
    ("codeine", "COc1ccc2CC3N(C)CCC45C(Oc1c24)C(O)C=CC35", [], [8.2]),
    ("diazepam", "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc12", [], [3.4]),
    ("cimetidine", "CN\\C(=N/C#N)NCCSCc1nc[nH]c1C", [], [6.8]),
    ("metformin", "CN(C)C(=N)NC(N)=N", [], [12.4]),
    ("clonidine", "Clc1cccc(Cl)c1NC1=NCCN1", [], [8.1]),
    ("haloperidol", "O=C(CCCN1CCC(O)(CC1)c1ccc(Cl)cc1)c1ccc(F)cc1", [], [8.7]),
    ("chlorpromazine", "CN(C)CCCN1c2ccccc2Sc2ccc(Cl)cc12", [], [9.3]),
    ("fluoxetine", "CNCCC(Oc1ccc(cc1)C(F)(F)F)c1ccccc1", [], [9.8]),
    ("ciprofloxacin", "O=C(O)C1=CN(C2CC2)c2cc(N3CCNCC3)c(F)cc2C1=O", [6.1], [8.7]),
    ("trimethoprim", "COc1cc(Cc2cnc(N)nc2N)cc(OC)c1OC", [], [7.1]),
    ("nicotine", "CN1CCCC1c1cccnc1", [], [8.0, 3.1]),
    ("histamine", "NCCc1c[nH]cn1", [], [9.8, 6.0]),
    ("aniline", "Nc1ccccc1", [], [4.6]),
    ("pyridine", "c1ccncc1", [], [5.2]),
    ("imidazole", "c1c[nH]cn1", [], [7.0]),
    ("morpholine", "C1COCCN1", [], [8.5]),
    ("N-methylpiperazine", "CN1CCNCC1", [], [9.1, 4.9]),
    ("benzylamine", "NCc1ccccc1", [], [9.3]),
    ("trifluoroethylamine", "NCC(F)(F)F", [], [5.7]),
    ("butylamine", "CCCCN", [], [10.6]),
    ("triethylamine", "CCN(CC)CC", [], [10.7]),
    ("ephedrine", "CNC(C)C(O)c1ccccc1", [], [9.6]),
    ("benzamidine", "NC(=N)c1ccccc1", [], [11.6]),
    ("guanidine", "NC(N)=N", [], [13.6]),
    ("4-aminopyridine", "Nc1ccncc1", [], [9.1]),
    ("2-aminopyridine", "Nc1ccccn1", [], [6.8]),
    ("chloroquine", "CCN(CC)CCCC(C)Nc1ccnc2cc(Cl)ccc12", [], [10.2, 8.1]),
    ("quinoline", "c1ccc2ncccc2c1", [], [4.9]),
    ("pyrimidine", "c1cncnc1", [], [1.3]),
    ("thiazole", "c1cscn1", [], [2.5]),
    ("benzimidazole", "c1ccc2[nH]cnc2c1", [], [5.5]),
    ("verapamil", "COc1ccc(CCN(C)CCCC(C#N)(C(C)C)c2ccc(OC)c(OC)c2)cc1OC", [], [8.9]),
    ("quinidine", "COc1ccc2nccc(c2c1)C(O)C1CC2CCN1CC2C=C", [], [8.6, 4.1]),
    ("caffeine", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", [], []),
    ("methanesulfonic acid", "CS(=O)(=O)O", [-1.9], []),
    ("phenylphosphonic acid", "OP(=O)(O)c1ccccc1", [1.8, 7.1], []),
    ("glycine", "NCC(=O)O", [2.3], [9.8]),
    ("levodopa", "NC(Cc1ccc(O)c(O)c1)C(=O)O", [2.3], [8.7]),
    ("sildenafil", "CCCc1nn(C)c2c1nc([nH]c2=O)-c1cc(ccc1OCC)S(=O)(=O)N1CCN(C)CC1", [], [6.5]),
    ("omeprazole", "COc1ccc2[nH]c(nc2c1)S(=O)Cc1ncc(C)c(OC)c1C", [], [4.0]),
    ("gefitinib", "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1", [], [7.2, 5.4]),
    ("malonic acid", "OC(=O)CC(=O)O", [2.8, 5.7], []),
    ("resorcinol", "Oc1cccc(O)c1", [9.3, 11.1], []),
    ("ethylenediamine", "NCCN", [], [9.9, 6.9]),
    ("7-azaindole", "c1cnc2[nH]ccc2c1", [], [4.6]),
    ("2,2'-bipyridine", "c1ccnc(c1)-c1ccccn1", [], [4.4]),
    ("phosphoric acid", "OP(=O)(O)O", [2.1, 7.2, 12.3], []),
    ("pyridazine", "c1ccnnc1", [], [2.3]),
    ("chlordimeform", "Cc1cc(Cl)ccc1N=CN(C)C", [], [6.8]),
    ("purine", "c1ncc2nc[nH]c2n1", [], [2.4]),
    ("acyclovir", "Nc1nc2n(COCCO)cnc2c(=O)[nH]1", [], [2.3]),
]


def values(smiles: str) -> dict[str, float]:
    """One molecule's row by column."""
    return dict(zip(IONIZATION, ionization([Chem.MolFromSmiles(smiles)])[0].tolist(), strict=True))


def errors() -> np.ndarray:
    """Estimated minus measured, for every measured value."""
    found = []
    for name, smiles, acids, bases in MEASURED:
        estimated = sites(Chem.MolFromSmiles(smiles))
        assert len(estimated.acids) >= len(acids) and len(estimated.bases) >= len(bases), name
        found += [*(estimated.acids[: len(acids)] - acids), *(estimated.bases[: len(bases)] - bases)]
    return np.array(found)


def test_no_group_is_seen_that_would_be_charged_and_is_not() -> None:
    """What nobody measured is outside of the range in which it would matter.

    But for metformin: its guanidines share a nitrogen, and the second one's 2.8 no rule here knows.
    """
    for name, smiles, acids, bases in MEASURED:
        if name == "metformin":
            continue
        estimated = sites(Chem.MolFromSmiles(smiles))
        assert not (estimated.acids[len(acids) :] < 8.5).any(), name
        assert not (estimated.bases[len(bases) :] > 6.5).any(), name


@pytest.mark.parametrize("smiles", ["Oc1cc(O)c2c(c1)oc(cc2=O)-c1ccccc1", "O=c1c2ccccc2[nH]c2ccccc12"])
def test_a_hydrogen_bonded_phenol_is_no_hydroxycoumarin(smiles: str) -> None:
    assert not (sites(Chem.MolFromSmiles(smiles)).acids < 8).any()


def test_pka_values_are_near_what_was_measured() -> None:
    found = np.abs(errors())
    assert len(found) > 70
    assert found.mean() < 0.5
    assert found.max() < 2.5


@pytest.mark.parametrize("smiles", [smarts for smarts, _ in (*ACIDS, *BASES, *LOSSES)] + [AMINE])
def test_every_pattern_is_read(smiles: str) -> None:
    assert Chem.MolFromSmarts(smiles) is not None


@pytest.mark.parametrize(
    ("smiles", "charge"),
    [
        ("CCCCCC", 0),
        ("CCCC(=O)O", -1),
        ("CCCC(=O)[O-]", -1),
        ("CCCCN", 1),
        ("C[N+](C)(C)CCO", 1),
        ("NCC(=O)O", 0),
        ("OC(=O)CCC(=O)O", -2),
        ("CC(=O)N", 0),
        ("Cn1cnc2c1c(=O)n(C)c(=O)n2C", 0),
    ],
)
def test_charge_in_blood(smiles: str, charge: int) -> None:
    assert values(smiles)["charge"] == pytest.approx(charge, abs=0.05)


def test_amino_acid_is_a_zwitterion_and_hardly_neutral() -> None:
    glycine = values("NCC(=O)O")
    assert glycine["zwitterion"] > 0.95
    assert glycine["log_neutral"] < -4


def test_log_d_is_log_p_where_nothing_is_charged_and_less_elsewhere() -> None:
    toluene, amine = values("Cc1ccccc1"), values("NCCCCCC")
    assert toluene["log_neutral"] == 0
    assert toluene["log_d"] == pytest.approx(1.99502, abs=1e-4)
    assert amine["log_neutral"] == pytest.approx(-(10.6 - 7.4), abs=0.05)


def test_shares_follow_henderson_and_hasselbalch() -> None:
    """Half of an acid with pKa 7.4 would be charged; imidazole (6.9) is by 10^-0.5 / (1 + 10^-0.5)."""
    imidazole = values("c1c[nH]cn1")
    assert imidazole["cation"] == pytest.approx(10**-0.5 / (1 + 10**-0.5), abs=1e-4)


def test_values_do_not_depend_on_how_the_molecule_is_written() -> None:
    smiles = "O=C(O)C1=CN(C2CC2)c2cc(N3CCNCC3)c(F)cc2C1=O"
    mol = Chem.MolFromSmiles(smiles)
    rows = [ionization([Chem.MolFromSmiles(Chem.MolToSmiles(mol, doRandom=True))])[0] for _ in range(10)]
    assert np.ptp(rows, axis=0).max() == 0


def test_many_charges_stay_finite() -> None:
    acid = values("OC(=O)" + "CC(C(=O)O)" * 20)
    assert acid["log_neutral"] == LEAST_NEUTRAL
    assert all(np.isfinite(list(acid.values())))
