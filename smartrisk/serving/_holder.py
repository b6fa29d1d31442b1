"""The engine that a process serves: loaded aside, swapped by one assignment.

A request takes the reference once and keeps it, so that a swap changes no answer that
has begun. A folder that cannot be loaded leaves the engine as it is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from smartrisk.artefact import MANIFEST
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArtefactError, SmartRiskError
from smartrisk.serving import _extra
from smartrisk.serving._log import exception_place
from smartrisk.serving._problems import RequestError
from smartrisk.serving._settings import ServiceSettings

_log = logging.getLogger("smartrisk")

#: What distinguishes one saved manifest from the next, without reading it.
Signature: TypeAlias = tuple[int, ...]
#: Seconds until a folder that could not be loaded is tried again unchanged: what was
#: copied file by file may be whole by then.
_RETRY = 15.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Loaded:
    """An engine, and what requests ask of it again and again."""

    engine: RiskEngine
    version: str
    deciding: tuple[str, ...]
    fields: frozenset[str]
    #: Monotonic time of the swap.
    since: float = field(default_factory=time.monotonic)

    @classmethod
    def make(cls, engine: RiskEngine) -> Loaded:
        """Return an engine with what is read off it once."""
        features = engine.features_
        return cls(
            engine=engine,
            version=engine.version_,
            deciding=tuple(sorted(features.deciding_fields())),
            fields=frozenset(map(str, features.feature_names_in_)),
        )


@dataclass(frozen=True, kw_only=True)
class ReloadState:
    """What became of the last look at the folder."""

    n_loads: int = 0
    n_failures: int = 0
    #: The error of the folder as it lies there now; None where it is what is served.
    error: SmartRiskError | None = None


class EngineHolder:
    """Holds the engine of a process, and the thread that looks for the next one.

    Parameters
    ----------
    settings : ServiceSettings
        The service.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._folder = Path(settings.folder)
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._signature: Signature | None = None
        self._failed: tuple[Signature, float] | None = None
        self.state = ReloadState()
        #: Called after each load, and each that failed.
        self.on_change: Callable[[ReloadState], None] = _ignore
        self.current = self._load_first()

    def _load_first(self) -> Loaded:
        """Return the engine that lies there when the service starts, or raise."""
        signature = self._read_signature()
        loaded = self._load()
        self._signature = signature
        self.state = ReloadState(n_loads=1)
        return loaded

    def _load(self) -> Loaded:
        """Return the engine of the folder, after it has scored an invented item."""
        settings = self._settings
        engine = RiskEngine.load(
            self._folder,
            trusted=settings.trusted,
            public_key=settings.public_key,
            mapped=True,
        )
        example = engine.input_example().iloc[:1]
        engine.score(example, guard="off")
        engine.score_one({str(k): v for k, v in example.iloc[0].items()})
        return Loaded.make(engine)

    def _read_signature(self) -> Signature | None:
        """Return what distinguishes the manifest of the folder from another one."""
        try:
            found = os.stat(self._folder / MANIFEST)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_dev

    # ------------------------------------------------------------- reloading

    def start(self) -> None:
        """Start to look at the folder."""
        self._ended.clear()
        self._thread = threading.Thread(
            target=self._watch, name="smartrisk-reload", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop to look at the folder."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self) -> None:
        """Look at the folder now and then."""
        while not self._ended.wait(self._settings.poll):
            self.look()

    def look(self) -> bool:
        """Load the engine of the folder where it is another one; return whether."""
        signature = self._read_signature()
        if signature == self._signature or self._is_known_bad(signature):
            return False
        with self._changing:
            signature = self._read_signature()
            if signature == self._signature:
                return False
            try:
                loaded = self._load()
            except Exception as error:
                self._note_failure(signature, error)
                return False
            self._swap(loaded, signature)
        return True

    def _is_known_bad(self, signature: Signature | None) -> bool:
        """Return whether a folder failed already, a short time ago."""
        if self._failed is None:
            return False
        bad, until = self._failed
        return bad == (signature or ()) and time.monotonic() < until

    def _note_failure(self, signature: Signature | None, error: Exception) -> None:
        """Keep the engine, and remember why another one was not taken."""
        self._failed = (signature or (), time.monotonic() + _RETRY)
        known = error if isinstance(error, SmartRiskError) else _unknown(error)
        state = self.state
        self.state = ReloadState(
            n_loads=state.n_loads, n_failures=state.n_failures + 1, error=known
        )
        self.on_change(self.state)
        _log.error(
            "reload failed",
            extra={
                "fields": {
                    "code": known.message_id,
                    "model_version": self.current.version,
                    "at": exception_place(error),
                }
            },
        )

    def _swap(self, loaded: Loaded, signature: Signature | None) -> None:
        """Serve another engine from now on."""
        self.current = loaded  # requests that have begun keep the one before
        self._signature, self._failed = signature, None
        state = self.state
        self.state = ReloadState(
            n_loads=state.n_loads + 1, n_failures=state.n_failures, error=None
        )
        self.on_change(self.state)
        _log.info("reloaded", extra={"fields": {"model_version": loaded.version}})

    # -------------------------------------------------------------- updating

    def update(self, change: Callable[[RiskEngine], Any]) -> Loaded:
        """Return the engine after a change that was saved.

        One process at a time changes the folder: it takes what lies there, changes a
        copy, saves it in place of the other, and only then serves it.

        Parameters
        ----------
        change : callable
            Takes the engine to change.

        Raises
        ------
        RequestError
            If another process writes for longer than the time allowed.
        SmartRiskError
            If the change is refused, or cannot be saved; nothing is changed then.
        """
        with self._only_writer(), self._changing:
            base = self.current
            if self._read_signature() != self._signature:
                base = self._load()
            engine = base.engine.copy()
            change(engine)
            engine.save(self._folder, trusted=self._settings.trusted)
            loaded = Loaded.make(engine)
            # Without a signature: the next look maps what was saved from its files.
            self._swap(loaded, None)
        return loaded

    @contextlib.contextmanager
    def _only_writer(self) -> Iterator[None]:
        """Hold the lock of the folder; it ends with the process."""
        filelock = _extra.load("filelock")
        lock = filelock.FileLock(
            self._folder.parent / f".{self._folder.name}.writer.lock"
        )
        try:
            lock.acquire(timeout=self._settings.limits.timeout)
        except filelock.Timeout as error:
            raise RequestError(
                503,
                "serving.other_writer",
                "another update is being saved. Nothing was changed; send this one "
                "again later.",
                headers={"retry-after": "5"},
            ) from error
        except OSError as error:
            raise ArtefactError(
                "serving.lock_not_written",
                "the service cannot write next to its engine: {problem}. Change the "
                "permissions of the folder that holds it.",
                problem=str(error.strerror),
            ) from error
        try:
            yield
        finally:
            lock.release()


def _ignore(state: ReloadState) -> None:
    """Do nothing with a state."""


def _unknown(error: Exception) -> SmartRiskError:
    """Return an error of another package as one of this library."""
    return ArtefactError(
        "serving.load_failed",
        "the saved engine could not be loaded: {kind}. The log has the place.",
        kind=type(error).__name__,
    )
