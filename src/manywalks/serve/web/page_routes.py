"""What the page asks besides predictions: drawings, substructures, explanations, neighbours."""

import itertools
import json
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from manywalks.ensemble.explain import Explanation, explained
from manywalks.featurize.featurize import features_of
from manywalks.featurize.molecule import FeatureRow
from manywalks.predict.molecule_worker import SMILES, Arrived, arrived
from manywalks.report.explanations.explanation import svg
from manywalks.runtime.worker_pool import Lost, WithBytes
from manywalks.serve.live import Live
from manywalks.serve.service import Service
from manywalks.serve.uploads import Refused
from manywalks.serve.web.answers import nearest
from manywalks.serve.web.http import asked_of, example_of
from manywalks.serve.worker import DRAW, FEATURES, MATCH, MOST_ATOMS, PARTS

# molecules that one text of a search holds: a SMARTS that hangs is found out with the first of them
SEARCHED = 200

Text = Annotated[str, Field(max_length=5000)]


class Molecule(BaseModel):
    """One molecule."""

    smiles: Text = Field(examples=["CCOC(=O)c1ccccc1"])


class Explained(Molecule):
    """One molecule and the endpoint that is to be explained."""

    endpoint: str | None = None


class Molecules(BaseModel):
    """Some molecules."""

    smiles: list[Text] = Field(max_length=200, examples=[["CCO", "c1ccccc1O"]])


class Search(BaseModel):
    """A substructure, and molecules to look for it in."""

    smarts: str = Field(max_length=500, examples=["c[OX2H]"])
    smiles: list[Text] = Field(max_length=10_000, examples=[["CCO", "c1ccccc1O"]])


def router(service: Service) -> APIRouter:
    """The routes of a service."""
    routes = APIRouter(prefix="/v1", tags=["structures"])

    @routes.post("/draw", summary="Draw molecules", openapi_extra=_body(Molecules))
    async def draw(request: Request) -> dict[str, Any]:
        """An SVG element for each molecule, null where one cannot be drawn."""
        asked = await asked_of(request, service, Molecules)
        return {"drawings": await service.ask(request, service.tools, [DRAW + one for one in asked.smiles])}

    @routes.post("/substructure", summary="Search a substructure", openapi_extra=_body(Search))
    async def substructure(request: Request) -> dict[str, Any]:
        """Whether each molecule holds the substructure, null where it cannot be read."""
        asked = await asked_of(request, service, Search)
        return {"matches": await _matches(request, service, asked)}

    @routes.post("/models/{name}/explain", summary="What each atom adds", openapi_extra=_body(Explained))
    async def explain(request: Request, name: str) -> dict[str, Any]:
        """The contribution of each atom, whether the replicates agree on it, and a drawing (SVG)."""
        asked = await asked_of(request, service, Explained)
        async with service.followed(name).using() as live:
            if asked.endpoint is not None and asked.endpoint not in live.endpoints:
                raise Refused(404, f"{name} has no such endpoint; it has {', '.join(live.endpoints)}")
            found = await _explanation(request, service, live, asked.smiles)
            return {**live.about, **await run_in_threadpool(_told, found, asked.endpoint)}

    @routes.post(
        "/models/{name}/neighbours", summary="Nearest training molecules", openapi_extra=_body(Molecule)
    )
    async def neighbours(request: Request, name: str) -> dict[str, Any]:
        """The eight most similar training molecules with their measured values and drawings."""
        asked = await asked_of(request, service, Molecule)
        async with service.followed(name).using() as live:
            if live.training is None:
                raise Refused(404, f"{name}: its training molecules are not known to this service")
            came = await _molecule(request, service, live, asked.smiles)
            assert came.features is not None
            near = await run_in_threadpool(live.predicting.neighbours, came.features, 8)
            found = [nearest(live, one) for one in near]
        drawn = await service.ask(request, service.tools, [DRAW + one["smiles"] for one in found])
        return {
            **live.about,
            "neighbours": [{**one, "svg": pic} for one, pic in zip(found, drawn, strict=True)],
        }

    return routes


def _body(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of a JSON body; it is read by `asked_of`, under the limits of the service."""
    content = {"schema": model.model_json_schema(), "example": example_of(model)}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


async def _matches(request: Request, service: Service, asked: Search) -> list[bool | None]:
    """Search in lots, so that one that hangs ends the search."""
    found: list[bool | None] = []
    # the first lot is small: it tells whether the SMARTS is one
    places = [0, 1, *range(1 + SEARCHED, len(asked.smiles) + SEARCHED, SEARCHED)]
    for start, stop in itertools.pairwise(places):
        query = json.dumps({"smarts": asked.smarts, "smiles": asked.smiles[start:stop]})
        (outcome,) = await service.ask(request, service.tools, [MATCH + query])
        if outcome is None:
            raise Refused(422, "the SMARTS cannot be read, or takes too long to search")
        found += outcome
    return found


async def _molecule(request: Request, service: Service, live: Live, smiles: str) -> Arrived:
    """A molecule's standard form and features; Refused with the reason where it has none."""
    (outcome,) = await service.ask(request, live.predicting.workers, [SMILES + smiles])
    came = arrived(
        Lost("timeout") if outcome is None else outcome, SMILES + smiles, service.limits.molecule / 2
    )
    if came.features is None:
        raise Refused(422, came.standard.rejected)
    return came


async def _explanation(request: Request, service: Service, live: Live, smiles: str) -> Explanation:
    """Explain one molecule; whatever RDKit does with it is done by workers."""
    came = await _molecule(request, service, live, smiles)
    standard = str(came.standard.standardized)
    parts, drawn = await service.ask(request, service.tools, [PARTS + standard, DRAW + standard])
    if parts is None or drawn is None:
        raise Refused(422, f"has more than {MOST_ATOMS} atoms, or cannot be drawn")
    unique = list(dict.fromkeys(part for part in [standard, *parts] if part is not None))
    outcomes = await service.ask(request, live.predicting.workers, [FEATURES + one for one in unique])
    rows = {
        one: FeatureRow.from_bytes(outcome.content)
        for one, outcome in zip(unique, outcomes, strict=True)
        if isinstance(outcome, WithBytes)
    }
    if standard not in rows:
        raise Refused(422, "took too long to featurize")
    kept = [part if part in rows else None for part in parts]

    def made() -> Explanation:
        features = features_of(list(rows.values()), len(rows), live.ensemble.blocks)
        return explained(live.ensemble, list(rows), kept, features)

    return await run_in_threadpool(made)


def _told(found: Explanation, endpoint: str | None) -> dict[str, Any]:
    """An explanation as JSON."""
    atoms = found.atoms(endpoint).astype(object).to_dict("records")
    return {
        "smiles": found.smiles,
        "headline": list(found.headline(endpoint)),
        "legend": found.legend(endpoint),
        "atoms": [{key: None if value != value else value for key, value in atom.items()} for atom in atoms],
        "svg": svg(found, endpoint),
    }
