"""Featurizers: against RDKit one molecule at a time, published values, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import Descriptors, MACCSkeys, rdFingerprintGenerator, rdReducedGraphs

from manywalks.featurize import featurize as module
from manywalks.featurize.featurize import featurize
from manywalks.params.model import FeatureBlock, FeaturizeParams

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
CAFFEINE = "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
MOLECULES = [
    ASPIRIN, CAFFEINE, "C", "[Na+].[Cl-]", "c1ccccc1", "C[C@H](N)C(=O)O", "OC(=O)c1ccccc1O", "[2H]C([2H])Cl",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "F[Si](F)(F)F", "O=C1CCCN1", "C#N",
]  # fmt: skip
HASHED = ("morgan_count", "morgan_feature_count", "atom_pair_count", "torsion_count", "rdkit_path_count")


def block(kind: str, **settings: int) -> FeatureBlock:
    return FeatureBlock.model_validate({"kind": kind, **settings})


def slow_row(kind: str, mol: Chem.Mol) -> np.ndarray:
    """A fingerprint by RDKit's own conversion to an array."""
    if kind == "maccs":
        return np.array(list(MACCSkeys.GenMACCSKeys(mol)), dtype=float)  # pyright: ignore
    if kind == "avalon_count":
        counts = pyAvalonTools.GetAvalonCountFP(mol, nBits=512)
        return np.array([counts[i] for i in range(512)], dtype=float)
    if kind == "erg":
        return np.asarray(rdReducedGraphs.GetErGFingerprint(mol))
    roles = rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
    generator = {
        "morgan_feature_count": lambda: rdFingerprintGenerator.GetMorganGenerator(
            3, fpSize=512, atomInvariantsGenerator=roles
        ),
        "morgan_count": lambda: rdFingerprintGenerator.GetMorganGenerator(3, fpSize=512),
        "morgan_bits": lambda: rdFingerprintGenerator.GetMorganGenerator(3, fpSize=512),
        "atom_pair_count": lambda: rdFingerprintGenerator.GetAtomPairGenerator(fpSize=512),
        "torsion_count": lambda: rdFingerprintGenerator.GetTopologicalTorsionGenerator(fpSize=512),
        "rdkit_path_count": lambda: rdFingerprintGenerator.GetRDKitFPGenerator(fpSize=512),
    }[kind]()
    if kind == "morgan_bits":
        return generator.GetFingerprintAsNumPy(mol).astype(float)
    return generator.GetCountFingerprintAsNumPy(mol).astype(float)


@pytest.mark.parametrize("kind", [*HASHED, "morgan_bits", "maccs", "avalon_count", "erg"])
def test_fingerprints_equal_rdkits_arrays(kind):
    features = featurize(MOLECULES, [block(kind, radius=3, n_bits=512)])
    slow = np.stack([slow_row(kind, Chem.MolFromSmiles(smiles)) for smiles in MOLECULES])
    np.testing.assert_allclose(features.matrix(), slow, rtol=1e-6)
    assert features.counts.has_canonical_format
    assert features.width == len(features.names) == slow.shape[1]


def test_rdkit2d_equals_rdkits_functions():
    features = featurize(MOLECULES, [block("rdkit2d")])
    assert features.names == tuple(f"rdkit2d:{name}" for name, _ in Descriptors._descList)
    for smiles, row in zip(MOLECULES, features.dense, strict=True):
        slow = np.array([function(Chem.MolFromSmiles(smiles)) for _, function in Descriptors._descList])
        np.testing.assert_allclose(row, np.where(np.isfinite(slow), slow, np.nan), rtol=1e-6)


@pytest.mark.parametrize(
    ("smiles", "name", "value"),
    [
        (ASPIRIN, "MolWt", 180.159),
        (ASPIRIN, "TPSA", 63.60),  # Ertl, Rohde and Selzer 2000
        (ASPIRIN, "NumHDonors", 1),
        (CAFFEINE, "MolWt", 194.19),
        (CAFFEINE, "TPSA", 61.82),
        ("c1ccccc1", "MolLogP", 1.6866),  # Wildman and Crippen 1999, as RDKit gives it
        ("c1ccccc1", "MolMR", 26.442),
    ],
)
def test_published_descriptor_values(smiles, name, value):
    features = featurize([smiles], [block("physchem")])
    assert features.dense[0, features.names.index(f"physchem:{name}")] == pytest.approx(value, abs=6e-3)


