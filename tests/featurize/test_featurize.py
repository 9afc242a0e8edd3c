"""Featurizers: against RDKit one molecule at a time, published values, and what must not matter."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import Descriptors, MACCSkeys, rdFingerprintGenerator, rdReducedGraphs

from manywalks.featurize import featurize as module
from manywalks.featurize.failures import failure_table
from manywalks.featurize.featurize import featurize, featurize_each
from manywalks.featurize.molecule import Failure, FeatureRow, featurize_molecule
from manywalks.params.sections.families import families_of
from manywalks.params.sections.model import FeatureBlock, FeaturizeParams
from manywalks.split.split import split_molecules

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


# RDKit needs seconds to find coordinates for a ring of 139 atoms
SLOW = "C1" + "C" * 138 + "1"


@pytest.mark.parametrize("cores", [1, 2])
def test_a_molecule_that_takes_too_long_costs_its_own_row(cores):
    blocks = [block("morgan_count", n_bits=64), block("conformer3d")]
    found = featurize_each([ASPIRIN, SLOW, CAFFEINE], blocks, cores=cores, limit=1.5, always_workers=True)
    assert found.failures == {1: Failure("timeout", "featurizing took longer than 1.5 s (curate.time_limit)")}
    matrix = found.features.matrix()
    np.testing.assert_array_equal(matrix[[0, 2]], featurize([ASPIRIN, CAFFEINE], blocks).matrix())
    assert found.features.counts[1].nnz == 0 and np.isnan(found.features.dense[1]).all()


@pytest.mark.parametrize("always_workers", [False, True])
def test_a_bad_smiles_costs_its_own_row(always_workers):
    found = featurize_each(["C", "C1CC", "CC"], [block("maccs")], always_workers=always_workers)
    assert found.failures == {1: Failure("failed", "RDKit cannot parse 'C1CC'; curate the table first")}


def test_a_row_is_the_same_after_its_way_as_bytes():
    row = featurize_molecule(ASPIRIN, FeaturizeParams.model_validate({}).blocks)
    assert isinstance(row, FeatureRow)
    for before, after in zip(row, FeatureRow.from_bytes(row.to_bytes()), strict=True):
        np.testing.assert_array_equal(before, after)


def test_failures_are_listed_by_their_record():
    curated = pd.DataFrame({"record": [1, 4, 9], "id": ["a", "b", "c"], "smiles": ["C", "CC", "CCC"]})
    table = failure_table(curated, {1: Failure("timeout", "too long")})
    assert table.to_dict("list") == {
        "row": [4], "id": ["b"], "smiles": ["CC"], "reason": ["timeout"], "detail": ["too long"]
    }  # fmt: skip


def test_a_table_without_any_features_is_refused():
    curated = pd.DataFrame({"record": [1], "id": ["a"], "smiles": ["C"]})
    with pytest.raises(ValueError, match="none of the 1 molecules has features; the first is 'C': failed: x"):
        failure_table(curated, {0: Failure("failed", "x")})


def test_the_pipeline_leaves_a_molecule_without_features_out_of_every_subset(small):
    from manywalks.tasks import curate, featurize, split
    from manywalks.train.prepare import read_prepared
    from manywalks.workspace import Workspace

    table = pd.read_csv(small / "table.csv")
    table.loc[3, "smiles"] = SLOW
    table.to_csv(small / "table.csv", index=False)
    params = (small / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("{kind: physchem}", "{kind: conformer3d}").replace(
        "curate: {}", "curate: {time_limit: 2}"
    )
    (small / "params.yaml").write_text(params, encoding="utf-8")
    workspace = Workspace.open(small)
    for step in (curate, featurize, split):
        step.run(workspace)
    listed = pd.read_csv(workspace.not_featurized)
    assert listed[["row", "reason"]].to_numpy().tolist() == [[4, "timeout"]]
    curated = pd.read_parquet(workspace.curated)
    subsets = pd.read_parquet(workspace.split)["subset"].to_numpy()
    assert (subsets == "").tolist() == (curated["smiles"] == SLOW).tolist()
    drawn = split_molecules(curated, workspace.params.split)
    assert (subsets == drawn)[subsets != ""].all()
    problem = read_prepared(workspace, families_of(workspace.params)[0]).problem
    place = int(np.flatnonzero(subsets == "")[0])
    assert place not in {*problem.train, *problem.valid, *problem.predict}


def test_avalon_counts_do_not_depend_on_a_drawing(demo_table):
    """RDKit's own call draws a molecule first; ours does not."""
    stereo = [
        "C[C@H](N)C(=O)O", "F/C=C/Cl", "C[C@@]12CCCC1[C@H](O)CC2", "CC=CC", "[O-][n+]1ccccc1", "[Na+].[Cl-]",
    ]  # fmt: skip
    for smiles in [*MOLECULES, *stereo, *demo_table["smiles"].iloc[::25]]:
        mol = Chem.MolFromSmiles(smiles)
        found = featurize_molecule(smiles, [block("avalon_count")])
        assert isinstance(found, FeatureRow)
        expected = pyAvalonTools.GetAvalonCountFP(mol, nBits=1024).GetNonzeroElements()
        assert dict(zip(found.columns.tolist(), found.values.tolist(), strict=True)) == expected, smiles
        assert mol.GetNumConformers() == 0
