"""Starting a service: as an application, or as a program with its processes."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from smartrisk.errors import ArgumentError
from smartrisk.serving import _extra
from smartrisk.serving._settings import (
    Address,
    ServiceSettings,
    check_folder,
    read_token,
)

_log = logging.getLogger("smartrisk")

#: How the processes of a service learn what they serve.
_SETTINGS_VARIABLE = "SMARTRISK_SERVICE"
_LOOPBACK_VARIABLE = "SMARTRISK_SERVICE_LOOPBACK"
#: Seconds that requests which have begun may take when the service stops.
_GRACE = 30
#: Seconds for which a connection without a request stays open.
_KEEP_ALIVE = 30
#: Connections that the system keeps until a process takes them.
_BACKLOG = 1_024


def create_app(
    settings: ServiceSettings, *, token: str | None = None, loopback_only: bool = True
) -> Any:
    """Return the ASGI application of a service, for a server of your own.

    Parameters
    ----------
    settings : ServiceSettings
        What it serves.
    token : str, default=None
        What a request must have as ``Authorization: Bearer``; None to ask for none.
    loopback_only : bool, default=True
        Whether the server listens on the loopback only. Without a token, requests for
        other names of the machine are refused then.

    Returns
    -------
    app : callable
        An ASGI application with a lifespan.

    Raises
    ------
    MissingExtraError
        If FastAPI is not installed.
    ArtefactError
        If the folder is no engine.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> from smartrisk.serving import ServiceSettings, create_app
    >>> world = sr.datasets.make_declarations(500, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations)
    >>> folder = engine.save(tempfile.mkdtemp() + "/engine")
    >>> callable(create_app(ServiceSettings(folder=str(folder))))
    True
    """
    _extra.check_extra()
    check_folder(settings.folder)
    # Loaded here: they need the extra.
    from smartrisk.serving._app import make_app
    from smartrisk.serving._gate import Guarding

    return make_app(settings, Guarding(token=token, loopback_only=loopback_only))


def make_worker_app() -> Any:
    """Return the application of a process that `serve` started."""
    from smartrisk.serving._log import start_log

    start_log()
    settings = ServiceSettings.from_json(os.environ[_SETTINGS_VARIABLE])
    loopback_only = os.environ[_LOOPBACK_VARIABLE] == "1"
    return create_app(settings, token=read_token(), loopback_only=loopback_only)


def serve(
    settings: ServiceSettings,
    address: Address | None = None,
    *,
    ready: Callable[[str], None] | None = None,
) -> int:
    """Serve until the process is stopped.

    The token is that of the environment variable SMARTRISK_TOKEN.

    Parameters
    ----------
    settings : ServiceSettings
        What is served.
    address : Address, default=None
        Where; None for ``Address()``.
    ready : callable, default=None
        Called with the address, such as ``http://127.0.0.1:8765``, once the port is
        taken.

    Returns
    -------
    status : int
        0 after a stop that was asked for, 1 where the service could not start.

    Raises
    ------
    MissingExtraError
        If FastAPI or uvicorn is not installed.
    ArgumentError
        If the host can be reached from other machines and there is no token, or the
        port is taken.

    Examples
    --------
    ``serve(ServiceSettings(folder="engine"))`` is ``smartrisk serve engine``.
    """
    address = Address() if address is None else address
    _extra.check_extra()
    address.check_token(read_token())
    check_folder(settings.folder)
    with _listen(address) as listener:
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

        def announce() -> None:
            """Announce that requests are taken."""
            if ready is not None:
                ready(url)

        if address.workers > 1:
            return _run_several(settings, address, listener, announce)
        return _run_one(settings, address, listener, announce)


def _run_one(
    settings: ServiceSettings,
    address: Address,
    listener: socket.socket,
    announce: Callable[[], None],
) -> int:
    """Answer requests in this process."""
    from smartrisk.serving._log import start_log

    app = create_app(settings, token=read_token(), loopback_only=address.is_loopback)
    start_log()
    announce()
    uvicorn = _extra.load("uvicorn")
    server = uvicorn.Server(_configure(app, settings, workers=1))
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _run_several(
    settings: ServiceSettings,
    address: Address,
    listener: socket.socket,
    announce: Callable[[], None],
) -> int:
    """Answer requests in several processes below this one."""
    from uvicorn.supervisors import Multiprocess

    from smartrisk.serving._log import start_log
    from smartrisk.serving._metrics import SHARED_VARIABLE

    shared = tempfile.mkdtemp(prefix="smartrisk-serving-")
    os.environ[_SETTINGS_VARIABLE] = settings.to_json()
    os.environ[_LOOPBACK_VARIABLE] = "1" if address.is_loopback else "0"
    try:
        # An engine that cannot be served would be started again and again.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(_probe, settings).result()
        # Before any process counts: the client reads it when it is imported.
        os.environ[SHARED_VARIABLE] = shared
        start_log()
        announce()
        factory = "smartrisk.serving._program:make_worker_app"
        config = _configure(factory, settings, workers=address.workers)
        listener.set_inheritable(True)
        Multiprocess(config, sockets=[listener]).run()
    finally:
        for name in (_SETTINGS_VARIABLE, _LOOPBACK_VARIABLE, SHARED_VARIABLE):
            os.environ.pop(name, None)
        shutil.rmtree(shared, ignore_errors=True)
    return 0


def _probe(settings: ServiceSettings) -> None:
    """Raise where a service cannot start."""
    create_app(settings)


def _configure(app: Any, settings: ServiceSettings, *, workers: int) -> Any:
    """Return how uvicorn runs an application, or what makes one."""
    uvicorn = _extra.load("uvicorn")
    from smartrisk.serving._protocol import PatientProtocol

    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.limits.max_connections,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )


def _listen(address: Address) -> socket.socket:
    """Return a socket that has taken the port."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ArgumentError(
            "serving.port_taken",
            "cannot listen on {host}, port {port}: {problem}. Choose another --port, "
            "or 0 for any that is free.",
            host=address.host,
            port=address.port,
            problem=str(error.strerror),
        ) from error
    return listener