def test_missing_descriptor_is_nan_and_overflow_stays_finite():
    long_chain = "C" * 180
    features = featurize(["[Na+].[Cl-]", long_chain], [block("rdkit2d")])
    ipc = features.dense[:, features.names.index("rdkit2d:Ipc")]
    assert not np.isinf(features.dense).any()
    assert ipc[1] == pytest.approx(1e30)
    assert np.isnan(featurize(["[Pu]"], [block("rdkit2d")]).dense).any()


@given(st.permutations(range(len(MOLECULES))))
@settings(max_examples=10, deadline=None)
def test_row_order_does_not_matter(order):
    blocks = [block("morgan_count"), block("physchem")]
    here = featurize([MOLECULES[row] for row in order], blocks)
    there = featurize(MOLECULES, blocks).take(np.array(order))
    np.testing.assert_array_equal(here.matrix(), there.matrix())


def test_processes_give_what_one_process_gives(monkeypatch):
    blocks = FeaturizeParams.model_validate({}).blocks
    alone = featurize(MOLECULES * 4, blocks)
    monkeypatch.setattr(module, "PROCESSES_PAY", 0)
    monkeypatch.setattr(module, "LOT", 10)
    seen = []
    together = featurize(
        MOLECULES * 4, blocks, cores=2, progress=lambda done, all_: seen.append((done, all_))
    )
    np.testing.assert_array_equal(together.matrix(), alone.matrix())
    assert seen[-1] == (len(alone), len(alone)) and len(seen) > 2


def test_blocks_stand_in_order_sparse_before_dense():
    blocks = [block("physchem"), block("maccs"), block("morgan_count", radius=1, n_bits=64)]
    features = featurize([ASPIRIN], blocks)
    assert features.names[0] == "maccs:0"
    assert features.names[167] == "morgan1_64_count:0"
    assert features.names[167 + 64] == "physchem:MolWt"
    assert features.counts.shape == (1, 231) and features.dense.shape == (1, 17)


def test_no_molecules_give_an_empty_matrix():
    features = featurize([], [block("morgan_count"), block("rdkit2d")])
    assert features.matrix().shape == (0, 1024 + len(Descriptors._descList))


@pytest.mark.parametrize(("smiles", "why"), [("C1CC", "cannot parse 'C1CC'"), ("", "no atoms in ''")])
def test_a_bad_smiles_names_its_row(smiles, why, capfd):
    with pytest.raises(ValueError, match=f"row 2: .*{why}"):
        featurize(["C", "CC", smiles], [block("maccs")])
    assert capfd.readouterr().err == ""


def test_the_same_block_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        featurize(["C"], [block("erg"), block("erg")])
    assert featurize(["C"], [block("morgan_count", radius=1), block("morgan_count")]).width == 2048


def test_conformers_follow_from_the_seed_alone():
    smiles = [CAFFEINE, "CCCCCCC(=O)NCCO", "[Na+].[Cl-]"]
    first = featurize(smiles, [block("conformer3d")], seed=1)
    again = featurize(smiles[::-1], [block("conformer3d")], seed=1)
    other = featurize(smiles, [block("conformer3d")], seed=2)
    np.testing.assert_array_equal(first.dense, again.dense[::-1])
    assert not np.array_equal(first.dense[1], other.dense[1])
    pbf = first.dense[0, first.names.index("conformer3d:NPR1")]
    assert 0 < pbf < 1


def test_flat_ring_has_no_thickness():
    features = featurize(["c1ccccc1"], [block("conformer3d")])
    values = dict(zip(features.names, features.dense[0], strict=True))
    assert values["conformer3d:PBF"] == pytest.approx(0, abs=0.02)
    # a disc: both smaller normalized moments are one half (Sauer and Schwarz 2003)
    assert values["conformer3d:NPR1"] == pytest.approx(0.5, abs=0.01)
    assert values["conformer3d:NPR2"] == pytest.approx(0.5, abs=0.01)
