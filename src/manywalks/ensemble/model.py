"""A trained ensemble for use: SMILES in, one row per molecule out."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.ensemble import manifest
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.given import smiles_of
from manywalks.ensemble.handed_out import HandedOut, Settings, report_endpoint
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.ensemble.model_file.archive import model_folder
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.features import Features
from manywalks.featurize.featurize import featurize_each
from manywalks.featurize.foreign.representations import usable
from manywalks.featurize.molecule import column_names
from manywalks.graph_layout import larger
from manywalks.params.sections.curate import CurateParams
from manywalks.params.sections.cut import Cut
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.params.sections.evaluate import EvaluateParams
from manywalks.params.sections.model import EnsembleParams, FeatureBlock, FeaturizeParams
from manywalks.replicates.combine import Combining, as_means, combine, combining_of
from manywalks.replicates.statistics.best import Candidates, candidates_of
from manywalks.replicates.statistics.list_sums import ListSums
from manywalks.runtime.resources import usable_cores
from manywalks.train.union import UnionScaler


class _Predicted(NamedTuple):
    """Predictions by the molecule's place, and why those that have none are without, by SMILES."""

    rows: pd.DataFrame
    failed: dict[str, str]


class Listed(NamedTuple):
    """A row for each molecule of a list; each endpoint's sums over the list, and its best molecules.

    `too_large` counts molecules that a network on graphs left to the others.
    """

    table: pd.DataFrame
    sums: tuple[ListSums, ...]
    best: tuple[Candidates, ...] = ()
    too_large: int = 0


