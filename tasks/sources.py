"""Study what makes the replicates differ; no stage of dvc.yaml, since no model depends on it."""

import secrets

import pandas as pd

from manywalks import files
from manywalks.params.sections.families import families_of
from manywalks.replicates.opening import open_store
from manywalks.replicates.statistics.mixing import Mixing
from manywalks.reproduce import page
from manywalks.reproduce.data_draws import DRAW, draw_row, study_draws
from manywalks.reproduce.geometry import geometries, has_conformers
from manywalks.reproduce.sources import StudyDesign, study_sources
from manywalks.runtime import progress
from manywalks.runtime.resources import cores_of
from manywalks.train.prepare import read_features, read_groups, read_prepared
from manywalks.train.union import UnionScaler
from manywalks.workspace import Workspace


def run(workspace: Workspace, count: str = "16") -> None:
    """Write reports/sources.json from `count` replicates a source, and the page of reproduction."""
    params, raw = workspace.params, read_features(workspace)
    prepared = [read_prepared(workspace, family, features=raw) for family in families_of(params)]
    entropy, cores = secrets.randbits(128), cores_of(workspace)
    endpoints, bagged = params.data.endpoints, params.replicates.rows == "bootstrap"
    with progress.telling("sources") as tell:
        geometry = None
        if has_conformers(raw):
            geometry = geometries(
                raw,
                pd.read_parquet(workspace.curated, columns=["smiles"])["smiles"].tolist(),
                UnionScaler(raw.names, tuple(one.scaler for one in prepared)).transform_each,
                count=int(count),
                entropy=entropy,
                cores=cores,
                tell=tell,
            )
        groups = read_groups(workspace) if bagged else None
        mixing = open_store(workspace).mixing or Mixing.of(params)
        replicates = StudyDesign(int(count), entropy, cores, geometry, mixing, groups)
        found = study_sources(prepared, list(endpoints), replicates, tell=tell)
        spreads = {name: rows["all"]["spread"] for name, rows in found["endpoints"].items()}
        draws = study_draws(workspace, prepared, replicates, spreads, tell=tell)
    for name, one in draws.items():
        if not one["stated"]:
            continue
        found["endpoints"][name][DRAW] = draw_row(one, found["endpoints"][name]["all"]["spread"])
    about = None if geometry is None else {"molecules": len(raw), "without": geometry.without}
    content = {
        "replicates": int(count),
        "entropy": str(entropy),
        "units": {name: endpoint.unit for name, endpoint in endpoints.items()},
        "geometry": about,
        "bagged": bagged,
        "data_draws": draws,
        **found,
    }
    files.write_json(workspace.reports / "sources.json", content)
    page.write(workspace.reports)
