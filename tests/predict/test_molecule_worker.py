"""A molecule that standardizing has read is featurized as if it were read anew."""

import numpy as np
import pytest

from manywalks.chemistry.standardize import standardize_and_read
from manywalks.featurize.molecule import Failure, featurize_molecule
from manywalks.params.sections.curate import CurateParams
from manywalks.params.sections.model import FeatureBlock
from tests.support.molecules import DRUGS

KINDS = (
    "morgan_count", "morgan_feature_count", "erg", "atom_pair_count", "torsion_count", "avalon_count",
    "maccs", "rdkit_path_count", "rdkit2d", "ionization",
)  # fmt: skip
BLOCKS = [FeatureBlock.model_validate({"kind": kind}) for kind in KINDS]


@pytest.mark.parametrize("written", ["as they are", "canonical"])
def test_what_standardizing_has_read_has_the_same_features(written, demo_table):
    curate = CurateParams()
    known = 0
    for text in [*DRUGS, *demo_table["smiles"].iloc[::40]]:
        standard, mol = standardize_and_read(text, curate)
        if written == "canonical" and standard.smiles is not None:
            standard, mol = standardize_and_read(standard.smiles, curate)
        if standard.smiles is None or mol is None:
            continue
        known += 1
        reused = featurize_molecule(standard.smiles, BLOCKS, mol=mol)
        anew = featurize_molecule(standard.smiles, BLOCKS)
        assert not isinstance(reused, Failure)
        assert not isinstance(anew, Failure)
        for one, other in zip(reused, anew, strict=True):
            np.testing.assert_array_equal(one, other, standard.smiles)
    assert known > 20
