"""Names that every store of MLflow takes; what was changed is stated."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

from smartrisk.errors import ArgumentError, TrackingWarning, format_values

#: Longest name of a metric, parameter, tag or file; MLflow allows 250 characters.
LONGEST_NAME = 200
#: Names in a message.
_SHOWN = 5


def safe_name(name: object, more: str = "_", *, ascii_only: bool = True) -> str:
    """Return a name of letters, digits and a few signs, which cannot leave a folder."""
    flags = re.ASCII if ascii_only else re.NOFLAG
    text = re.sub(rf"[^\w.\-{more}]", "_", str(name), flags=flags).strip("./ ")
    text = re.sub(r"\.{2,}|/{2,}", "_", text)
    if not text:
        raise ArgumentError(
            "tracking.name_without_letters",
            "log_run: {name!r} has no letter or digit for a name.",
            name=str(name),
        )
    return text[:LONGEST_NAME]


def entry_names(kind: str, names: Iterable[object]) -> dict[str, str]:
    """Return the names under which metrics, parameters or tags are logged.

    Parameters
    ----------
    kind : str
        What they name, in the plural, for the message.
    names : iterable of object
        Names as they were given.

    Returns
    -------
    logged : dict of str to str
        Given to logged name.

    Raises
    ------
    ArgumentError
        If two of them become the same.

    Warns
    -----
    TrackingWarning
        If a name was changed.
    """
    # A colon is refused by MLflow on Windows.
    logged = {str(n): safe_name(n, "_/ ", ascii_only=False) for n in names}
    groups: dict[str, list[str]] = {}
    for given, name in logged.items():
        groups.setdefault(name, []).append(given)
    same = [given for group in groups.values() if len(group) > 1 for given in group]
    if same:
        raise ArgumentError(
            "tracking.names_collide",
            "log_run: {kind} {names} get the same name: MLflow allows letters, digits "
            "and _-./ only. Rename them.",
            kind=kind,
            names=format_values(same),
        )
    changed = [(given, name) for given, name in logged.items() if given != name]
    if changed:
        warnings.warn(
            TrackingWarning(
                "tracking.names_changed",
                "log_run: MLflow allows letters, digits and _-./ in names; {kind} are "
                "logged under changed names: {changed}.",
                kind=kind,
                changed=_pairs(changed),
            ),
            stacklevel=4,
        )
    return logged


def _pairs(changed: list[tuple[str, str]]) -> str:
    """Return given and logged names, and the number of those not shown."""
    shown = [f"{given!r} as {name!r}" for given, name in changed[:_SHOWN]]
    more = len(changed) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more else "")
