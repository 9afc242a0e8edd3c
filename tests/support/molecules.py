"""Molecules for property tests: real ones, written in every way."""

from hypothesis import strategies as st
from rdkit import Chem

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "C[C@@H](C(=O)O)N", "O=C1NC(=O)C=C1", "CN(C)CCc1c[nH]c2ccccc12", "[Na+].[O-]C(=O)c1ccccc1O",
    "Cl.CN(C)CCCN1c2ccccc2Sc2ccccc21", "OC(=O)/C=C/C(=O)O", "CS(=O)(=O)c1ccc(cc1)C1=C(C(=O)OC1)c1ccccc1",
    "C[N+](C)(C)CCO.[Cl-]", "CC(=O)O[Na]", "N(=O)(=O)c1ccc(Cl)cc1", "CS(C)=O", "c1ccc2c(c1)[nH]nn2",
    "Oc1ncnc2[nH]cnc12", "CC(O)=CC(C)=O", "[NH3+]CC([O-])=O", "F/C=C\\F", "C1CC[C@H]2CCCC[C@@H]2C1",
    "CCO.O", "CCN.CCCCO", "[2H]C([2H])([2H])O", "C[Si](C)(C)C", "OB(O)c1ccccc1", "[O-][n+]1ccccc1",
    "CC1=CN=C(S1)N=C(N)N", "NC(=[NH2+])N.[Cl-]", "C[C@H](O)[C@H](N)C(=O)O.OC(=O)C(O)C(O)C(=O)O",
    "CC(=O)O[Zn]OC(C)=O", "O=[N+]([O-])O", "[Na+].[Cl-]", "C[Hg]C", "*CC*", "OC1=CC=CC=N1",
    "C[S@](=O)c1ccccc1",
    "CN=[N+]=[N-]", "C[N-][N+]#N", "[O-]P(=O)(O)OC[C@H]1O[C@H](C[C@@H]1O)n1cnc2c(N)ncnc12.[K+]",
]  # fmt: skip


@st.composite
def written_twice(draw: st.DrawFn) -> tuple[str, str]:
    """A SMILES and another way to write the same molecule."""
    smiles = draw(st.sampled_from(DRUGS))
    mol = Chem.MolFromSmiles(smiles)
    order = draw(st.permutations(range(mol.GetNumAtoms())))
    shuffled = Chem.RenumberAtoms(mol, list(order))
    kekulized = draw(st.booleans())
    if kekulized:
        Chem.Kekulize(shuffled, clearAromaticFlags=True)
    explicit = draw(st.booleans())
    return smiles, Chem.MolToSmiles(shuffled, canonical=False, kekuleSmiles=kekulized, allHsExplicit=explicit)
