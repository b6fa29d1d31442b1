"""The protocol of the server, which limits the time that headers may take.

Imported when a server starts, and not before: it needs the extra ``serve``.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds from the first byte of a request, or from the connection, to the end of its
#: headers: a network that is slower than that does not send declarations.
HEADER_SECONDS = 10.0


#: Seconds for which a client may leave an answer unread.
READING_SECONDS = 60.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes connections whose headers do not come to an end.

    uvicorn closes a connection that is idle between two requests; one that sends its
    headers byte by byte, or that does not read what it asked for, would stay.
    """

    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first headers."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what arrived; go on waiting while the headers are not whole."""
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        if self._unread is None:
            abort = self.transport.abort
            self._unread = self.loop.call_later(READING_SECONDS, abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        self._stop_unread()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._stop()
        self._stop_unread()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Wait for headers where they are due, and only then."""
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _stop(self) -> None:
        """Stop to wait."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_unread(self) -> None:
        """Stop to wait for the client to read."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        """Close the connection."""
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.close()
