"""Counts and times of a service, in the text format of Prometheus."""

from __future__ import annotations

import os
from typing import Any

from smartrisk.serving import _extra
from smartrisk.serving._holder import ReloadState

#: Where the processes of one service keep their counts, so that each can sum them all.
SHARED_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: Bounds of the histogram, seconds: an item takes thousandths, a batch tenths.
_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """What is counted: requests and items by path, seconds, loads of engines."""

    def __init__(self) -> None:
        client = _extra.load("prometheus_client")
        self._client = client
        self._registry = client.CollectorRegistry()
        made: dict[str, Any] = {"registry": self._registry}
        self.requests = client.Counter(
            "smartrisk_requests", "Requests answered", ("path", "status"), **made
        )
        self.items = client.Counter(
            "smartrisk_items", "Items of requests answered with 200", ("path",), **made
        )
        self.seconds = client.Histogram(
            "smartrisk_request_seconds",
            "Seconds from a request to its answer",
            ("path",),
            buckets=_BOUNDS,
            **made,
        )
        self.loads = client.Gauge(
            "smartrisk_engine_loads",
            "Engines that were loaded",
            multiprocess_mode="livesum",
            **made,
        )
        self.failures = client.Gauge(
            "smartrisk_engine_load_failures",
            "Saved engines that could not be loaded",
            multiprocess_mode="livesum",
            **made,
        )

    def note(self, path: str, status: int, seconds: float, n_items: int) -> None:
        """Count a request that was answered."""
        self.requests.labels(path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)
        if n_items and status == 200:
            self.items.labels(path).inc(n_items)

    def note_loads(self, state: ReloadState) -> None:
        """Keep how many engines this process has loaded."""
        self.loads.set(state.n_loads)
        self.failures.set(state.n_failures)

    def text(self) -> bytes:
        """Return what all processes of the service have counted."""
        registry = self._registry
        if os.environ.get(SHARED_VARIABLE):
            multiprocess = _extra.load("prometheus_client.multiprocess")
            registry = self._client.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return bytes(self._client.generate_latest(registry))

    @property
    def media_type(self) -> str:
        """Return the media type of the text."""
        return str(self._client.CONTENT_TYPE_LATEST)
