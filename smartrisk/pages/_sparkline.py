"""Sparklines: the course of a figure in the space of a word."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

#: Size in half pixels, so that whole numbers are exact enough, and a margin that holds
#: the last point. The style sheet holds the size on the page.
_WIDTH, _HEIGHT, _MARGIN = 300, 64, 8


def draw_sparkline(
    values: NDArray[np.float64], is_open: Sequence[bool], label: str
) -> Markup:
    """Return a line of the values of periods, open ones as an empty band.

    The line begins at 0, so that a small change looks small. It is interrupted where a
    value is missing, and a value between two gaps is a point.

    Parameters
    ----------
    values : ndarray of float64, shape (n_periods,)
        One for each period in order; missing where there is none.
    is_open : sequence of bool
        Which periods are open.
    label : str
        What a reader hears instead.
    """
    there = np.flatnonzero(~np.isnan(values))
    low = min(0.0, float(values[there].min(initial=0.0)))
    span = float(values[there].max(initial=0.0)) - low or 1.0
    step = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    x = np.rint(_MARGIN + step * np.arange(len(values))).astype(np.int64).tolist()
    share = np.nan_to_num((values - low) / span)
    height = _HEIGHT - 2 * _MARGIN
    y = np.rint(_HEIGHT - _MARGIN - height * share).astype(np.int64).tolist()
    parts = [
        f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">',
        _draw_open(is_open, step),
    ]
    for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
        if len(run) > 1:
            places = " ".join(f"{x[k]},{y[k]}" for k in run)
            parts.append(f'<polyline points="{places}"/>')
        elif len(run) == 1:
            parts.append(f'<circle cx="{x[run[0]]}" cy="{y[run[0]]}" r="3"/>')
    if len(there):
        last = there[-1]
        parts.append(f'<circle cx="{x[last]}" cy="{y[last]}" r="5"/>')
    return Markup("".join(parts) + "</svg>")


def _draw_open(is_open: Sequence[bool], step: float) -> str:
    """Return the band of open periods; they are the last ones."""
    places = np.flatnonzero(is_open)
    if not len(places):
        return ""
    begin = max(round(_MARGIN + step * (int(places[0]) - 0.5)), 0)
    return f'<rect x="{begin}" y="0" width="{_WIDTH - begin}" height="{_HEIGHT}"/>'
