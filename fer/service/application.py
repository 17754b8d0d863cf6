"""The service's endpoints."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

import fer
from fer.errors import FerError
from fer.inference.recognizer import Recognizer, load
from fer.inference.tracked_reader import TrackedReader
from fer.limits import HOSTED, Limits
from fer.models.registry import ARCHITECTURES
from fer.models.weights import shipped_names
from fer.service import schema
from fer.service.access import LOOPBACK, SUBPROTOCOL, Access, answer, checked_origin, checked_token
from fer.service.answers import Asked, explain_photo, read_photo, read_photos
from fer.service.body import Body, discard, read_body
from fer.service.live import stream
from fer.service.problems import BusyError, ProblemError, problem, problem_of
from fer.service.work import Admission, Workers, watched
from fer.vision.detection import Detector, load_detector
from fer.vision.registry import DETECTORS

WAITING = 64
REFUSALS = (400, 401, 403, 408, 413, 415, 421, 422, 503)


@dataclass(frozen=True)
class ServiceConfig:
    """How to run the service.

    hosts: names, besides localhost, that clients may use for this machine; origins: of pages that may call the service;
    token: required from clients, "" for none; waiting: how many requests may wait.
    """

    model: str = "compact"
    detector: str = "auto"
    device: str = "cpu"
    hosts: Sequence[str] = ()
    origins: Sequence[str] = ()
    token: str = field(default="", repr=False)
    limits: Limits = HOSTED
    waiting: int = WAITING


class Service:
    """The state that all requests share."""

    def __init__(self, config: ServiceConfig) -> None:
        limits = config.limits
        self.config, self.limits = config, limits
        self.default = load(config.model, threads=1, device=config.device)
        self.names = list(dict.fromkeys([self.default.name, *shipped_names()]))
        self.detector = load_detector(config.detector)
        self.admission = Admission(limits.photos_at_once + config.waiting, limits.session_bytes)
        self.photos, self.heavy = Workers(limits.photos_at_once), Workers(limits.heavy_at_once)
        self.streams = limits.streams
        self._load = functools.cache(functools.partial(load, threads=1, device=config.device))

    def recognizer(self, name: str | None) -> Recognizer:
        """The model of this name. Raises ProblemError for a name that is not in /models."""
        if name is None or name == self.default.name:
            return self.default
        if name not in self.names:
            raise ProblemError(422, f"There is no model {name[:40]!r} here. Choose from {', '.join(self.names)}.")
        return self._load(name)

    def detector_of(self, name: str | None) -> Detector:
        """The detector of this name. Raises ProblemError for an unknown name."""
        if name is None:
            return self.detector
        if name not in DETECTORS:
            raise ProblemError(422, f"There is no detector {name[:40]!r}. Choose from {', '.join(DETECTORS)}.")
        return load_detector(name, 0.0)


def create_app(config: ServiceConfig = ServiceConfig()) -> FastAPI:
    """The ASGI application, with its model loaded. Raises FerError."""
    service = Service(config)
    token, origins = checked_token(config.token), [checked_origin(origin) for origin in config.origins]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.photos.close()
        service.heavy.close()

    app = FastAPI(
        title="FER Studio",
        summary="Reads facial expressions, says how sure it is, and shows why.",
        version=fer.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.service = service
    _add_errors(app)
    _add_reading(app, service)
    _add_live(app, service)
    _add_facts(app, service)
    _add_description(app, token)
    app.add_middleware(Access, hosts=[*LOOPBACK, *config.hosts], origins=origins, token=token)
    if origins:  # outermost, so that allowed pages can also read error responses
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(FerError)
    async def told(request: Request, error: FerError) -> Response:
        return problem_of(error)

    @app.exception_handler(HTTPException)
    async def routed(request: Request, error: HTTPException) -> Response:
        sentence = {
            404: "There is nothing at this address. See /docs.",
            405: "This address does not support this method. See /docs.",
        }
        headers = dict(error.headers) if error.headers else None
        return problem(error.status_code, sentence.get(error.status_code, str(error.detail)), headers=headers)


def _add_reading(app: FastAPI, service: Service) -> None:
    limits = service.limits

    @app.post(
        "/predict",
        response_model=schema.Photo | list[schema.Photo],
        responses=schema.problems(*REFUSALS),
        openapi_extra=schema.body(schema.READING, limits, service.names, several=True),
    )
    async def predict(request: Request) -> Response:
        """Read the faces in a picture. Returns an object as printed by `fer predict --json`; for several pictures, an
        array of them, in which a picture that cannot be read has an `error`."""

        def work(body: Body, left: Callable[[], bool]) -> object:
            recognizer, detector = _chosen(service, body, schema.READING)
            if body.several:
                return read_photos(body.uploads, recognizer, detector, limits, left)
            return read_photo(body.uploads[0], recognizer, detector, limits)

        return await _answered(request, service, service.photos, work)

    @app.post(
        "/explain",
        response_model=schema.Maps,
        responses=schema.problems(*REFUSALS, 501),
        openapi_extra=schema.body(schema.EXPLAINING, limits, service.names, several=False),
    )
    async def explain(request: Request) -> Response:
        """Show which parts of a face favor an expression: maps as numbers and as PNG (base64).

        `class` defaults to the predicted expression, `method` to Grad-CAM."""

        def work(body: Body, left: Callable[[], bool]) -> object:
            recognizer, detector = _chosen(service, body, schema.EXPLAINING)
            if body.several:
                raise ProblemError(422, "Send one picture to explain.")
            asked = Asked(
                tuple(dict.fromkeys(body.fields.get("class", ()))),
                tuple(dict.fromkeys(body.fields.get("method", ()))),
                _one(body, "layer"),
                _number(_one(body, "face") or "1"),
            )
            return explain_photo(body.uploads[0], recognizer, detector, limits, asked, left)

        return await _answered(request, service, service.heavy, work)


async def _answered(
    request: Request, service: Service, workers: Workers, work: Callable[[Body, Callable[[], bool]], object]
) -> Response:
    try:
        with service.admission.admitted() as place:
            body = await read_body(request, place, service.limits)
            with watched(request) as client:
                return JSONResponse(await workers.run(functools.partial(work, body), client))
    except ProblemError:
        await discard(request)
        raise


def _chosen(service: Service, body: Body, known: dict[str, Any]) -> tuple[Recognizer, Detector]:
    """The model and detector that a request names. Raises ProblemError if these or any field are unknown."""
    for name in body.fields:
        if name not in known:
            raise ProblemError(422, f"There is no field {name[:40]!r}. Choose from {', '.join(known)}.")
    return service.recognizer(_one(body, "model")), service.detector_of(_one(body, "detector"))


def _one(body: Body, name: str) -> str | None:
    values = body.fields.get(name, [])
    if len(set(values)) > 1:
        raise ProblemError(422, f"The field {name} has {len(values)} values. Send one.")
    return values[0] if values else None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ProblemError(422, f"face must be a whole number from 1, got {text[:40]!r}.")
    return int(text)


def _add_live(app: FastAPI, service: Service) -> None:
    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        try:
            recognizer = service.recognizer(socket.query_params.get("model"))
            detector = service.detector_of(socket.query_params.get("detector"))
            if not service.streams:
                raise BusyError
        except FerError as error:
            await answer(problem_of(error), socket.scope, socket.receive, socket.send)
            return
        service.streams -= 1
        try:
            await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
            await stream(socket, TrackedReader(recognizer, detector), service.photos, service.limits)
        finally:
            service.streams += 1


def _add_facts(app: FastAPI, service: Service) -> None:
    @app.get("/health", response_model=schema.Health, responses=schema.problems(403, 421))
    async def health() -> Response:
        """Check that the service is running; needs no token."""
        return JSONResponse(
            {
                "status": "ok",
                "version": fer.__version__,
                "model": service.default.name,
                "detector": service.detector.name,
            }
        )

    @app.get("/models", response_model=list[schema.Model], responses=schema.problems(401, 403, 421))
    async def models() -> Response:
        """The models that a request may name."""
        return JSONResponse(await asyncio.to_thread(lambda: [_facts(service, name) for name in service.names]))


def _facts(service: Service, name: str) -> dict[str, object]:
    card = service.recognizer(name).card
    layers = ARCHITECTURES[card.architecture].layers if card.architecture in ARCHITECTURES else ()
    return {
        "name": name,
        "default": name == service.default.name,
        "architecture": card.architecture,
        "input_size": card.input_size,
        "layers": [*layers, "fused"],
        "threshold": card.threshold,
        "metrics": card.metrics,
        "data": card.data,
    }


def _add_description(app: FastAPI, token: str) -> None:
    """Add /docs with scripts from this server, and describe the token and errors, which FastAPI does not know."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        components = described.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = schema.Problem.model_json_schema()
        for operations in described["paths"].values():
            for operation in operations.values():
                answers = operation["responses"]
                if "requestBody" not in operation and "parameters" not in operation:
                    answers.pop("422", None)
        if token:
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            for path, operations in described["paths"].items():
                if path != "/health":
                    for operation in operations.values():
                        operation["security"] = [{"token": []}]
        return described

    app.openapi = openapi  # type: ignore[method-assign]
    found = find_spec("fastapi_offline")
    if found is not None and found.origin is not None:
        app.mount("/docs/assets", StaticFiles(directory=Path(found.origin).parent / "static"))

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="FER Studio",
            swagger_js_url="docs/assets/swagger-ui-bundle.js",
            swagger_css_url="docs/assets/swagger-ui.css",
            swagger_favicon_url="docs/assets/favicon.png",
        )
