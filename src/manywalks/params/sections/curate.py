"""params.yaml, section curate: which records become molecules of the curated table."""

from typing import Annotated, Literal

from pydantic import Field

from manywalks.params.base import Count, Positive, Section


class CurateParams(Section):
    """How records become molecules: which are rejected, how structures and repeats are treated."""

    mixtures: Literal["reject", "largest", "keep"] = Field(
        default="reject",
        description="two or more different organic molecules left after salts and solvents are removed",
    )
    metals: Literal["reject", "keep"] = Field(
        default="reject",
        description="molecules with a metal after salts are removed (organometallics, complexes)",
    )
    inorganics: Literal["reject", "keep"] = Field(
        default="reject", description="molecules without a carbon atom"
    )
    polymers: Literal["reject", "keep"] = Field(
        default="reject", description="structures with undefined atoms (*), attachment points or repeat units"
    )
    isotopes: Literal["drop", "keep", "reject"] = Field(
        default="drop",
        description="isotope labels (2H, 14C): drop turns the molecule into its unlabelled parent",
    )
    stereo: Literal["keep", "drop", "flag", "reject"] = Field(
        default="keep",
        description="keep or drop all stereochemistry; or flag (in the column `flags`) or reject molecules "
        "with an unspecified stereocentre or double bond",
    )
    tautomers: Literal["keep", "canonical"] = Field(
        default="keep",
        description="keep molecules as drawn, or use RDKit's canonical tautomer (takes four times as long)",
    )
    max_tautomers: Count = Field(
        default=200,
        description="for tautomers: canonical: a molecule with more tautomers is kept as drawn and flagged",
    )
    max_atoms: Count = Field(default=150, description="molecules with more heavy atoms are rejected")
    time_limit: Positive = Field(
        default=10.0, description="a molecule that takes more seconds to standardize is rejected"
    )
    max_rejected: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.8,
        description="the run stops if one reason takes a larger share of an endpoint's values and leaves "
        "fewer than 50 molecules: a unit written wrong, say; 1 never stops it",
    )
    merge: Literal["median", "mean", "tobit"] = Field(
        default="median",
        description="how repeated measurements become one value; tobit: where limits (>100) and values "
        "meet, the most likely mean, given the noise of the assay",
    )
    spread: Literal["flag", "reject"] = Field(
        default="flag",
        description="repeats further apart than the endpoint's spread_limit: flag or reject the molecule",
    )
