"""Threads: how many a call may use, and that a forked child uses one.

`n_jobs` means the same in the whole library, and what it means in scikit-learn.
"""

from __future__ import annotations

import os

import joblib

__all__ = ["count_jobs", "is_forked_child"]


class _Process:
    """Whether this process was forked from one that had loaded the library."""

    forked = False


def _mark_forked() -> None:
    """Remember that the threads of the parent do not exist here."""
    _Process.forked = True


if hasattr(os, "register_at_fork"):  # Windows cannot fork
    os.register_at_fork(after_in_child=_mark_forked)


def count_jobs(n_jobs: int | None) -> int:
    """Return the number of threads that a setting asks for.

    Parameters
    ----------
    n_jobs : int or None
        A number from 1 on is itself; -1 is every processor, -2 all but one. None is 1,
        or the number of an enclosing ``joblib.parallel_config``.

    Returns
    -------
    count : int
        At least 1.

    Examples
    --------
    >>> import joblib
    >>> from smartrisk.threads import count_jobs
    >>> count_jobs(3), count_jobs(None), count_jobs(-1) == joblib.cpu_count()
    (3, 1, True)
    >>> with joblib.parallel_config(n_jobs=2, backend="threading"):
    ...     count_jobs(None)
    2
    """
    if n_jobs is None:
        return int(joblib.effective_n_jobs(None))
    if n_jobs < 0:
        return max(1, int(joblib.cpu_count()) + 1 + n_jobs)
    return n_jobs


def is_forked_child() -> bool:
    """Return whether this process was forked after the library was loaded.

    The OpenMP threads of the parent do not exist in such a child: a parallel region
    would wait for them without end, so native code must use one thread.

    Returns
    -------
    forked : bool
        False in a process that was started afresh.

    Examples
    --------
    >>> from smartrisk.threads import is_forked_child
    >>> is_forked_child()
    False
    """
    return _Process.forked
