"""Warnings of the engine, caught for the request that they concern.

`warnings.catch_warnings` is of the whole process: with several requests at once, each
would lose the warnings of another. Here one function is put in place for all, and finds
the request by its context.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from smartrisk.errors import SmartRiskWarning

_caught: ContextVar[list[SmartRiskWarning] | None] = ContextVar("caught", default=None)
#: Warnings of one answer at most.
_MOST = 50


@contextmanager
def listening() -> Iterator[list[SmartRiskWarning]]:
    """Yield the list that takes the library's warnings of a block."""
    found: list[SmartRiskWarning] = []
    token = _caught.set(found)
    _put_in_place()
    try:
        yield found
    finally:
        _caught.reset(token)


def _put_in_place() -> None:
    """Let every warning of the library be shown, by the function below.

    Again and again: what leaves a `catch_warnings` elsewhere restores what was before.
    """
    first = warnings.filters[0] if warnings.filters else None
    if first is None or first[:1] != ("always",) or first[2] is not SmartRiskWarning:
        warnings.simplefilter("always", SmartRiskWarning)
    if warnings.showwarning is not _show:
        _shown_before.append(warnings.showwarning)
        del _shown_before[:-1]
        warnings.showwarning = _show


_shown_before: list[Any] = []


def _show(message: Warning | str, *details: Any, **others: Any) -> None:
    """Keep a warning for its request; show others as before."""
    found = _caught.get()
    if isinstance(message, SmartRiskWarning) and found is not None:
        if len(found) < _MOST:
            found.append(message)
        return
    if _shown_before:
        _shown_before[0](message, *details, **others)
