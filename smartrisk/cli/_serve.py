"""The command that serves an engine on HTTP."""

from __future__ import annotations

import sys

from smartrisk.cli._messages import render_message
from smartrisk.cli._terminal import print_line
from smartrisk.errors import Message
from smartrisk.serving import Address, Limits, ServiceSettings
from smartrisk.serving import serve as run_service


def serve(
    *,
    folder: str,
    host: str,
    port: int,
    workers: int,
    columns: str | None,
    outcome_map: str | None,
    writer: bool,
    public_key: str | None,
    max_items: int,
    max_explained: int,
    max_bytes: int,
    timeout: float,
) -> int:
    """Serve an engine until the process is stopped."""
    settings = ServiceSettings(
        folder=folder,
        columns=columns,
        outcome_columns=outcome_map,
        writer=writer,
        public_key=public_key,
        limits=Limits(
            max_items=max_items,
            max_explained=max_explained,
            max_bytes=max_bytes,
            timeout=timeout,
        ),
    )
    address = Address(host=host, port=port, workers=workers)
    return run_service(settings, address, ready=_announce)


def _announce(url: str) -> None:
    """Print where the service listens."""
    message = Message("cli.serving", "listening on {url}; stop with Ctrl+C.", url=url)
    print_line(render_message(message))
    sys.stdout.flush()  # whoever started the program may wait for the line
