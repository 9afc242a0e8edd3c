"""Atom contributions: exact where the model is a known function of the atoms."""

import dataclasses
import html
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rdkit import Chem

from manywalks.cli.show.tables import atoms_table
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.explain import Explanation, explain, without_atom
from manywalks.ensemble.handed_out import Settings, report_endpoint
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.features import Features
from manywalks.params.load import parse_params
from manywalks.report import drawing
from manywalks.report.explanations.explanation import picture, svg, write_picture
from manywalks.report.explanations.page import Explained, page

FACTORS = np.array([[1.0, 1.0], [1.1, -1.0], [0.9, 1.0], [1.0, -1.0]])  # (m, t)


@dataclass(frozen=True)
class Model:
    """What an explanation needs of an ensemble."""

    about: dict[str, Any]
    calibrations: dict[str, Calibration]
    domain: Domain

    def replicates(self, features: Features) -> np.ndarray:
        """They count N, O and S atoms, each with a factor of its own; in a class about one half."""
        column = features.names.index("physchem:NumHeteroatoms")
        counted = features.matrix()[None, :, column, None] * FACTORS[:, None, :]
        return counted * [1, 0.05] + [0, 0.5]

    def predict_features(self, features: Features) -> pd.DataFrame:
        """As an ensemble says it: the mean of the replicates, calibrated."""
        replicates = self.replicates(features)
        said: dict[str, Any] = {"similarity": [0.4], "in_domain": [False]}
        for column, (name, calibration) in enumerate(self.calibrations.items()):
            out = report_endpoint(
                calibration,
                replicates[:, :, column],
                replicates[:, :, column].mean(axis=0),
                Settings(0.9),
            )
            said |= {name: out.predicted, f"{name}:spread": out.spread}
            said |= {f"{name}:low": out.low, f"{name}:high": out.high}
        return pd.DataFrame(said)


@pytest.fixture(scope="module")
def model() -> Model:
    endpoints = {"sure": {"unit": "mg"}, "doubtful": {"kind": "classification"}}
    raw = {"data": {"path": "x.csv", "endpoints": endpoints}, "featurize": {"blocks": [{"kind": "physchem"}]}}
    calibrations = {
        "sure": Calibration("regression", 3, residual=0.5, scores=(0.4, 0.9, 1.7)),
        "doubtful": Calibration("classification", 50, slope=0.5),
    }
    about = {"params": parse_params(raw).model_dump(mode="json")}
    nothing = np.zeros(0)
    domain = Domain((), nothing, nothing, nothing, nothing, similarity_threshold=0.5, outside_threshold=0)
    return Model(about, calibrations, domain)


@pytest.fixture(scope="module")
def explained(model: Model) -> Explanation:
    return explain(model, "OCC(=O)NCc1ccncc1")


def test_each_heteroatom_contributes_its_own_count(explained: Explanation) -> None:
    atoms = explained.atoms("sure")
    expected = np.where(np.isin(atoms["symbol"].to_numpy(), ["N", "O"]), FACTORS[:, 0].mean(), 0.0)
    assert np.allclose(atoms["contribution"], expected)
    assert np.allclose(atoms["spread"], np.where(expected > 0, FACTORS[:, 0].std(ddof=1), 0), atol=1e-9)


def test_an_atom_whose_sign_depends_on_the_replicate_is_not_trusted(explained: Explanation) -> None:
    hetero = np.isin(explained.atoms("sure")["symbol"].to_numpy(), ["N", "O"])
    assert explained.atoms("sure")["trusted"].to_numpy()[hetero].all()
    assert not explained.atoms("doubtful")["trusted"].to_numpy()[hetero].any()


def test_contributions_are_per_replicate_and_endpoint(explained: Explanation) -> None:
    assert explained.contributions.shape == (4, Chem.MolFromSmiles(explained.smiles).GetNumAtoms(), 2)
    assert explained.units == ("mg", "")
    assert np.allclose(explained.predictions[:, 0], 4 * FACTORS[:, 0])


