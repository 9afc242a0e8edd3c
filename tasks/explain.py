"""What each atom adds to a prediction, and whether the walks agree on it.

An atom's contribution is the prediction less the prediction of the molecule without that atom (its bonds
cut, its place taken by hydrogens), walk by walk. The whole molecule goes through the model's own featurizers
both times, so it works for hashed counts and for descriptors alike, where taking bits out of a fingerprint
does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase

from manywalks.tasks import draw, files
from manywalks.tasks.calibrate import Calibration
from manywalks.tasks.charts import number
from manywalks.tasks.features import Features
from manywalks.tasks.featurize import featurize
from manywalks.tasks.params_data import CurateParams
from manywalks.tasks.params_model import FeatureBlock
from manywalks.tasks.standardize import standardize_smiles

# an atom is trusted where its mean is this many standard deviations (of single walks) from 0 ...
SURE = 2.0
# ... and this share of the walks agrees on the sign
AGREEMENT = 0.9


class Walks(Protocol):
    """All replicates at once."""

    def predict(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> (m, n, t) in endpoint units."""
        ...


class Scaler(Protocol):
    """From raw features to those that the walks take."""

    def transform(self, features: Features) -> Features:
        """Raw features (n, d) -> scaled ones."""
        ...


class Model(Protocol):
    """What of an Ensemble an explanation needs."""

    @property
    def about(self) -> dict[str, Any]:
        """The manifest."""
        ...

    @property
    def scaler(self) -> Scaler:
        """From raw features to those that the walks take."""
        ...

    @property
    def predictor(self) -> Walks:
        """All replicates at once."""
        ...

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """By endpoint: what makes of a class's probability the one that is handed out."""
        ...

    def predict_features(self, features: Features) -> pd.DataFrame:
        """What `manywalks score` says of molecules, from their raw features."""
        ...


@dataclass(frozen=True)
class Explanation:
    """Atom by atom, what the walks make of one molecule of a atoms.

    Attributes:
        smiles: of the standardized molecule; atoms are numbered in its order.
        endpoints: names (t,).
        units: of the endpoints (t,); "" for a class, whose contributions are in probability.
        kinds: "regression" or "classification" (t,).
        predictions: (m, t) of the walks, in endpoint units; of a class, calibrated probabilities.
        contributions: (m, a, t), on the same scale; NaN where the molecule without the atom is none.
        said: what `manywalks score` says of the molecule, by column.
        coverage: of the intervals in `said`.
    """

    smiles: str
    endpoints: tuple[str, ...]
    units: tuple[str, ...]
    kinds: tuple[str, ...]
    predictions: np.ndarray
    contributions: np.ndarray
    said: dict[str, Any]
    coverage: float

    def headline(self, endpoint: str | None = None) -> tuple[str, str]:
        """The prediction with its interval, as `manywalks score` says it; spread and domain."""
        name = self.endpoints[self._column(endpoint)]
        unit, kind = self.units[self._column(endpoint)], self.kinds[self._column(endpoint)]
        value, spread, low, high = (
            float(self.said[column]) for column in (name, f"{name}:spread", f"{name}:low", f"{name}:high")
        )
        ends = f"{number(low, 3)} to {number(high, 3)}"
        share = f"{100 * self.coverage:g} %"
        if kind == "classification":
            first = f"{name}: probability {number(value, 3)} of class 1, {share} of single walks {ends}"
        else:
            first = f"{name} {number(value, 3)} {unit}".rstrip() + f", {share} interval {ends}"
        near = float(self.said["similarity"])
        where = "inside" if self.said["in_domain"] else "outside"
        nearest = "" if np.isnan(near) else f" (similarity {number(near, 2)})"
        return first, f"SD of single walks {number(spread, 2)}; {where} the domain{nearest}"

    def legend(self, endpoint: str | None = None) -> str:
        """What the columns of `atoms` mean."""
        column = self._column(endpoint)
        unit = "probability" if self.kinds[column] == "classification" else self.units[column]
        return (
            "contribution: the prediction less that of the molecule without the atom, mean over walks"
            + (f", in {unit}" if unit else "")
            + "; spread: its standard deviation over single walks; agreement: share of walks with the mean's "
            f"sign; trusted: {SURE:g} spreads or more from zero, and agreement of {AGREEMENT:g} or more"
        )

    def atoms(self, endpoint: str | None = None) -> pd.DataFrame:
        """A row an atom, for one endpoint (the first where None).

        Columns: atom (number), symbol, contribution (mean over walks), spread (SD over walks), agreement
        (share of walks with the mean's sign), trusted.
        """
        walks = self.contributions[:, :, self._column(endpoint)]
        mean, spread = walks.mean(axis=0), walks.std(axis=0, ddof=1)
        agreement = np.where(np.isnan(mean), np.nan, (np.sign(walks) == np.sign(mean)).mean(axis=0))
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

    def _column(self, endpoint: str | None) -> int:
        """The endpoint's place."""
        if endpoint is None:
            return 0
        if endpoint not in self.endpoints:
            raise ValueError(
                f"endpoint: {endpoint!r} is none of the model's; {', '.join(self.endpoints)} are"
            )
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
    features = featurize(unique, blocks)
    walks = model.predictor.predict(model.scaler.transform(features)).astype(np.float64)
    endpoints = params["data"]["endpoints"]
    for column, name in enumerate(endpoints):
        walks[:, :, column] = model.calibrations[name].handed_out(walks[:, :, column])
    return Explanation(
        smiles=standard.smiles,
        endpoints=tuple(endpoints),
        units=tuple("" if e["kind"] == "classification" else e["unit"] for e in endpoints.values()),
        kinds=tuple(e["kind"] for e in endpoints.values()),
        predictions=walks[:, 0],
        contributions=_contributions(walks, [None if p is None else unique.index(p) for p in parts]),
        said=model.predict_features(features.take(np.array([0]))).to_dict("records")[0],
        coverage=params["evaluate"]["coverage"],
    )


