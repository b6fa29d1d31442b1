"""Drift of fields between two windows, the one that moved most on top."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from smartrisk.displays._display import Display, plain_numbers
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError
from smartrisk.monitoring import SHIFTS, Drift
from smartrisk.page_style import COLOURS, GREY, INK

_MOST = 20
_COLOUR = {"large": COLOURS[1], "moderate": COLOURS[5], "stable": COLOURS[0]}


class DriftDisplay(Display):
    """Population stability index of the fields that moved most.

    The lines are the thresholds of a moderate and a large shift; the tick is what
    chance alone is expected to give. Use `from_drift`.

    Parameters
    ----------
    data : DataFrame
        Rows of a `Drift`.

    Attributes
    ----------
    ax_ : Axes
        What `plot` drew on.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import smartrisk as sr
    >>> items = sr.datasets.make_declarations(2_000, random_state=0).declarations
    >>> found = sr.monitoring.drift(items.head(1_000), items.tail(1_000))
    >>> shown = sr.displays.DriftDisplay.from_drift(found)
    >>> "psi" in shown.frame()
    True
    """

    _panels = ("Drift",)
    _panel_size = (6.4, 4.6)

    @classmethod
    def from_drift(cls, drift: Any) -> Self:
        """Return the display of a drift.

        Parameters
        ----------
        drift : Drift
            What `smartrisk.monitoring.drift` returned.

        Returns
        -------
        display : DriftDisplay
            The twenty fields that moved most; draw it with `plot`.

        Raises
        ------
        ArgumentError
            If it is no drift.

        Examples
        --------
        >>> from smartrisk.displays import DriftDisplay
        >>> DriftDisplay.from_drift(3)
        Traceback (most recent call last):
        ...
        smartrisk.errors.ArgumentError: DriftDisplay: 'drift' must be what...
        """
        if not isinstance(drift, Drift):
            raise ArgumentError(
                "displays.drift_what_monitoring_drift",
                "DriftDisplay: 'drift' must be what monitoring.drift returned; got "
                "{drift_type}.",
                drift_type=type(drift).__name__,
            )
        return cls(drift.frame().head(_MOST))

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw a bar per field."""
        (ax,) = axes
        rows = -np.arange(len(self._data))
        colours = [_COLOUR[word] for word in self._data["shift"]]
        ax.barh(rows, self._data["psi"], color=colours, height=0.7)
        ax.plot(self._data["noise"], rows, "|", color=INK, markersize=9)
        for word in ("moderate", "large"):
            ax.axvline(SHIFTS[word], color=GREY, linestyle=":", linewidth=1.2)
        named = [texts.words.field(str(name)) for name in self._data["field"]]
        ax.set_yticks(rows, named)
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.grid(axis="y", visible=False)
        ax.set_title(texts.gettext("Drift of fields"))
        label = texts.gettext("Population stability index")
        ax.set_xlabel(label if roomy else "")
        plain_numbers(ax.xaxis, texts)