def test_a_class_is_explained_on_the_scale_that_score_gives(model: Model, explained: Explanation) -> None:
    """Contributions are differences of calibrated probabilities, and the headline is what score says."""
    map_ = model.calibrations["doubtful"].probability
    assert np.allclose(explained.predictions[:, 1], map_(0.5 + 0.2 * FACTORS[:, 1]))
    hetero = int(np.flatnonzero(explained.atoms("sure")["symbol"].to_numpy() == "N")[0])
    assert np.allclose(
        explained.contributions[:, hetero, 1],
        map_(0.5 + 0.2 * FACTORS[:, 1]) - map_(0.5 + 0.15 * FACTORS[:, 1]),
    )
    mean = float(map_(0.5 + 0.2 * FACTORS[:, 1].mean()))
    assert f"probability of Yes: {mean:.3g}" in explained.headline("doubtful")[0]


def test_the_headline_has_interval_unit_spread_and_domain(explained: Explanation) -> None:
    first, second = explained.headline("sure")
    assert first.startswith("sure 4 mg, 90 % interval ")
    assert second == "SD of single replicates 0.33; outside the domain (similarity 0.4)"


def test_a_similar_molecule_outside_the_domain_is_so_by_its_descriptors(explained: Explanation) -> None:
    _, second = dataclasses.replace(explained, least_similarity=0.4).headline("sure")
    assert second == "SD of single replicates 0.33; outside the domain by its descriptors (similarity 0.4)"
    assert "in mg;" in explained.legend("sure")
    assert "in probability;" in explained.legend("doubtful")


def test_a_picture_of_another_format_is_refused(explained: Explanation, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"e\.gif: '\.gif' is no format of explanations; end it in \.svg"):
        write_picture(explained, tmp_path / "e.gif")
    assert not list(tmp_path.iterdir())


def test_the_way_a_molecule_is_written_changes_nothing(model: Model, explained: Explanation) -> None:
    assert explain(model, "c1cc(ccn1)CNC(CO)=O").smiles == explained.smiles


def test_a_lone_atom_has_no_remainder(model: Model) -> None:
    alone = explain(model, "C")
    assert np.isnan(alone.contributions).all()
    assert not alone.atoms()["trusted"].to_numpy().any()
    ElementTree.fromstring(svg(alone))


def test_a_molecule_that_curation_rejects_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match=r"smiles: 'not one': unparsable"):
        explain(model, "not one")


def test_an_unknown_endpoint_is_refused(explained: Explanation) -> None:
    with pytest.raises(ValueError, match="this model has no 'other'; it has sure, doubtful"):
        explained.atoms("other")


def test_the_drawing_marks_every_atom(explained: Explanation, tmp_path: Path) -> None:
    write_picture(explained, tmp_path / "atoms.svg", "doubtful")
    root = ElementTree.parse(tmp_path / "atoms.svg").getroot()
    marks = [e for e in root.iter() if e.tag.endswith("circle") and len(e)]
    assert len(marks) == explained.contributions.shape[1]
    said = " ".join(text for line in root.iter() if (text := line.text) and line.tag.endswith("text"))
    assert "or fewer than 90 % of them agree on the sign" in said


@pytest.mark.parametrize(
    ("smiles", "index", "left"),
    [
        ("CCO", 2, "CC"),
        ("CCO", 1, "C.O"),
        ("c1ccccc1", 0, "C=CC=CC"),
        ("C[N+](=O)[O-]", 3, "C[NH+]=O"),
        ("C[N+](C)(C)C", 0, "C[NH+](C)C"),
        ("c1cc[nH]c1", 3, "C=CC=C"),
        ("C[C@H](F)Cl", 2, "CCCl"),
        ("C", 0, None),
    ],
)
def test_hydrogens_take_the_place_of_an_atom(smiles: str, index: int, left: str | None) -> None:
    assert without_atom(Chem.MolFromSmiles(smiles), index) == left


MOLECULES = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@]12CC[C@H]3[C@H]([C@@H]1CC[C@@H]2O)CCC4=CC(=O)CC[C@]34C",
    "O=S(=O)(N)c1cc2c(cc1Cl)NCNS2(=O)=O",
    "C1=CC2=CC=CC=CC2=C1",
    "[O-][n+]1ccccc1",
    "CP(=O)(OC)OC",
    "FS(F)(F)(F)(F)F",
)


@given(st.sampled_from(MOLECULES), st.integers(0, 200))
def test_what_is_left_is_a_molecule_with_one_heavy_atom_less(smiles: str, index: int) -> None:
    mol = Chem.MolFromSmiles(smiles)
    left = without_atom(mol, index % mol.GetNumAtoms())
    assert left is not None
    rest = Chem.MolFromSmiles(left)
    assert rest.GetNumAtoms() == mol.GetNumAtoms() - 1
    assert sum(atom.GetNumRadicalElectrons() for atom in rest.GetAtoms()) == 0


