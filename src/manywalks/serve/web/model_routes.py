"""/v1/models: what the models are, and their predictions."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from manywalks.predict.columns import Record, Want
from manywalks.predict.molecule_worker import BLOCK, SMILES
from manywalks.serve.live import Live
from manywalks.serve.predicting import Row
from manywalks.serve.service import Service
from manywalks.serve.uploads import TYPES, Refused, records_of
from manywalks.serve.web.answers import Answer, answer, as_frame, as_sdf
from manywalks.serve.web.http import body_of
from manywalks.serve.worker import MOL_BLOCK

EXAMPLE = [{"id": "aspirin", "smiles": "CC(=O)Oc1ccccc1C(=O)O"}, {"id": "phenol", "smiles": "c1ccccc1O"}]
BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "array",
                "items": {
                    "oneOf": [
                        {"type": "string"},
                        {
                            "type": "object",
                            "required": ["smiles"],
                            "properties": {"id": {"type": "string"}, "smiles": {"type": "string"}},
                        },
                    ]
                },
            },
            "example": EXAMPLE,
        },
        **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES},
    },
}


def router(service: Service) -> APIRouter:
    """The routes of a service."""
    routes = APIRouter(prefix="/v1/models", tags=["models"])

    @routes.get("", summary="The models")
    async def models() -> dict[str, Any]:
        """Name, version, data version and endpoints of each model."""
        return {"models": [_described(await one.current()) for one in service.models.values()]}

    @routes.get("/{name}", summary="One model")
    async def model(name: str) -> dict[str, Any]:
        """Version, data version and endpoints."""
        return _described(await service.followed(name).current())

    @routes.get("/{name}/card", summary="The model card", response_class=PlainTextResponse)
    async def card(name: str) -> Response:
        """What the model is for, how good it is, and its limits, as Markdown."""
        live = await service.followed(name).current()
        if not live.card:
            raise Refused(404, f"{name}: its card is not known; serve its workspace, or a .zip of `export`")
        return PlainTextResponse(live.card, media_type="text/markdown")

    @routes.get("/{name}/statement", summary="The reproducibility statement")
    async def statement(name: str) -> dict[str, Any]:
        """How far a retrained ensemble would be from this one: a sentence, and all figures, by endpoint."""
        live = await service.followed(name).current()
        if not live.promises:
            raise Refused(
                404, f"{name}: its statement is not known; serve its workspace, or a .zip of `export`"
            )
        return {**live.about, "sentences": live.promises, "statement": live.companions.statement}

    _add_predict(routes, service)
    return routes


def _add_predict(routes: APIRouter, service: Service) -> None:
    @routes.post(
        "/{name}/predict",
        summary="Predict molecules",
        openapi_extra={"requestBody": BODY},
        responses={200: {"model": Answer}},
    )
    async def predict(
        request: Request,
        name: str,
        format: Annotated[Literal["json", "csv", "sdf"], Query(description="of the answer")] = "json",
        smiles: Annotated[str | None, Query(description="column of SMILES in an upload")] = None,
        id: Annotated[str | None, Query(description="column that names a row in an upload")] = None,
    ) -> Response:
        """Send a JSON list of SMILES or of {id, smiles}, or a CSV, SDF or Parquet file as the body.

        One row for each molecule, in the order given. A molecule without a prediction says why in `rejected`.
        """
        followed = service.followed(name)
        body = await body_of(request, service)
        async with followed.using() as live:
            data = live.ensemble.about["params"]["data"]
            want = Want(smiles, id, (), data["smiles"], data["id"])
            kind = request.headers.get("content-type", "")
            records = await run_in_threadpool(records_of, body, kind, want, service.limits.rows)
            records = [
                one if one.id else one._replace(id=str(row)) for row, one in enumerate(records, start=1)
            ]
            rows = await service.predict(request, live, [_text(one) for one in records])
            _count(service, live, rows)
            if format == "json":
                return await run_in_threadpool(lambda: JSONResponse(answer(live, records, rows)))
            return await _file(request, service, live, (records, rows), format)


async def _file(
    request: Request, service: Service, live: Live, found: tuple[list[Record], list[Row | None]], format: str
) -> Response:
    """The answer as a file of rows; its headers say which model gave it."""
    frame = await run_in_threadpool(as_frame, live, *found)
    about = {"X-Model-Version": live.version, "X-Data-Version": str(live.about["data_version"])}
    if format == "csv":
        return Response(frame.to_csv(index=False), media_type="text/csv", headers=about)
    written = [None if text != text or not text else str(text) for text in frame["standardized"].tolist()]
    asked = [MOL_BLOCK + text for text in written if text is not None]
    made = iter(await service.ask(request, service.tools, asked))
    blocks = [None if text is None else next(made) for text in written]
    text = await run_in_threadpool(as_sdf, frame, blocks)
    return Response(text, media_type="chemical/x-mdl-sdfile", headers=about)


def _described(live: Live) -> dict[str, Any]:
    """A model for a list of them."""
    return {
        **live.about,
        "replicates": live.ensemble.about["replicates"],
        "coverage": live.ensemble.about["params"]["evaluate"]["coverage"],
        "endpoints": live.endpoints,
        "accuracy": live.accuracy,
        "statement": live.promises,
        "knows_training_molecules": live.training is not None,
    }


def _text(record: Record) -> str:
    """What the workers get of a record."""
    return "" if record.fault else (BLOCK if record.kind == "block" else SMILES) + record.text


def _count(service: Service, live: Live, rows: list[Row | None]) -> None:
    """Count answers."""
    predicted = sum(1 for row in rows if row is not None and row.values is not None)
    service.metrics.molecules.labels(live.name, "predicted").inc(predicted)
    service.metrics.molecules.labels(live.name, "rejected").inc(len(rows) - predicted)
