"""Loops compiled with numba, where it is installed and there is enough to do.

The extra ``fast`` brings numba. Without it, for fewer items than `ENOUGH`, and in a
forked child that did not inherit the compiled code, numpy gives the same bits.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartrisk.features import _kernels
from smartrisk.threads import is_forked_child

_log = logging.getLogger("smartrisk")

#: From this many items on, compiled loops save as much as the import of numba and the
#: reading of its cached code take, about 1 CPU s: a million items with the default
#: features took 13.1 to 14.5 s with them and 13.9 to 14.7 s without, 300,000 items
#: 3.3 s either way. The first use ever compiles for some seconds.
ENOUGH = 1_000_000
#: Set to "0", it leaves the loops to numpy.
SWITCH = "SMARTRISK_COMPILED"


class Kernels(NamedTuple):
    """The functions of `_kernels`, compiled."""

    count_codes: Callable[..., None]
    number_repeated: Callable[..., int]
    number_pairs: Callable[..., int]
    place_items: Callable[..., None]
    find_entries: Callable[..., int]
    add_runs: Callable[..., None]
    run_days: Callable[..., None]
    run_sums: Callable[..., None]
    count_before: Callable[..., None]
    draw_peers: Callable[..., None]
    divide_gap: Callable[..., None]


class _State:
    """What this process has compiled; False where it cannot."""

    kernels: Kernels | bool | None = None
    lock = threading.Lock()


def kernels_for(n_items: int) -> Kernels | None:
    """Return the compiled loops for this many items, None to use numpy."""
    if n_items < ENOUGH or os.environ.get(SWITCH) == "0":
        return None
    found = _State.kernels
    if found is None and not is_forked_child():  # its lock may never be free
        with _State.lock:
            found = _State.kernels
            if found is None:
                found = _State.kernels = _load() or False
    return found if isinstance(found, Kernels) else None


def _load() -> Kernels | None:
    """Compile every loop for the types that are used, or read it from the cache."""
    try:
        import numba as nb
    except ImportError as error:  # not installed, or for another numpy
        _log.debug("features: numpy instead of compiled loops: %s", error)
        return None

    def array(kind: Any, *, axes: int = 1, written: bool = False) -> Any:
        """Return the type of an array; those that are only read may be mapped files."""
        return nb.types.Array(kind, axes, "C", readonly=not written)

    ints, floats, index = array(nb.int64), array(nb.float64), array(nb.int32)
    out, places = array(nb.int64, written=True), array(nb.int32, written=True)
    table, tables = array(nb.int32, axes=2), array(nb.int64, axes=2, written=True)
    days = array(nb.int32, axes=2, written=True)
    none = nb.void
    pair = nb.types.UniTuple(nb.int64, 2)  # type: ignore[no-untyped-call]
    drawn = nb.types.UniTuple(nb.float64, 3)  # type: ignore[no-untyped-call]
    figures = array(nb.float64, axes=2, written=True)
    signatures = {
        "count_codes": none(index, out),
        "number_repeated": nb.int64(index, places, places),
        "number_pairs": nb.int64(index, index, out, places, places, places, places),
        "place_items": none(index, index, out, places),
        "find_entries": nb.int64(index, index, ints, out, out, out),
        "add_runs": none(index, ints, index, out, out),
        "run_days": none(index, ints, out, days, pair, tables),
        "run_sums": none(index, ints, table, out, tables, index, ints, tables),
        "count_before": none(ints, ints, ints, ints, out),
        "draw_peers": none(ints, ints, ints, floats, floats, drawn, figures),
        "divide_gap": none(
            floats, floats, floats, ints, array(nb.float32, written=True)
        ),
    }
    return Kernels(
        **{
            name: _compile(nb, getattr(_kernels, name), types)
            for name, types in signatures.items()
        }
    )


def _compile(numba: Any, function: Callable[..., Any], types: Any) -> Any:
    """Compile a function once, on disk where the folder of the cache can be written.

    ``nogil`` lets the threads of `n_jobs` run it side by side.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(types, cache=True, **options)(function)
    except (RuntimeError, OSError):  # no folder for the cache, or a full disk
        return numba.njit(types, **options)(function)


def ready(*arrays: Any) -> list[Any]:
    """Return arrays as compiled loops take them: one block, aligned."""
    return [np.require(array, requirements=("C", "A")) for array in arrays]


def short_codes(codes: Any) -> NDArray[np.int32]:
    """Return codes as compiled loops take them: in 32 bits, one block."""
    return np.require(codes, np.int32, ("C", "A"))
