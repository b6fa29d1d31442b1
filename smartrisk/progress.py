"""Progress: how far a long task is, on a terminal only.

A bar or a line appears on standard error while a person watches it. When standard error
is a file or a pipe, nothing is written, so that logs and scripts see results only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from smartrisk.errors import needing

__all__ = ["is_watched", "track_items", "track_messages", "track_steps"]

Item = TypeVar("Item")

#: Seconds between two drawings; a bar that is redrawn for each item slows the work.
_REDRAW_SECONDS = 0.2


def is_watched() -> bool:
    """Return whether standard error is a terminal.

    Returns
    -------
    watched : bool
        False also in a process without standard error.

    Examples
    --------
    >>> from smartrisk.progress import is_watched
    >>> is_watched() in (True, False)
    True
    """
    return sys.stderr is not None and sys.stderr.isatty()


def track_items(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """Yield items, and show how many of them are done.

    Parameters
    ----------
    items : iterable
        What is worked through.
    total : int
        Their number.
    label : str
        What is done to them, shown before the bar.

    Yields
    ------
    item : object
        The items in their order.

    Examples
    --------
    >>> from smartrisk.progress import track_items
    >>> sum(track_items([1, 2, 3], 3, "adding"))
    6
    """
    if not is_watched():
        yield from items
        return
    with _make_bar(total=total, desc=label) as bar:
        for item in items:
            yield item
            bar.update()


@contextmanager
def track_steps(labels: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Show which of several long steps is running.

    Parameters
    ----------
    labels : sequence of str
        Names of the steps in their order.

    Yields
    ------
    finish_step : callable
        Call it without arguments at the end of each step.

    Examples
    --------
    >>> from smartrisk.progress import track_steps
    >>> with track_steps(["reading", "fitting"]) as finish_step:
    ...     finish_step()
    ...     finish_step()
    """
    if not is_watched():
        yield _do_nothing
        return
    with _make_bar(total=len(labels)) as bar:
        remaining = iter(labels)
        bar.set_description(next(remaining, ""))

        def finish_step() -> None:
            bar.update()
            bar.set_description(next(remaining, ""))

        yield finish_step


@contextmanager
def track_messages(label: str) -> Iterator[Callable[[str], None]]:
    """Show a line for each part that is done, above a count of the parts.

    Made for the ``progress`` argument of `smartrisk.benchmark.run_benchmark` and of
    other long runs: wrap the yielded function in one that words the line.

    Parameters
    ----------
    label : str
        What is running, shown before the count.

    Yields
    ------
    report : callable
        Takes the line of one part, without a line break.

    Examples
    --------
    >>> from smartrisk.progress import track_messages
    >>> with track_messages("benchmark") as report:
    ...     report("national, seed 0: smartrisk (1.2 s)")
    """
    if not is_watched():
        yield _do_nothing
        return
    with _make_bar(desc=label, bar_format="{desc}: {n_fmt} done [{elapsed}]") as bar:

        def report(text: str) -> None:
            bar.write(text, file=sys.stderr)
            bar.update()

        yield report


def _make_bar(**options: Any) -> Any:
    """Return a bar of tqdm that is wiped when it is closed."""
    with needing("tqdm"):
        from tqdm import tqdm

    shape = {"bar_format": "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}]"}
    return tqdm(leave=False, mininterval=_REDRAW_SECONDS, **shape | options)


def _do_nothing(*_: Any) -> None:
    """Replace a report that nobody watches."""
