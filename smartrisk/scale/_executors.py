"""Two ways to run the same tasks: one after the other here, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from smartrisk.errors import ArgumentError, MissingExtraError
from smartrisk.memory import return_free_memory

#: Tasks per worker that are handed out ahead: enough that none waits, and few enough
#: that results do not pile up.
_AHEAD = 2


class Executor(Protocol):
    """Runs a function on tasks; results come in the order of the tasks."""

    def run(
        self, function: Callable[..., Any], shared: Any, tasks: Sequence[Any]
    ) -> Iterator[Any]:
        """Yield ``function(shared, task)`` of every task."""
        ...


class Loop:
    """One task after the other, in this process."""

    def run(
        self, function: Callable[..., Any], shared: Any, tasks: Sequence[Any]
    ) -> Iterator[Any]:
        """Yield the result of every task; what each one freed is given back."""
        for task in tasks:
            yield function(shared, task)
            return_free_memory()


class Cluster:
    """Tasks on the workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected to the cluster.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(
        self, function: Callable[..., Any], shared: Any, tasks: Sequence[Any]
    ) -> Iterator[Any]:
        """Yield the result of every task, a few of them ahead."""
        client = self._client
        common = client.scatter(shared, broadcast=True, hash=False)
        most = _AHEAD * max(sum(client.nthreads().values()), 1)
        waiting: list[Any] = []
        todo = iter(tasks)
        try:
            for task in todo:
                waiting.append(client.submit(function, common, task, pure=False))
                if len(waiting) >= most:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            client.cancel(waiting)


def choose_executor(owner: str, client: Any) -> Executor:
    """Return the executor of a Dask client; None for the loop."""
    if client is None:
        return Loop()
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("distributed", extra="scale") from error
    if not isinstance(client, Client):
        raise ArgumentError(
            "scale.not_a_client",
            "{owner}: 'client' must be a distributed.Client or None; got {kind}.",
            owner=owner,
            kind=type(client).__name__,
        )
    return Cluster(client)