def test_a_long_title_is_wrapped_and_nothing_of_it_lost(explained: Explanation) -> None:
    name = "a name of an endpoint as long as " + "assays have it " * 8
    said = {key.replace(explained.endpoints[0], name, 1): value for key, value in explained.said.items()}
    long = dataclasses.replace(
        explained, endpoints=(name, *explained.endpoints[1:]), said={**explained.said, **said}
    )
    texts = re.findall(r'<text class="h" x="0" y="(-?\d+)">([^<]*)</text>', svg(long))
    assert len(texts) > 1
    assert " ".join(text for _, text in texts).split() == long.headline()[0].split()
    (top,) = re.findall(r'viewBox="-24 (-\d+)', svg(long))
    assert float(top) < min(float(y) for y, _ in texts) - 12


def test_a_notebook_shows_the_headline_and_every_atom(explained: Explanation) -> None:
    shown = explained._repr_html_()
    assert explained.headline()[0] in html.unescape(shown)
    assert shown.count("<tr") == len(explained.endpoints) * (len(explained.atoms()) + 1)


def test_a_class_is_called_what_the_table_calls_it(explained: Explanation) -> None:
    called = dataclasses.replace(explained, class_1={"doubtful": "mutagenic"})
    assert called.headline("doubtful")[0].startswith("doubtful: probability of mutagenic: ")


@pytest.mark.parametrize("unit", ["mg", "a unit of many words " * 8])
def test_every_line_of_a_picture_has_its_room_and_the_largest_disc_its_unit(
    explained: Explanation, unit: str
) -> None:
    laid_out = picture(dataclasses.replace(explained, units=(unit, "")))
    said = " ".join(line.text for line in laid_out.lines)
    assert f"the largest disc, of either sign, is 1 {unit.strip()}" in " ".join(said.split())
    assert all(line.x + 7 * len(line.text) <= drawing.WIDTH + 48 for line in laid_out.lines if not line.bold)
    places = [line.y for line in laid_out.lines if line.x < 90]
    assert min(later - y for y, later in pairwise(places)) >= 20
    assert laid_out.top < min(places) - 12 and laid_out.bottom > max(places) + 4


def test_a_png_shows_discs_where_the_svg_has_them(explained: Explanation, tmp_path: Path) -> None:
    write_picture(explained, tmp_path / "atoms.png")
    with Image.open(tmp_path / "atoms.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    laid_out = picture(explained)
    assert pixels.shape == (int(2 * (laid_out.bottom - laid_out.top)), 2 * (drawing.WIDTH + 48), 3)
    orange = abs(pixels - [236, 183, 64]).sum(axis=2) < 30
    for mark in laid_out.marks:
        x, y = round(2 * (mark.x + 24)), round(2 * (mark.y - laid_out.top))
        filled = orange[y - 12 : y + 12, x - 12 : x + 12].any()
        assert filled == (mark.kind == "more"), mark


def test_a_series_is_one_page_on_one_scale(model: Model, explained: Explanation) -> None:
    two = [
        Explained("A", "OCC", explain(model, "OCC")),
        Explained("<b>", "OCC(=O)NCc1ccncc1", explained),
        Explained("C", "not one", None, "unparsable: is not valid SMILES"),
    ]
    shown = page(two, "t.csv", "sure")
    assert "2 molecules of t.csv" in shown
    assert "&lt;b&gt;" in shown and "<b></small>" not in shown
    assert "unparsable: is not valid SMILES" in shown
    assert shown.count("<svg") == 2 and "http" not in re.sub(r'xmlns="[^"]*"', "", shown)
    assert "the largest disc, of either sign, is 1 mg" in shown
    with pytest.raises(ValueError, match=r"t\.csv: no molecule can be explained"):
        page(two[2:], "t.csv")


def test_small_contributions_keep_their_digits(explained: Explanation) -> None:
    small = dataclasses.replace(explained, contributions=explained.contributions * 1e-9)
    written = atoms_table(small.atoms("sure"))
    largest = small.atoms("sure")["contribution"].max()
    assert f"{largest:.2e}" in written
    assert "is 1e−09 mg" in svg(small)
    fewer = dataclasses.replace(explained, contributions=explained.contributions * 0.001)
    assert "0.00100" in atoms_table(fewer.atoms("sure"))
