"""Memory: what was freed goes back to the system between the steps of long work."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

__all__ = ["return_free_memory"]


def return_free_memory() -> None:
    """Give freed memory of this process back to the system.

    The allocators of C and of Arrow keep what was freed for later. Where arrays of a
    few megabytes are made and freed among others that stay, these are hundreds of
    megabytes in parts that no large array fits into. It takes milliseconds; without
    the GNU C library, only Arrow gives back.

    Examples
    --------
    >>> from smartrisk.memory import return_free_memory
    >>> return_free_memory()
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    _trim()(0)


@cache
def _trim() -> Callable[[int], int]:
    """Return the function of glibc; one without effect where there is another libc."""
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, TypeError, OSError):  # macOS, musl; Windows
        return lambda _: 0
    return found
