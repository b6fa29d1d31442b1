"""The ASGI application: routes, and what OpenAPI states of them.

Imported when a service is made, and not before: it needs the extra ``serve``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request, Response

from smartrisk import __version__
from smartrisk.serving._answers import Answer, to_json
from smartrisk.serving._bodies import ARROW, JSON, read_media_type
from smartrisk.serving._gate import Gate, Guarding
from smartrisk.serving._holder import EngineHolder
from smartrisk.serving._metrics import Metrics
from smartrisk.serving._openapi import describe_operation
from smartrisk.serving._problems import PROBLEM, RequestError
from smartrisk.serving._running import Threads
from smartrisk.serving._service import Call, Service
from smartrisk.serving._settings import ServiceSettings


def make_app(settings: ServiceSettings, guarding: Guarding) -> Gate:
    """Return the application of a service, behind its gate."""
    holder = EngineHolder(settings)
    service = Service(settings, holder)
    metrics = Metrics()
    metrics.note_loads(holder.state)
    holder.on_change = metrics.note_loads

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        app.state.threads = Threads(settings.limits)
        holder.start()
        try:
            yield
        finally:
            holder.stop()
            app.state.threads.close()

    app = FastAPI(
        title="smartrisk",
        version=__version__,
        description="Scores of customs declarations, their reasons, and decisions.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=living,
        exception_handlers={404: _refuse_path, 405: _refuse_path},
    )
    app.state.service, app.state.metrics = service, metrics
    endpoints = {path: ("POST", _operation(path)) for path in service.operations}
    endpoints |= {
        "/health": ("GET", _health),
        "/version": ("GET", _version),
        "/metrics": ("GET", _metrics),
    }
    for path, (method, endpoint) in endpoints.items():
        about = describe_operation(path)
        app.add_api_route(path, endpoint, methods=[method], **about)
    return Gate(app, guarding, settings.limits, metrics)


async def _refuse_path(request: Request, error: Exception) -> Response:
    """Answer a path or a method that the service does not have."""
    refused = RequestError(
        getattr(error, "status_code", 404),
        "serving.no_such_path",
        "this service has POST /score, /explain, /select and /update, and GET "
        "/health, /version, /metrics and /openapi.json.",
    )
    return _respond_problem(request, refused)


def _respond_problem(request: Request, error: Exception) -> Response:
    """Return the answer to a request that failed."""
    problem = request.scope["smartrisk"].fail(error)
    headers = {"content-type": PROBLEM, **problem.headers}
    return Response(problem.body, status_code=problem.status, headers=headers)


def _operation(path: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of an operation on items."""

    async def operate(request: Request) -> Response:
        # Here, and not in the gate: the server would answer before it.
        try:
            return await _operate(path, request)
        except Exception as error:
            return _respond_problem(request, error)

    return operate


async def _operate(path: str, request: Request) -> Response:
    """Answer an operation on items: one at once, several in a thread."""
    scope = request.scope
    exchange, headers = scope["smartrisk"], scope["smartrisk.headers"]
    service: Service = request.app.state.service
    pairs = request.query_params.multi_items()
    if len(dict(pairs)) < len(pairs):
        raise RequestError(
            422, "serving.option_twice", "the query names an option twice."
        )
    call = Call(
        body=exchange.body,
        kind=read_media_type(headers.get("content-type")),
        accept=ARROW if ARROW in headers.get("accept", "").lower() else JSON,
        lang=exchange.lang,
        options=dict(pairs),
    )
    operation = service.operations[path]
    if service.is_quick(path, call.kind, call.body):
        answer = operation(call)
    else:
        threads: Threads = request.app.state.threads
        answer = await threads.run(
            partial(operation, call),
            deadline=exchange.deadline,
            writes=path == "/update" and service.settings.writer,
        )
    exchange.n_items = answer.n_items
    return _respond(answer)


def _respond(answer: Answer) -> Response:
    """Return an answer as a response."""
    return Response(answer.body, headers=answer.headers, media_type=answer.media_type)


async def _health(request: Request) -> Response:
    """Return whether the service answers; what it serves to who knows the token."""
    exchange = request.scope["smartrisk"]
    service: Service = request.app.state.service
    return _respond(
        Answer(body=to_json(service.health(exchange.lang, whole=exchange.is_known)))
    )


async def _version(request: Request) -> Response:
    """Return which library and which engine answer."""
    service: Service = request.app.state.service
    return _respond(Answer(body=to_json(service.version())))


async def _metrics(request: Request) -> Response:
    """Return what was counted, as Prometheus reads it."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), headers={"content-type": metrics.media_type})
