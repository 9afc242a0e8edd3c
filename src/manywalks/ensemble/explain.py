"""What each atom adds to a prediction, and whether the replicates agree on it.

An atom's contribution is the prediction less the prediction of the molecule without that atom (its bonds
cut, its place taken by hydrogens), replicate by replicate. The whole molecule goes through the model's own
featurizers both times, so it works for hashed counts and for descriptors alike, where taking bits out of a
fingerprint does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase

from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.formatting import number
from manywalks.params.sections.curate import CurateParams
from manywalks.params.sections.model import FeatureBlock

# an atom is trusted where its mean is this many standard deviations (of single replicates) from 0 ...
SURE = 2.0
# ... and this share of the replicates agrees on the sign
AGREEMENT = 0.9


class Model(Protocol):
    """What of an Ensemble an explanation needs."""

    @property
    def about(self) -> dict[str, Any]:
        """The manifest."""
        ...

    @property
    def domain(self) -> Domain:
        """What the training molecules looked like."""
        ...

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """By endpoint: what makes of a class's probability the one that is handed out."""
        ...

    def replicates(self, features: Features) -> np.ndarray:
        """Each replicate's predictions of n molecules from their raw features: (m, n, t)."""
        ...

    def predict_features(self, features: Features) -> pd.DataFrame:
        """What `manywalks predict` says of molecules, from their raw features."""
        ...


@dataclass(frozen=True)
class Explanation:
    """Atom by atom, what the replicates make of one molecule of a atoms.

    Attributes:
        smiles: of the standardized molecule; atoms are numbered in its order.
        endpoints: names (t,).
        units: of the endpoints (t,); "" for a class, whose contributions are in probability.
        kinds: "regression" or "classification" (t,).
        predictions: (m, t) of the replicates, in endpoint units; of a class, calibrated probabilities.
        contributions: (m, a, t), on the same scale; NaN where nothing valid is left without the atom.
        said: what `manywalks predict` says of the molecule, by column.
        coverage: of the intervals in `said`.
        least_similarity: to the nearest training molecule, of a molecule within the domain.
        class_1: by endpoint, what the training table calls the class 1 (Yes where it is not known).
    """

    smiles: str
    endpoints: tuple[str, ...]
    units: tuple[str, ...]
    kinds: tuple[str, ...]
    predictions: np.ndarray
    contributions: np.ndarray
    said: dict[str, Any]
    coverage: float
    least_similarity: float
    class_1: dict[str, str] = field(default_factory=dict)

    def headline(self, endpoint: str | None = None) -> tuple[str, str]:
        """The prediction with its interval, as `manywalks predict` says it; spread and domain."""
        name = self.endpoints[self.column(endpoint)]
        unit, kind = self.units[self.column(endpoint)], self.kinds[self.column(endpoint)]
        value, spread, low, high = (
            float(self.said[column]) for column in (name, f"{name}:spread", f"{name}:low", f"{name}:high")
        )
        ends = f"{number(low, 3)} to {number(high, 3)}"
        share = f"{100 * self.coverage:g} %"
        if kind == "classification":
            word = self.class_1.get(name, "Yes")
            first = (
                f"{name}: probability of {word}: {number(value, 3)}; {share} of single replicates give {ends}"
            )
        else:
            first = f"{name} {number(value, 3)} {unit}".rstrip() + f", {share} interval {ends}"
        near = float(self.said["similarity"])
        where = "inside the domain" if self.said["in_domain"] else "outside the domain"
        if not self.said["in_domain"] and not near < self.least_similarity:
            where += " by its descriptors"
        nearest = "" if np.isnan(near) else f" (similarity {number(near, 2)})"
        return first, f"SD of single replicates {number(spread, 2)}; {where}{nearest}"

    def _repr_html_(self) -> str:
        """What a notebook shows: for each endpoint the headline and the table of atoms."""
        parts = []
        for name in self.endpoints:
            first, second = self.headline(name)
            atoms = self.atoms(name).to_html(index=False, float_format="{:.3g}".format, border=0)
            parts.append(f"<p><b>{escape(first)}</b><br>{escape(second)}</p>{atoms}")
        return f"<p>{escape(self.smiles)}</p>{''.join(parts)}"

    def legend(self, endpoint: str | None = None) -> str:
        """What the columns of `atoms` mean."""
        column = self.column(endpoint)
        unit = "probability" if self.kinds[column] == "classification" else self.units[column]
        return (
            "contribution: the prediction minus that of the molecule without the atom, mean over replicates"
            + (f", in {unit}" if unit else "")
            + "; spread: its standard deviation over single replicates; agreement: share of replicates with "
            f"the sign of the mean; trusted: at least {SURE:g} spreads from zero, and agreement of at least "
            f"{AGREEMENT:g}"
        )

    def atoms(self, endpoint: str | None = None) -> pd.DataFrame:
        """One row per atom, for one endpoint (the first where None).

        Columns: atom (number), symbol, contribution (mean over replicates), spread (SD over replicates),
        agreement (share of replicates with the mean's sign), trusted.
        """
        replicates = self.contributions[:, :, self.column(endpoint)]
        mean, spread = replicates.mean(axis=0), replicates.std(axis=0, ddof=1)
        agreement = np.where(np.isnan(mean), np.nan, (np.sign(replicates) == np.sign(mean)).mean(axis=0))
        mol = Chem.MolFromSmiles(self.smiles)
        return pd.DataFrame(
            {
                "atom": np.arange(len(mean)),
                "symbol": [atom.GetSymbol() for atom in mol.GetAtoms()],
                "contribution": mean,
                "spread": spread,
                "agreement": agreement,
                "trusted": (np.abs(mean) >= SURE * spread) & (agreement >= AGREEMENT),
            }
        )

    def column(self, endpoint: str | None) -> int:
        """The endpoint's place."""
        if endpoint is None:
            return 0
        if endpoint not in self.endpoints:
            raise ValueError(f"endpoint: this model has no {endpoint!r}; it has {', '.join(self.endpoints)}")
        return self.endpoints.index(endpoint)