@dataclass(frozen=True, repr=False)
class Ensemble:
    """One model of all replicates, with what it takes to use it.

    Attributes:
        about: the manifest: settings, endpoints, data, versions.
        scaler: raw features -> scaled ones.
        predictor: all replicates at once.
        domain: what the training molecules looked like.
        calibrations: by endpoint, from spread to interval.
    """

    about: dict[str, Any]
    scaler: UnionScaler
    predictor: StackedPredictor
    domain: Domain
    calibrations: dict[str, Calibration]

    @classmethod
    def load(cls, folder: Path | str) -> "Ensemble":
        """Load models/ensemble, or the .zip that `export` made of it.

        Raises:
            ValueError: something is missing, damaged or of another version; the line says what.
        """
        with model_folder(Path(folder)) as there:
            return cls._load(there)

    @classmethod
    def _load(cls, folder: Path) -> "Ensemble":
        """Load a model's folder."""
        about = usable(manifest.read(folder), folder)
        try:
            loaded = cls(
                about=about,
                scaler=UnionScaler.load(folder / "scaler.npz"),
                predictor=StackedPredictor.load(folder / "model.keras"),
                domain=Domain.load(folder / "domain.npz"),
                calibrations={n: Calibration.from_json(fit) for n, fit in about["calibration"].items()},
            )
        except KeyError as error:  # the checksums hold, so the files are whole, and of another version
            made, here = about["versions"]["manywalks"], manifest.versions()["manywalks"]
            raise ValueError(
                f"{folder}: lacks {error}; it was made by manywalks {made}, this is {here}: train again"
            ) from None
        here = column_names(loaded.blocks)[1]
        manifest.check_names(folder, "features of this version", here, list(loaded.scaler.columns))
        manifest.check_names(folder, "scaler.npz", list(loaded.scaler.names), about["feature_names"])
        return loaded

    @property
    def endpoints(self) -> dict[str, dict[str, Any]]:
        """The endpoints by name: kind, unit and where they came from."""
        return self.about["params"]["data"]["endpoints"]

    @property
    def curate(self) -> CurateParams:
        """How the model's molecules were standardized."""
        return CurateParams.model_validate(self.about["params"]["curate"])

    @property
    def blocks(self) -> tuple[FeatureBlock, ...]:
        """The model's featurizers."""
        return FeaturizeParams.model_validate(self.about["params"]["featurize"]).blocks

    def cut_of(self, name: str) -> Cut | None:
        """Where decisions about an endpoint change; None where no cut-off was given."""
        evaluate = EvaluateParams.model_validate(self.about["params"]["evaluate"])
        return evaluate.cut_of(name, self.wanted(name))

    @property
    def predicted_columns(self) -> dict[str, str]:
        """Names of what `predict_features` gives, and their kind: f (a number), i (0 or 1), b (yes or no)."""
        columns: dict[str, str] = {}
        for name in self.endpoints:
            columns |= {name: "f", f"{name}:spread": "f", f"{name}:low": "f", f"{name}:high": "f"}
            columns[f"{name}:bound"] = "f"
            if self.cut_of(name) is not None:
                columns |= {f"{name}:decision": "i", f"{name}:flip": "f", f"{name}:flip_retrained": "f"}
        columns |= {"similarity": "f", "in_domain": "b"}
        return columns | ({"on_graph": "b"} if any(one.kind == "graph" for one in self.blocks) else {})

    @property
    def labels(self) -> dict[str, list[str]]:
        """By class endpoint: what the training table calls the classes 0 and 1."""
        known = self.about.get("labels", {})  # a model made before they were kept has none
        return {
            name: known.get(name, ["No", "Yes"])
            for name, about in self.endpoints.items()
            if about["kind"] == "classification"
        }

    @property
    def block(self) -> int:
        """Molecules whose predictions by all replicates take up to a quarter of a GiB."""
        return max(64, min(4096, 2**28 // (8 * int(self.about["replicates"]) * len(self.endpoints))))

    def __repr__(self) -> str:
        """What the model is, in a few lines."""
        return "\n".join(
            ["Ensemble", *(f"  {name:<10} {value}" for name, value in self._described().items())]
        )

    def _repr_html_(self) -> str:
        """The same as a table, for notebooks."""
        rows = (f"<tr><th>{name}</th><td>{escape(v)}</td></tr>" for name, v in self._described().items())
        return f"<table><caption>Ensemble</caption>{''.join(rows)}</table>"

    def _described(self) -> dict[str, str]:
        """Endpoints, replicates, features and data in words."""
        ends = [
            f"{name} ({one['unit'] or one['kind']})" if one["kind"] == "regression" else f"{name} (class)"
            for name, one in self.endpoints.items()
        ]
        data = self.about["data"]
        return {
            "endpoints": ", ".join(ends[:6]) + (f" and {len(ends) - 6} more" if len(ends) > 6 else ""),
            "replicates": str(self.about["replicates"]),
            "features": f"{len(self.scaler.columns)} ({', '.join(block.kind for block in self.blocks)})",
            "trained on": f"{data['path']}, {data['rows']} rows",
        }

    def predict(self, molecules: Any, *, cores: int | None = None) -> pd.DataFrame:
        """Predict molecules: one row for each, in the order given.

        Give a SMILES, an RDKit molecule, any iterable of them (a missing value is a rejected row), or a frame
        with a column of SMILES.

        Columns: smiles (as given), standardized; per endpoint e: `e` (the ensemble's prediction in the
        endpoint's unit, or the calibrated probability of class 1), `e:spread` (standard deviation over the
        replicates, of a class over their calibrated probabilities), `e:low`, `e:high` (calibrated interval;
        of a class, whose interval would be all or nothing, the middle `evaluate.coverage` of single
        replicates' calibrated probabilities), `e:bound` (how far a retrained ensemble will be at most, at
        this molecule, with the statement's confidence), and of a class, or where `evaluate.decide` has a
        cut-off, `e:decision` (0 or 1), `e:flip` (share of single replicates that would decide otherwise) and
        `e:flip_retrained` (chance that a retrained ensemble would); of a class `e:label` (the decision in the
        training table's own word, such as No or Yes); `similarity` (nearest training molecule), `in_domain`;
        with a network on graphs `on_graph` (False where the molecule is too large for it, and the other
        networks alone predicted it); `rejected` (reason why a row is not predicted, else empty).
        """
        cores = usable_cores(cores)
        smiles = smiles_of(molecules, self.about["params"]["data"]["smiles"])
        standard = standardize_smiles(smiles, self.curate, cores=cores)
        known, failed = self._predict_each([one.smiles for one in standard], cores)
        rejected = [
            f"{s.reason}: {s.detail}" if s.smiles is None else failed.get(s.smiles, "") for s in standard
        ]
        given = {"smiles": smiles, "standardized": [s.smiles for s in standard], "rejected": rejected}
        # a decision stays 0 or 1 beside rows that have none
        known = known.astype({name: "Int8" for name, kind in self.predicted_columns.items() if kind == "i"})
        for name, words in self.labels.items():
            place = known.columns.get_loc(f"{name}:decision")
            named = known[f"{name}:decision"].map(words.__getitem__, na_action="ignore").astype("str")
            known.insert(int(place) + 1, f"{name}:label", named)  # pyright: ignore[reportArgumentType]
        columns = ["smiles", "standardized", *known.columns, "rejected"]
        texts = pd.DataFrame(given, dtype="str")
        return pd.DataFrame(texts.join(known)[columns])

    def _predict_each(self, standard: list[str | None], cores: int) -> "_Predicted":
        """Predict standardized molecules (n), None where there is none, each once however often it comes."""
        unique = sorted({text for text in standard if text is not None})
        features, failures = featurize_each(unique, self.blocks, cores=cores, limit=self.curate.time_limit)
        left = [row for row in range(len(unique)) if row not in failures]
        place = {unique[row]: k for k, row in enumerate(left)}
        good = [row for row, text in enumerate(standard) if text in place]
        made = self.predict_features(features.take(np.array(left, dtype=np.int64)))
        rows = made.iloc[[place[str(standard[row])] for row in good]]
        failed = {unique[row]: f"{why.reason}: {why.detail}" for row, why in failures.items()}
        return _Predicted(rows.set_index(np.array(good, dtype=np.int64)), failed)

    def replicates(self, features: Features) -> np.ndarray:
        """Each replicate's predictions of n molecules from their raw features: (m, n, t), in endpoint units.

        The probabilities of classes are not calibrated.
        """
        return self.predictor.predict(self.scaler.transform(features))

    def predict_features(self, features: Features) -> pd.DataFrame:
        """Predictions of n molecules from their raw features: the columns of `predict` that are numbers."""
        return self.predict_list(features).table

    def predict_list(
        self, features: Features, *, top: int | None = None, smiles: Sequence[str] = ()
    ) -> "Listed":
        """The same, with what the list of molecules tells of a retrained ensemble over all of it.

        With `top`, also which of the molecules, whose SMILES (n,) are given, may be among so many best ones.
        """
        replicates, seen = self.replicates(features), self.domain.assess(features)
        columns: dict[str, Any] = {}
        sums, best = [], []
        for column, name in enumerate(self.endpoints):
            own = replicates[:, :, column].astype(np.float64)
            out = self._reported(name, own, seen["similarity"].to_numpy())
            columns |= out.columns(name)
            sums.append(out.sums)
            if top is not None:
                best.append(self._candidates(name, own, smiles, top))
        columns |= {name: seen[name].to_numpy() for name in ("similarity", "in_domain")}
        if "on_graph" in self.predicted_columns:
            columns["on_graph"] = ~larger(features)
        return Listed(pd.DataFrame(columns), tuple(sums), tuple(best))

    def wanted(self, name: str) -> EndpointParams:
        """An endpoint's parameters, which say which values are the best ones."""
        return EndpointParams.model_validate(self.endpoints[name])

    def combining(self, name: str) -> Combining:
        """How an endpoint's replicates are made one."""
        settings = EnsembleParams.model_validate(self.about["params"]["ensemble"])
        return combining_of(self.endpoints[name]["kind"], settings)

    def _candidates(self, name: str, replicates: np.ndarray, smiles: Sequence[str], top: int) -> Candidates:
        """Which of n molecules may be among the `top` best of a list, from (m, n) replicate predictions.

        Classes are taken before calibration, which keeps their order but may make ties; within a range, it is
        the calibrated probability that counts.
        """
        how, wanted = self.combining(name), self.wanted(name)
        centre, moved = combine(replicates, how), as_means(replicates, how)
        if wanted.want == "range":
            calibration = self.calibrations[name]
            centre, moved = calibration.as_reported(centre), calibration.as_reported(moved)
        return candidates_of(smiles, centre, moved, wanted, top, how.mode)

    def _reported(self, name: str, replicates: np.ndarray, similarity: np.ndarray) -> HandedOut:
        """What users get of one endpoint, from its (m, n) replicate predictions."""
        how = self.combining(name)
        coverage = self.about["params"]["evaluate"]["coverage"]
        asked = Settings(coverage, self.cut_of(name), self.about["confidence"], how)
        return report_endpoint(
            self.calibrations[name], replicates, combine(replicates, how), asked, similarity
        )
