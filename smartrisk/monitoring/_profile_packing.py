"""An `InputProfile` as plain values for JSON, and back."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.monitoring._profile import InputProfile, UsualFigure
from smartrisk.monitoring._usual_values import CodeHabits, Sketch, UsualValues

#: Between the fields of a name; no field has it.
_BAR = "|"


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
    InputProfile(1000 items, 2023-01-02 to 2024-12-31)
    """
    habits = {
        name: CodeHabits(
            codes=_from_text(h["codes"], np.uint64),
            formats=_from_text(h["formats"], np.uint64),
            zero_lengths=tuple(int(n) for n in h["zero_lengths"]),
            prefix=str(h["prefix"]),
        )
        for name, h in plain["habits"].items()
    }
    traders = {
        tuple(name.split(_BAR)): Sketch(
            bits=np.unpackbits(_from_text(text, np.uint8), count=n).astype(bool)
        )
        for name, (n, text) in plain["traders"].items()
    }
    pairs = {}
    for name, text in plain["pairs"].items():
        one, other = name.split(_BAR)
        pairs[one, other] = _from_text(text, np.uint64)
    return InputProfile(
        usual=UsualValues(
            habits=habits,
            traders=traders,
            pairs=pairs,
            routes=_from_text(plain["routes"], np.uint64),
            groups=_from_text(plain["groups"], np.uint64),
            levels={
                tuple(name.split(_BAR)): _from_text(text, np.float64)
                for name, text in plain["levels"].items()
            },
        ),
        figures={
            name: UsualFigure(centre=centre, spread=spread, highest=highest)
            for name, (centre, spread, highest) in plain["figures"].items()
        },
        usual_months=float(plain["usual_months"]),
        first_day=pd.Timestamp(plain["first_day"]),
        last_day=pd.Timestamp(plain["last_day"]),
        n_items=int(plain["n_items"]),
    )


def _to_text(values: NDArray[Any]) -> str:
    """Return an array as text, its bytes in little-endian order."""
    little = values.astype(values.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")


def _from_text(text: str, kind: type[np.generic]) -> NDArray[Any]:
    """Return the array that `_to_text` wrote."""
    data = base64.b64decode(text, validate=True)
    little = np.dtype(kind).newbyteorder("<")
    return np.frombuffer(data, little).astype(kind)
