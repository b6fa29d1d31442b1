"""What a service needs besides the library."""

from __future__ import annotations

import importlib
from typing import Any

from smartrisk.errors import MissingExtraError

#: What the extra ``serve`` installs, in the order in which it is named when missing.
_NEEDED = ("fastapi", "uvicorn", "prometheus_client", "filelock")


def check_extra() -> None:
    """Raise where a package of the extra ``serve`` is not installed."""
    for name in _NEEDED:
        load(name)


def load(name: str) -> Any:
    """Return a module of the extra ``serve``.

    Raises
    ------
    MissingExtraError
        If it is not installed; the error names the command that installs it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(name.partition(".")[0], "serve") from error
