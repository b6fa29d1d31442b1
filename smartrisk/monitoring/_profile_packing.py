"""An `InputProfile` as plain values for JSON, and back."""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.monitoring._profile import InputProfile, UsualFigure
from smartrisk.monitoring._usual_values import CodeHabits, Sketch, UsualValues

#: Between the fields of a name; no field has it.
_BAR = "|"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def profile_to_plain(profile: InputProfile) -> dict[str, Any]:
    """Return a profile as plain values.

    Parameters
    ----------
    profile : InputProfile
        Learned from declarations.

    Returns
    -------
    plain : dict
        Texts, numbers, lists and mappings of these; arrays as text in base 64.

    Examples
    --------
    >>> import smartrisk as sr
    >>> from smartrisk.monitoring import InputProfile, profile_to_plain
    >>> items = sr.datasets.make_declarations(1_000, random_state=0).declarations
    >>> profile_to_plain(InputProfile.learn(items))["n_items"]
    1000
    """
    usual = profile.usual
    return {
        "n_items": profile.n_items,
        "first_day": f"{profile.first_day:%Y-%m-%d}",
        "last_day": f"{profile.last_day:%Y-%m-%d}",
        "usual_months": profile.usual_months,
        "figures": {
            name: [figure.centre, figure.spread, figure.highest]
            for name, figure in profile.figures.items()
        },
        "habits": {
            name: {
                "codes": _to_text(habits.codes),
                "formats": _to_text(habits.formats),
                "zero_lengths": list(habits.zero_lengths),
                "prefix": habits.prefix,
            }
            for name, habits in usual.habits.items()
        },
        "traders": {
            _BAR.join(fields): [len(sketch.bits), _to_text(np.packbits(sketch.bits))]
            for fields, sketch in usual.traders.items()
        },
        "pairs": {_BAR.join(pair): _to_text(ids) for pair, ids in usual.pairs.items()},
        "routes": _to_text(usual.routes),
        "groups": _to_text(usual.groups),
        "levels": {
            _BAR.join(fields): _to_text(levels)
            for fields, levels in usual.levels.items()
        },
    }


def profile_from_plain(plain: dict[str, Any]) -> InputProfile:
    """Return the profile that `profile_to_plain` described.

    Parameters
    ----------
    plain : dict
        As from `profile_to_plain`.

    Returns
    -------
    profile : InputProfile
        It judges as the one that was described.

    Raises
    ------
    KeyError, TypeError, ValueError
        If `plain` is something else.

    Examples
    --------
    >>> import smartrisk as sr
    >>> from smartrisk.monitoring import (
    ...     InputProfile, profile_from_plain, profile_to_plain)
    >>> items = sr.datasets.make_declarations(1_000, random_state=0).declarations
    >>> profile = InputProfile.learn(items)
    >>> profile_from_plain(profile_to_plain(profile))
    InputProfile(1000 items, 2023-01-03 to 2024-12-31)
    """
    _check_keys(plain, _KEYS)
    groups = _ids(plain["groups"])
    return InputProfile(
        usual=UsualValues(
            habits={name: _habits(h) for name, h in plain["habits"].items()},
            traders={
                tuple(name.split(_BAR)): _sketch(*sketch)
                for name, sketch in plain["traders"].items()
            },
            pairs={_pair(name): _ids(text) for name, text in plain["pairs"].items()},
            routes=_ids(plain["routes"]),
            groups=groups,
            levels={
                tuple(name.split(_BAR)): _levels(text, len(groups) + 1)
                for name, text in plain["levels"].items()
            },
        ),
        figures={
            name: UsualFigure(
                centre=_number(centre),
                spread=_number(spread, low=0.0),
                highest=_number(highest),
            )
            for name, (centre, spread, highest) in plain["figures"].items()
        },
        usual_months=_number(plain["usual_months"], low=0.0),
        first_day=_day(plain["first_day"]),
        last_day=_day(plain["last_day"]),
        n_items=_count(plain["n_items"]),
    )


#: What describes a profile, and the habits of a field.
_KEYS = frozenset(
    (
        "n_items",
        "first_day",
        "last_day",
        "usual_months",
        "figures",
        "habits",
        "traders",
        "pairs",
        "routes",
        "groups",
        "levels",
    )
)
_HABITS = frozenset(("codes", "formats", "zero_lengths", "prefix"))


def _check_keys(plain: Any, keys: frozenset[str]) -> None:
    """Raise unless a value is a mapping with these keys."""
    if not isinstance(plain, dict) or set(plain) != keys:
        raise ValueError(f"one of {sorted(keys)} is missing, or there is another one")


def _habits(plain: Any) -> CodeHabits:
    """Return the habits of a field."""
    _check_keys(plain, _HABITS)
    lengths, prefix = plain["zero_lengths"], plain["prefix"]
    if not isinstance(lengths, list) or not isinstance(prefix, str) or len(prefix) > 1:
        raise ValueError(f"a prefix is {prefix!r}, or lengths are {lengths!r}")
    return CodeHabits(
        codes=_ids(plain["codes"]),
        formats=_ids(plain["formats"]),
        zero_lengths=tuple(_count(n) for n in lengths),
        prefix=prefix,
    )


def _sketch(n_bits: Any, text: Any) -> Sketch:
    """Return a sketch of this many bits, of which some are not set."""
    packed = _from_text(text, np.uint8)
    if _count(n_bits) != 8 * len(packed):
        raise ValueError(f"a sketch has {8 * len(packed)} bits, not {n_bits!r}")
    bits = np.unpackbits(packed).astype(bool)
    if not len(bits) or bits.all():
        raise ValueError("a sketch has no bit that is not set")
    return Sketch(bits=bits)


def _pair(name: str) -> tuple[str, str]:
    """Return the two fields of a pair."""
    one, other = name.split(_BAR)
    return one, other


def _ids(text: Any) -> NDArray[np.uint64]:
    """Return sorted identities."""
    ids = _from_text(text, np.uint64)
    if (ids[1:] < ids[:-1]).any():
        raise ValueError("identities are not sorted")
    return ids


def _levels(text: Any, n_levels: int) -> NDArray[np.float64]:
    """Return a level of each group, and that of all items."""
    levels = _from_text(text, np.float64)
    if len(levels) != n_levels or np.isinf(levels).any():
        raise ValueError(f"there are {len(levels)} levels, not {n_levels} numbers")
    return levels


def _number(value: Any, low: float = -1e300) -> float:
    """Return a finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= 1e300:
        raise ValueError(f"{value!r} is no number of at least {low}")
    return float(value)


def _count(value: Any) -> int:
    """Return a whole number that is not negative."""
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(f"{value!r} is no count")
    return value


def _day(text: Any) -> pd.Timestamp:
    """Return a day as it is written in a profile."""
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is no day")
    return pd.Timestamp(text)


def _to_text(values: NDArray[Any]) -> str:
    """Return an array as text, its bytes in little-endian order."""
    little = values.astype(values.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")


def _from_text(text: Any, kind: type[np.generic]) -> NDArray[Any]:
    """Return the array that `_to_text` wrote."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is no text of numbers")
    data = base64.b64decode(text, validate=True)
    little = np.dtype(kind).newbyteorder("<")
    return np.frombuffer(data, little).astype(kind)
