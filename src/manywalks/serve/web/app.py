"""The HTTP application of a service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from manywalks.serve.service import Service
from manywalks.serve.web import model_routes, page_routes
from manywalks.serve.web.http import Gate, add_handlers

STATIC = Path(__file__).parent.parent / "static"


def application(service: Service, *, token: str | None = None, hosts: tuple[str, ...] = ()) -> Any:
    """The ASGI application.

    Args:
        service: whose models answer; it is closed with the application.
        token: what clients must send, None for none.
        hosts: names that the service answers to; empty for any.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(one) for one in service.followers()]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.to_thread(service.close)

    app = FastAPI(
        title="manywalks",
        version=metadata.version("manywalks"),
        description="Predictions of molecular properties, each with how far a retrained model would be.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    add_handlers(app)
    app.include_router(model_routes.router(service))
    app.include_router(page_routes.router(service))
    _add_others(app, service)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return Gate(app, service, token, hosts)


def _add_others(app: FastAPI, service: Service) -> None:
    """Health, metrics, and the two pages."""

    @app.get("/health", summary="Is it up?", tags=["service"])
    async def health() -> dict[str, Any]:
        """`degraded` where a newer version of a model could not be loaded; the former one answers."""
        refused = [name for name, one in service.models.items() if one.refused]
        return {
            "status": "degraded" if refused else "ok",
            "refused": refused,
            "models": {name: one.live.version for name, one in service.models.items()},
            "waiting": service.waiting,
        }

    @app.get("/metrics", summary="Metrics for Prometheus", tags=["service"])
    async def metrics() -> Response:
        """Counters in the text format of Prometheus."""
        service.metrics.waiting.set(service.waiting)
        service.metrics.version.clear()
        for one in service.models.values():
            about = one.live.about
            service.metrics.version.labels(about["model"], about["version"], about["data_version"]).set(1)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(STATIC / "docs.html")
