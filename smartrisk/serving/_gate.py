"""The gate before the application: token, host, size, time; counts and log after it.

A plain ASGI application around another one. What it refuses, the routes never see.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from smartrisk.serving._log import exception_place
from smartrisk.serving._metrics import Metrics
from smartrisk.serving._problems import (
    PROBLEM,
    Problem,
    RequestError,
    find_language,
    make_problem,
)
from smartrisk.serving._settings import Limits, is_loopback

_log = logging.getLogger("smartrisk")

Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
App: TypeAlias = Callable[[Event, Receive, Send], Awaitable[None]]

#: Paths that are counted and logged by name; any other is "other", so that a client
#: cannot make names.
PATHS = frozenset(
    (
        *("/score", "/explain", "/select", "/update"),
        *("/health", "/version", "/metrics", "/openapi.json"),
    )
)
#: Without a token, only this path is answered, and only in short.
_OPEN = "/health"
_FIXED_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, kw_only=True)
class Guarding:
    """Who may ask: with which token, and under which names of this machine."""

    token: str | None
    loopback_only: bool


class Gate:
    """Checks every request before the application, and counts every answer.

    Parameters
    ----------
    app : callable
        The application.
    guarding : Guarding
        Who may ask.
    limits : Limits
        How much.
    metrics : Metrics
        Where it is counted.
    """

    def __init__(
        self, app: App, guarding: Guarding, limits: Limits, metrics: Metrics
    ) -> None:
        self._app = app
        self._guarding = guarding
        self._limits = limits
        self._metrics = metrics

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        try:
            headers = _read_headers(scope)
            exchange.lang = find_language(headers.get("accept-language"))
            scope["smartrisk"] = exchange
            exchange.is_known = self._check_token(headers)
            if not exchange.is_known and scope["path"] != _OPEN:
                raise _make_unauthorized()
            self._check_host(headers)
            body = await self._read_body(headers, receive)
            exchange.body, exchange.is_read = body, True
            exchange.deadline = exchange.start + self._limits.timeout
            await self._app(scope, _give(body, receive), exchange.send)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except _ClientLeftError:
            exchange.status = 499  # what servers log where the client has left
        except Exception as error:
            await self._refuse(exchange, error)
        finally:
            self._note(exchange)

    def _check_token(self, headers: dict[str, str]) -> bool:
        """Return whether a request may ask everything; where none is asked for, yes."""
        token = self._guarding.token
        if token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Both parts are always compared, each in a time that does not show where.
        same = hmac.compare_digest(given.strip().encode(), token.encode())
        return scheme.lower() == "bearer" and same

    def _check_host(self, headers: dict[str, str]) -> None:
        """Refuse names of this machine that a page of the web could have made up."""
        if not self._guarding.loopback_only or self._guarding.token is not None:
            return
        name = headers.get("host", "")
        host = name.rpartition(":")[0] if name.rpartition(":")[2].isdigit() else name
        if not is_loopback(host):
            raise RequestError(
                421,
                "serving.other_host",
                "this service answers under the names of its own machine only, such "
                "as 127.0.0.1 and localhost.",
            )

    async def _read_body(self, headers: dict[str, str], receive: Receive) -> bytes:
        """Return the body of a request, within its size and its time."""
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError(
                415,
                "serving.encoded_body",
                "the body must not be compressed: leave out Content-Encoding.",
            )
        length = headers.get("content-length", "0")
        if len(length) > 18 or int(length) > self._limits.max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await self._read_parts(receive)
        except TimeoutError:
            raise RequestError(
                408,
                "serving.body_too_slow",
                "the body did not arrive within {seconds} seconds.",
                seconds=self._limits.timeout,
            ) from None

    async def _read_parts(self, receive: Receive) -> bytes:
        """Return the parts of a body, joined."""
        parts, size = [], 0
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise _ClientLeftError
            part = event.get("body", b"")
            size += len(part)
            if size > self._limits.max_bytes:
                raise self._too_large()
            parts.append(part)
            if not event.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self) -> RequestError:
        """Return the error for a body that is too large."""
        return RequestError(
            413,
            "serving.body_too_large",
            "the body has more than {most} bytes. Send several requests.",
            most=self._limits.max_bytes,
        )

    async def _refuse(self, exchange: _Exchange, error: Exception) -> None:
        """Answer with a problem, unless an answer has begun."""
        problem = exchange.fail(error)
        if not exchange.status:
            headers = {"content-type": PROBLEM, **problem.headers}
            if not exchange.is_read:  # or a client could hold the connection with it
                headers["connection"] = "close"
            await exchange.answer(problem.status, problem.body, headers)

    def _note(self, exchange: _Exchange) -> None:
        """Count and log a request that is over."""
        path = exchange.path if exchange.path in PATHS else "other"
        seconds = time.perf_counter() - exchange.clock
        self._metrics.note(path, exchange.status, seconds, exchange.n_items)
        if _log.isEnabledFor(logging.INFO):
            fields = {
                "request": exchange.request_id,
                "path": path,
                "status": exchange.status,
                "seconds": round(seconds, 6),
                "n_items": exchange.n_items,
            }
            if exchange.code:
                fields["code"] = exchange.code
            _log.info("request", extra={"fields": fields})


class _ClientLeftError(Exception):
    """The client left before its request was whole."""


class _Exchange:
    """One request and its answer: what the log and the counts need of it."""

    def __init__(self, scope: Event, send: Send) -> None:
        self.path = scope["path"]
        self.request_id = secrets.token_hex(8)
        self.clock = time.perf_counter()
        self.start = time.monotonic()
        self.deadline = self.start
        self.lang = "en"
        self.body = b""
        self.is_read = False
        self.status = 0
        self.n_items = 0
        self.code = ""
        self.is_known = False
        self._send = send

    def fail(self, error: Exception) -> Problem:
        """Return the answer to an error; an unexpected one is logged by its place."""
        problem = make_problem(error, self.lang, self.request_id)
        self.code = problem.code
        if problem.status == 500:
            fields = {
                "request": self.request_id,
                "exception": type(error).__name__,
                "at": exception_place(error),
            }
            _log.error("error", extra={"fields": fields})
        return problem

    async def send(self, event: Event) -> None:
        """Pass an event of the answer on, with the headers that every answer has."""
        if event["type"] == "http.response.start":
            self.status = event["status"]
            own = (b"x-request-id", self.request_id.encode())
            event["headers"] = [*event.get("headers", ()), *_FIXED_HEADERS, own]
        await self._send(event)

    async def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send a whole answer."""
        made = {"content-length": str(len(body)), **headers}
        pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in made.items()]
        start = {"type": "http.response.start", "status": status, "headers": pairs}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


def _read_headers(scope: Event) -> dict[str, str]:
    """Return the headers of a request; each of the ones that count once."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        if key in found and key in ("authorization", "content-type", "content-length"):
            raise RequestError(
                400,
                "serving.header_twice",
                "the header {name} occurs twice.",
                name=key,
            )
        found[key] = value.decode("latin-1")
    scope["smartrisk.headers"] = found
    return found


def _give(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read to the application, once."""
    given = False

    async def receive_again() -> Event:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _make_unauthorized() -> RequestError:
    """Return the error for a request without the token."""
    return RequestError(
        401,
        "serving.no_authorization",
        "this service needs its token: Authorization: Bearer TOKEN.",
        headers={"www-authenticate": "Bearer"},
    )