def _contributions(walks: np.ndarray, places: Sequence[int | None]) -> np.ndarray:
    """(m, n, t) predictions, whole molecule first, and where each atom's remainder is -> (m, a, t)."""
    nothing = np.full((len(walks), walks.shape[2]), np.nan)
    without = [nothing if place is None else walks[:, place] for place in places]
    return walks[:, :1] - np.stack(without, axis=1)


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


def svg(explanation: Explanation, endpoint: str | None = None) -> str:
    """The molecule with each atom's contribution as a disc: its size and colour, or an open ring.

    Orange adds to the prediction, blue takes from it, on one scale; an open dashed ring is an atom whose sign
    is not to be trusted, since single walks differ about it or about its size.
    """
    if reason := draw.why_not():
        raise ValueError(reason)
    column = explanation._column(endpoint)
    atoms = explanation.atoms(endpoint)
    drawn = draw.draw_mol(Chem.MolFromSmiles(explanation.smiles))
    most = float(np.nanmax(np.abs(atoms["contribution"].to_numpy()), initial=0.0)) or 1.0
    discs = "".join(
        _disc(place, row, most) for place, row in zip(drawn.atoms, atoms.to_dict("records"), strict=True)
    )
    unit = explanation.units[column]
    return _page(
        explanation.headline(endpoint), discs, drawn.inside, _legend(atoms, most, unit), explanation.smiles
    )


def check_svg(path: Path) -> None:
    """A picture of another format would be an SVG under a false name."""
    if path.suffix.lower() != ".svg":
        raise ValueError(f"{path}: {path.suffix!r} is no format of explanations; end it in .svg")


def write_svg(explanation: Explanation, path: Path, endpoint: str | None = None) -> None:
    """Write the drawing as one SVG file."""
    check_svg(path)
    files.write_text(path, svg(explanation, endpoint) + "\n")


def _disc(place: tuple[float, float], row: dict[Any, Any], most: float) -> str:
    """One atom's mark, with its numbers for a pointer that rests on it."""
    x, y = place
    value = row["contribution"]
    if np.isnan(value):
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" class="doubt"><title>not known</title></circle>'
    radius = 7 + 17 * (abs(value) / most) ** 0.5
    sure = "more" if value > 0 else "less" if value < 0 else "nothing"
    kind = sure if row["trusted"] else "doubt"
    words = (
        f"{row['symbol']}{row['atom']}: {value:+.3g}, SD of single walks {row['spread']:.2g}; "
        f"{100 * row['agreement']:.0f} % of walks agree on the sign"
    )
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="{kind}"><title>{words}</title></circle>'
    )


def _legend(atoms: pd.DataFrame, most: float, unit: str) -> str:
    """What the marks mean."""
    doubtful = int((~atoms["trusted"].to_numpy(dtype=bool)).sum())
    entries = (
        ("more", 12, 28, "adds"),
        ("less", 84, 28, "takes away"),
        ("", 190, 28, f"largest disc, of either sign: {number(most, 2)} {unit}".rstrip()),
        ("doubt", 12, 54, f"not to be trusted ({doubtful} of {len(atoms)} atoms): less than {SURE:g} SD of"),
        (
            "",
            12,
            74,
            f"single walks from zero, or fewer than {100 * AGREEMENT:g} % of them agree on the sign",
        ),
    )
    return "".join(
        (f'<circle cx="{x}" cy="{draw.HEIGHT + y - 5}" r="8" class="{kind}"/>' if kind else "")
        + f'<text x="{x + 14}" y="{draw.HEIGHT + y}">{escape(text)}</text>'
        for kind, x, y, text in entries
    )


def _page(titles: tuple[str, str], discs: str, inside: str, legend: str, smiles: str) -> str:
    """The whole SVG."""
    style = (
        "svg{background:#fff;color:#1c2127}"
        ".more{fill:#e69f00;fill-opacity:.75}.less{fill:#56b4e9;fill-opacity:.75}"
        ".nothing{fill:#fff;fill-opacity:0}"
        ".doubt{fill:none;stroke:#59636e;stroke-width:1.6;stroke-dasharray:4 3}"
        "text.h,.k text{font:14px Helvetica,Arial,sans-serif;fill:#1c2127}"
        "text.h{font-weight:bold;font-size:16px}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-24 -56 {draw.WIDTH + 48} {draw.HEIGHT + 142}" '
        f'width="640" role="img" aria-label="Atom contributions of {escape(smiles)}">'
        f"<style>{style}{draw.STYLE}</style>"
        f'<text class="h" x="0" y="-34">{escape(titles[0])}</text>'
        f'<g class="k"><text x="0" y="-14">{escape(titles[1])}</text></g>{discs}<g class="mol">{inside}</g>'
        f'<g class="k">{legend}</g></svg>'
    )
