"""What every request goes through: its size and time, the token, the headers, and errors in one form."""

import asyncio
import hmac
import json
import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from manywalks.serve.service import Busy, Service
from manywalks.serve.uploads import JSON, Refused, encodable, parsed_json
from manywalks.serve.workers import Broken

# no other site may show our pages, and our pages ask no other site for anything
HEADERS = [
    (b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
     b"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]  # fmt: skip
# what a browser needs before it can ask for a token, and what a load balancer asks
OPEN = ("/", "/docs", "/health", "/openapi.json")


async def body_of(request: Request, service: Service) -> bytes:
    """The whole body, within the limits."""
    most = service.limits.body
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refused(415, "Content-Encoding: send the body as it is, not packed")
    size = request.headers.get("content-length", "0")
    if not size.isdecimal() or int(size[:20]) > most:
        raise _too_large(most)
    found = bytearray()
    try:
        async with asyncio.timeout(service.limits.seconds):
            async for piece in request.stream():
                found += piece
                service.hold(request.scope, len(piece))
                if len(found) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise Refused(408, f"the body took longer than {service.limits.seconds:g} s") from None
    return bytes(found)


def _too_large(most: int) -> Refused:
    return Refused(413, f"the body is larger than {most / 2**20:g} MiB; send fewer molecules")


async def asked_of(request: Request, service: Service, model: type[BaseModel]) -> Any:
    """A JSON body of a known form."""
    body = await body_of(request, service)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Refused(415, f"Content-Type: give {JSON}")
    try:
        return model.model_validate(parsed_json(body))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(one) for one in fault["loc"]) or "the body"
        raise Refused(422, f"{where}: {_said(fault)}; give {json.dumps(example_of(model))}") from None


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """A body of this form, from the examples of its keys."""
    fields = model.model_fields.items()
    return {name: field.examples[0] for name, field in fields if field.examples}


# a fault in words, by pydantic's name of it
_FAULTS = {
    "missing": "is missing",
    "string_too_long": "has more than {max_length} characters",
    "too_long": "has more than {max_length} entries",
    "literal_error": "{input} is not accepted; give {expected}",
}


def _said(fault: Any) -> str:
    """What is wrong with a value that a client sent."""
    template = _FAULTS.get(fault["type"], "{input} is not accepted")
    return template.format(input=_short(fault["input"]), **fault.get("ctx", {}))


def _short(value: Any, most: int = 60) -> str:
    """A value as JSON, the start of a long one."""
    text = encodable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= most else f"{text[:most]}…"


def error(status: int, sentence: str, **headers: str) -> JSONResponse:
    """An error as every client gets it."""
    return JSONResponse({"error": sentence}, status, headers or None)


def add_handlers(app: FastAPI) -> None:
    """One form for all errors; none shows where the service lies."""

    @app.exception_handler(Refused)
    async def refused(_: Request, reason: Refused) -> JSONResponse:
        return error(reason.status, str(reason))

    @app.exception_handler(Busy)
    async def busy(_: Request, reason: Busy) -> JSONResponse:
        said = f"too many molecules are waiting; try again in {reason.seconds} s"
        return error(429, said, **{"Retry-After": str(reason.seconds)})

    @app.exception_handler(ClientDisconnect)
    async def left(_: Request, reason: ClientDisconnect) -> JSONResponse:
        return error(499, "the client left")

    @app.exception_handler(Broken)
    async def broken(_: Request, reason: Broken) -> JSONResponse:
        return error(503, "no worker could be started; try again", **{"Retry-After": "5"})

    @app.exception_handler(HTTPException)
    @app.exception_handler(404)
    @app.exception_handler(405)
    async def known(_: Request, reason: Any) -> JSONResponse:
        return error(reason.status_code, f"{reason.detail}; /docs lists what there is")

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, reason: RequestValidationError) -> JSONResponse:
        fault = reason.errors()[0]
        return error(422, f"{fault['loc'][-1]}: {_said(fault)}")

    @app.exception_handler(Exception)
    async def unknown(_: Request, reason: Exception) -> JSONResponse:
        return error(500, "this is an error of the service; its own output says more")


class Gate:
    """The outermost layer: token, host, headers, and the counting of requests."""

    def __init__(self, app: Any, service: Service, token: str | None, hosts: tuple[str, ...]) -> None:
        """`hosts` are the names that the service answers to; empty for any."""
        self._app, self._service, self._token, self._hosts = app, service, token, hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.monotonic(), 500

        async def counted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            await send(message)

        refusal = self._refusal(scope)
        try:
            await (self._app if refusal is None else refusal)(scope, receive, counted)
        finally:
            self._service.release(scope)
            route = getattr(scope.get("route"), "path", "other")
            metrics = self._service.metrics
            metrics.requests.labels(route, str(status)).inc()
            metrics.seconds.labels(route).observe(time.monotonic() - start)

    def _refusal(self, scope: Any) -> JSONResponse | None:
        """Why a request is not passed on."""
        headers = dict(scope["headers"])
        # a web page of another site can have its name lead to 127.0.0.1
        host = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0].strip("[]").lower()
        if self._hosts and host not in self._hosts:
            return error(
                421, "Host: this service answers to other names; start it with --host to change that"
            )
        path = scope["path"]
        if self._token is None or path in OPEN or path.startswith("/static/"):
            return None
        given = headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ")
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return None
        said = "a token is needed; send it as `Authorization: Bearer TOKEN`"
        return error(401, said, **{"WWW-Authenticate": "Bearer"})
