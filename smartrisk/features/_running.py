"""Sums of earlier days, kept while items pass in the order of their days.

Where items are the history themselves, what each finds in it is known while they are
counted: a few numbers per value instead of a look-up in a table of all days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._compiled import Kernels, ready, short_codes
from smartrisk.features._pair_codes import Codes
from smartrisk.features._sorted_items import Summands


@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """What counts from a day on, in the order of days.

    Parameters
    ----------
    rows : ndarray of int64, shape (n_events,), or None
        Item of each event; None for all items as they come.
    day : ndarray of int64, shape (n_events,)
        Day from which it counts.
    names : tuple of str
        Names of the sums.
    values : ndarray of int32, shape (n_sums, n_events)
        What to add up besides the number of events; the last names are the squares of
        the first rows.
    counted : tuple of str
        Names of sums that are the number of events.
    """

    rows: Int | None
    day: Int
    names: tuple[str, ...]
    values: NDArray[np.int32]
    counted: tuple[str, ...] = ("n",)

    @classmethod
    def of_items(cls, columns: Columns, sums: Summands | None = None) -> Events:
        """Return the items of a history, each from the day after its own on."""
        rows, day = None, columns.day
        if sums is None:
            sums = Summands((), (), np.empty((0, columns.n), np.int32))
        values = sums.values
        if not columns.in_order:
            rows = columns.by_day
            day, values = day[rows], values[:, rows]
        return cls(
            rows=rows,
            day=day,
            names=sums.names,
            values=values,
            counted=("n", *sums.counted),
        )

    @classmethod
    def of_results(cls, rows: Int, day: Int, sums: Mapping[str, Int]) -> Events:
        """Return results in the order of the days on which they were known."""
        order = np.argsort(day, kind="stable")
        # Logarithms in parts of 1/4096, and flags.
        values = np.stack([column[order] for column in sums.values()]).astype(np.int32)
        return cls(rows=rows[order], day=day[order], names=tuple(sums), values=values)


def repeated_codes(
    kernels: Kernels, codes: Codes, n_codes: int
) -> tuple[NDArray[np.int32], int]:
    """Return codes of the values that several items have, and their number.

    A value of one item has no past and is nobody's: -1 here, like a missing one. Most
    values of a key of several columns are of this kind, and sums of the others fit into
    the cache of a processor.

    Parameters
    ----------
    kernels : Kernels
        Compiled loops.
    codes : ndarray of int, shape (n_items,)
        Value of each item of the history; -1 is missing.
    n_codes : int
        Number of values.
    """
    found = np.empty(len(codes), np.int32)
    numbers = np.zeros(n_codes, np.int32)
    return found, kernels.number_repeated(short_codes(codes), numbers, found)


class _Spaces:
    """Arrays to write what a block of items finds, used again for the next block."""

    def __init__(self) -> None:
        self._spaces: dict[int, Int] = {}

    def take(self, n_rows: int, n_items: int, number: int = 0) -> Int:
        """Return an array of the shape, whose content is not defined."""
        space = self._spaces.get(number)
        if space is None or space.shape != (n_rows, n_items):
            space = self._spaces[number] = np.empty((n_rows, n_items), np.int64)
        return space


class RunningSums:
    """Sums of the events of a key before the days of items that pass in order.

    Parameters
    ----------
    kernels : Kernels
        Compiled loops.
    events : Events
        What to add up.
    codes : ndarray of int32, shape (n_items,)
        Value of each item of the history.
    n_codes : int
        Number of values.
    """

    def __init__(
        self, kernels: Kernels, events: Events, codes: Codes, n_codes: int
    ) -> None:
        self._kernels, self._events = kernels, events
        self._of_items, self._n_codes = codes, n_codes
        self._made = _Spaces()
        self._states: dict[int, tuple[Int, Int]] = {}

    @cached_property
    def _arrays(self) -> list[Any]:
        """Value, day and sums of the events; not every key is asked for its sums."""
        codes, rows = self._of_items, self._events.rows
        own = codes if rows is None else codes[rows]
        return [short_codes(own), *ready(self._events.day, self._events.values)]

    def before(self, codes: Codes, day: Int, days_back: int) -> dict[str, Int]:
        """Return number and sums before the days of the next items, less some days."""
        if days_back not in self._states:
            state = np.zeros((self._n_codes, 1 + len(self._events.names)), np.int64)
            self._states[days_back] = np.zeros(1, np.int64), state
        place, state = self._states[days_back]
        out = self._made.take(state.shape[1], len(codes), days_back)
        until = day - days_back if days_back else day
        self._kernels.run_sums(
            *(*self._arrays, place, state),
            *(short_codes(codes), *ready(until)),
            out,
        )
        found = dict.fromkeys(self._events.counted, out[0])
        return found | dict(zip(self._events.names, out[1:], strict=True))


class RunningDays:
    """Number, last and first day of earlier items of a key, in the order of days."""

    def __init__(self, kernels: Kernels, codes: Codes, day: Int, n_codes: int) -> None:
        self._kernels, self._made = kernels, _Spaces()
        self._codes = short_codes(codes)
        (self._day,) = ready(day)
        self._place = np.zeros(1, np.int64)
        self._state = np.zeros((n_codes, 3), np.int32)

    def before(self, start: int, stop: int) -> Int:
        """Return number, last and first day before items `start` to `stop`."""
        out = self._made.take(3, stop - start)
        self._kernels.run_days(
            *(self._codes, self._day, self._place, self._state), (start, stop), out
        )
        return out


class RunningPast:
    """The past of some items; same answers as `Lookup`.

    Parameters
    ----------
    codes : ndarray of int32, shape (n_items,)
        Value of each item; the next ones in the order of days.
    day : ndarray of int64, shape (n_items,)
        Day of each.
    sums : RunningSums or None
        What is added up by name.
    days : ndarray of int64, shape (3, n_items), or None
        Number, last and first day of earlier items.
    """

    def __init__(
        self, codes: Codes, day: Int, sums: RunningSums | None, days: Int | None
    ) -> None:
        self.day = day
        self._codes, self._sums, self._days = codes, sums, days
        self._found: dict[int, dict[str, Int]] = {}

    def _before(self, days_back: int) -> dict[str, Int]:
        """Return the sums before some days back, found once."""
        if self._sums is None:
            return {}
        if days_back not in self._found:
            self._found[days_back] = self._sums.before(self._codes, self.day, days_back)
        return self._found[days_back]

    def since(self, days_back: int) -> int:
        """Return a window, for `total`."""
        return days_back

    def total(self, name: str, first: int | None = None) -> Int:
        """Return the sum of the past, or of its last days."""
        if self._days is not None and name == "n" and first is None:
            counted: Int = self._days[0]
            return counted
        total: Int = self._before(0)[name]
        return total if first is None else total - self._before(first)[name]

    def days_since(self, *, first: bool = False) -> Float:
        """Return days since the last (or first) item of the past; NaN without one."""
        days: Any = self._days
        gap: Float = (self.day - days[2 if first else 1]).astype(np.float64)
        gap[days[0] == 0] = np.nan
        return gap
