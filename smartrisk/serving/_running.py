"""Operations of several items in threads: few at a time, within their time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from smartrisk.serving._problems import RequestError
from smartrisk.serving._settings import Limits

_T = TypeVar("_T")


class Threads:
    """The threads of a process: those for reading calls, and one for updates.

    Parameters
    ----------
    limits : Limits
        How many, and how many calls may wait.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._readers = ThreadPoolExecutor(limits.threads, "smartrisk-call")
        self._writer = ThreadPoolExecutor(1, "smartrisk-update")
        self._n_waiting = 0

    def close(self) -> None:
        """Let what has begun end, and begin nothing more."""
        for pool in (self._readers, self._writer):
            pool.shutdown(wait=True, cancel_futures=True)

    async def run(
        self, function: Callable[[], _T], *, deadline: float, writes: bool = False
    ) -> _T:
        """Return what a function returns, run in a thread.

        Parameters
        ----------
        function : callable
            Without arguments.
        deadline : float
            Monotonic time after which nobody waits.
        writes : bool, default=False
            Whether it changes the engine: once it has begun, its end is awaited.

        Raises
        ------
        RequestError
            If too many wait, or it takes too long.
        """
        if self._n_waiting >= self._limits.max_waiting + self._limits.threads:
            raise RequestError(
                503,
                "serving.too_busy",
                "too many requests are waiting. Send this one again later.",
                headers={"retry-after": "1"},
            )
        pool = self._writer if writes else self._readers
        self._n_waiting += 1
        running = pool.submit(copy_context().run, function)
        loop = asyncio.get_running_loop()
        # From the thread that ends it: an abandoned call occupies its place till then.
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        awaited = asyncio.wrap_future(running)
        try:
            left = max(deadline - time.monotonic(), 0.001)
            return await asyncio.wait_for(asyncio.shield(awaited), left)
        except TimeoutError:
            if writes and not running.cancel():
                return await awaited
            running.cancel()
            awaited.add_done_callback(_forget)
            raise RequestError(
                503,
                "serving.too_slow",
                "there was no answer within {seconds} seconds; nothing was changed. "
                "Send fewer items, or try later.",
                seconds=self._limits.timeout,
                headers={"retry-after": "1"},
            ) from None

    def _leave(self) -> None:
        """Note that a call has left its thread."""
        self._n_waiting -= 1


def _forget(abandoned: asyncio.Future[_T]) -> None:
    """Take note of the end of a call that nobody waits for any more."""
    if not abandoned.cancelled():
        abandoned.exception()