def explain(model: Model, smiles: str) -> Explanation:
    """Explain the prediction of one molecule.

    Raises:
        ValueError: the molecule is rejected by the model's curation; the line says why.
    """
    params = model.about["params"]
    standard = standardize_smiles([smiles], CurateParams.model_validate(params["curate"]))[0]
    if standard.smiles is None:
        raise ValueError(f"smiles: {smiles!r}: {standard.reason}: {standard.detail}")
    mol = Chem.MolFromSmiles(standard.smiles)
    parts = [without_atom(mol, index) for index in range(mol.GetNumAtoms())]
    unique = list(dict.fromkeys(part for part in [standard.smiles, *parts] if part is not None))
    blocks = [FeatureBlock.model_validate(block) for block in params["featurize"]["blocks"]]
    return explained(model, unique, parts, featurize(unique, blocks))


def explained(
    model: Model, unique: Sequence[str], parts: Sequence[str | None], features: Features
) -> Explanation:
    """Explain a molecule whose parts are featurized.

    Args:
        model: whose prediction is explained.
        unique: the standardized molecule, then the different ones among the parts.
        parts: what is left of the molecule without each atom; None where that is nothing valid.
        features: raw ones of `unique`.
    """
    params = model.about["params"]
    replicates = model.replicates(features).astype(np.float64)
    endpoints = params["data"]["endpoints"]
    places = [None if p is None else unique.index(p) for p in parts]
    for column, name in enumerate(endpoints):
        replicates[:, :, column] = model.calibrations[name].as_reported(replicates[:, :, column])
    return Explanation(
        smiles=unique[0],
        endpoints=tuple(endpoints),
        units=tuple("" if e["kind"] == "classification" else e["unit"] for e in endpoints.values()),
        kinds=tuple(e["kind"] for e in endpoints.values()),
        predictions=replicates[:, 0],
        contributions=_contributions(replicates, places),
        said=model.predict_features(features.take(np.array([0]))).to_dict("records")[0],
        coverage=params["evaluate"]["coverage"],
        least_similarity=model.domain.similarity_threshold,
        class_1={name: words[1] for name, words in model.about.get("labels", {}).items()},
    )


def _contributions(replicates: np.ndarray, places: Sequence[int | None]) -> np.ndarray:
    """(m, n, t) predictions, whole molecule first, and where each atom's remainder is -> (m, a, t)."""
    nothing = np.full((len(replicates), replicates.shape[2]), np.nan)
    without = [nothing if place is None else replicates[:, place] for place in places]
    return replicates[:, :1] - np.stack(without, axis=1)


def without_atom(mol: Chem.Mol, index: int) -> str | None:
    """SMILES of what is left without an atom, hydrogens in its place; None where nothing valid is left."""
    left = Chem.RWMol(mol)
    with rdBase.BlockLogs():
        try:
            Chem.Kekulize(left, clearAromaticFlags=True)
            for neighbour in left.GetAtomWithIdx(index).GetNeighbors():
                # an atom written in brackets would become a radical instead of taking a hydrogen
                neighbour.SetNoImplicit(False)
                neighbour.SetNumRadicalElectrons(0)
            left.RemoveAtom(index)
            Chem.SanitizeMol(left)
        except (Chem.KekulizeException, Chem.MolSanitizeException):
            return None
        text = Chem.MolToSmiles(left)
        readable = left.GetNumAtoms() > 0 and Chem.MolFromSmiles(text) is not None
    return text if readable else None
