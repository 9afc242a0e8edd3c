"""What a SMILES says of its atoms: elements, metals, counter-ions; read off the text, without a molecule."""

import re

# bound to N, O, S or a halogen, these are counter-ions that were drawn with a bond
SALT_METALS = frozenset({"Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Zn", "Al"})
SALT_METAL_SMARTS = f"[{','.join(sorted(SALT_METALS))}]"
# germanium, arsenic, selenium and tellurium stand in covalent drugs and probes: no metals here
NONMETALS = frozenset({
    "H", "He", "B", "C", "N", "O", "F", "Ne", "Si", "P", "S", "Cl", "Ar",
    "Ge", "As", "Se", "Br", "Kr", "Te", "I", "Xe", "At", "Rn", "*",
})  # fmt: skip
# of ionic liquids and of peptide coupling: not in ChEMBL's list of salts, or not survived by its uncharging
COUNTER_IONS = frozenset(
    {
        "F[P-](F)(F)(F)(F)F",
        "F[As-](F)(F)(F)(F)F",
        "F[Sb-](F)(F)(F)(F)F",
        "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
        "N#CN=C=[N-]",
        "N#C[N-]C#N",
    }
)
_ATOM = re.compile(r"\[\d*([A-Z][a-z]?|[a-z]{1,2}|\*)|(Br|Cl|[BCNOPSFI*bcnops])")


def without_ions(smiles: str) -> str:
    """A salt without the counter-ions that the pipeline does not know; they alone stay as they are."""
    if "." not in smiles:
        return smiles
    return ".".join(part for part in smiles.split(".") if part not in COUNTER_IONS) or smiles


def elements(smiles: str) -> list[str]:
    """The element symbol of each atom that a SMILES writes, hydrogens in brackets excepted."""
    return [(inside or outside).capitalize() for inside, outside in _ATOM.findall(smiles)]


def metals_of(smiles: str) -> set[str]:
    """The metals that a SMILES writes; they always stand in brackets."""
    return set(elements(smiles)) - NONMETALS if "[" in smiles else set()
