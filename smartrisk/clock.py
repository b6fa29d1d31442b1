"""The clock: when something was scored or decided, in the zone of `lodged_at`.

Reads the ``clock=`` of a caller; writes naive moments, as the tables hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias, TypeGuard
from zoneinfo import ZoneInfo

import pandas as pd

from smartrisk.errors import ArgumentError

__all__ = ["Clock", "check_clock", "read_clock"]

#: A moment, what returns one, or None for now.
Clock: TypeAlias = Callable[[], datetime] | datetime | None


def check_clock(owner: str, clock: object) -> None:
    """Raise unless an argument can be a clock.

    Parameters
    ----------
    owner : str
        Who has the argument, for the message.
    clock : object
        What was passed.

    Raises
    ------
    ArgumentError
        If it is neither None, nor a moment, nor can be called.

    Examples
    --------
    >>> from datetime import datetime
    >>> from smartrisk.clock import check_clock
    >>> check_clock("RiskEngine", datetime(2026, 1, 2))
    """
    if clock is None or callable(clock) or _is_moment(clock):
        return
    raise ArgumentError(
        "clock.no_clock",
        "{owner}: 'clock' must be None, a moment such as "
        "pd.Timestamp('2026-01-31 08:00'), or a function that returns one; got "
        "{given}.",
        owner=owner,
        given=repr(clock)[:80],
    )


def read_clock(owner: str, clock: Clock, zone: str | None = None) -> pd.Timestamp:
    """Return the moment that a clock shows, to the second.

    Parameters
    ----------
    owner : str
        Who has the argument, for messages.
    clock : callable, datetime or None
        None for now.
    zone : str, default=None
        Time zone of `lodged_at`, such as "America/Lima"; None for UTC.

    Returns
    -------
    moment : Timestamp
        Without a time zone, in that of `lodged_at`. A moment without a zone counts as
        one of it.

    Raises
    ------
    ArgumentError
        If the clock is none, or returns no moment.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from smartrisk.clock import read_clock
    >>> noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    >>> read_clock("engine", noon, "America/Lima")
    Timestamp('2026-01-31 07:00:00')
    """
    check_clock(owner, clock)
    if clock is None:
        found: object = _now()
    else:
        found = clock() if callable(clock) else clock
    if not _is_moment(found):
        raise ArgumentError(
            "clock.no_moment",
            "{owner}: 'clock' must return a moment, such as datetime.now(UTC); got "
            "{given}.",
            owner=owner,
            given=repr(found)[:80],
        )
    moment = pd.Timestamp(found)
    if moment.tzinfo is not None:
        moment = moment.tz_convert(ZoneInfo(zone or "UTC")).tz_localize(None)
    return moment.floor("s").as_unit("us")


def _now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def _is_moment(value: object) -> TypeGuard[datetime]:
    """Return whether a value is a moment; the missing one is none."""
    return isinstance(value, datetime) and not pd.isna(value)
