"""Study what makes the replicates differ; no stage of dvc.yaml, since no model depends on it."""

import secrets

import pandas as pd

from manywalks import files
from manywalks.features import Features
from manywalks.reproduce import page
from manywalks.reproduce.geometry import Geometry, geometries, has_conformers
from manywalks.reproduce.sources import StudyDesign, study_sources
from manywalks.runtime import progress
from manywalks.runtime.resources import cores_of
from manywalks.train.prepare import read_prepared
from manywalks.train.scaling import FeatureScaler
from manywalks.workspace import Workspace


def run(workspace: Workspace, count: str = "16") -> None:
    """Write reports/sources.json from `count` replicates a source, and the page of reproduction."""
    problem, scaler, transform = read_prepared(workspace)
    entropy, cores = secrets.randbits(128), cores_of(workspace)
    endpoints = workspace.params.data.endpoints
    with progress.telling("sources") as tell:
        geometry = _geometry(workspace, scaler, count=int(count), entropy=entropy, cores=cores, tell=tell)
        replicates = StudyDesign(int(count), entropy, cores, geometry)
        found = study_sources(problem, transform, list(endpoints), replicates, tell=tell)
    about = None if geometry is None else {"molecules": len(problem.features), "without": geometry.without}
    content = {
        "replicates": int(count),
        "entropy": str(entropy),
        "units": {name: endpoint.unit for name, endpoint in endpoints.items()},
        "geometry": about,
        **found,
    }
    files.write_json(workspace.reports / "sources.json", content)
    page.write(workspace.reports)


def _geometry(
    workspace: Workspace, scaler: FeatureScaler, *, count: int, entropy: int, cores: int, tell: progress.Tell
) -> Geometry | None:
    """Each replicate's own conformers, where a feature block has conformers at all."""
    raw = Features.load(workspace.features)
    if not has_conformers(raw):
        return None
    smiles = pd.read_parquet(workspace.curated, columns=["smiles"])["smiles"].tolist()
    return geometries(raw, smiles, scaler, count=count, entropy=entropy, cores=cores, tell=tell)
