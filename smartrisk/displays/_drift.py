"""Drift of fields between two windows, the field that moved most on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from smartrisk.displays._display import Display, format_numbers, label_rows
from smartrisk.displays._texts import Texts
from smartrisk.monitoring import SHIFTS, Drift
from smartrisk.page_style import COLOURS, GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Rows that can be read at the height of the figure.
_MOST = 20
_COLOUR = {"large": COLOURS[1], "moderate": COLOURS[5], "stable": COLOURS[0]}


class DriftDisplay(Display):
    """Population stability index of the fields that moved most.

    The lines are the thresholds of a moderate and a large shift; the tick is what
    chance is expected to give when nothing moved. Use `from_drift`.

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
    >>> moved = sr.monitoring.drift(items.head(1_000), items.tail(1_000))
    >>> display = sr.displays.DriftDisplay.from_drift(moved)
    >>> display.frame()["field"].head(2).tolist()
    ['importer_id', 'consignor_id']
    """

    _result = Drift
    _source = "monitoring.drift"
    _panels = ("Drift",)
    _panel_size = (6.4, 4.6)

    @classmethod
    def from_drift(cls, drift: Drift) -> Self:
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
            If `drift` is not a `Drift`.
        """
        cls._check_result("drift", drift)
        return cls(drift.frame().head(_MOST))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw a bar per field."""
        (ax,) = axes
        rows = -np.arange(len(self._data))
        colours = [_COLOUR[word] for word in self._data["shift"]]
        ax.barh(rows, self._data["psi"], color=colours, height=0.7)
        ax.plot(self._data["noise"], rows, "|", color=INK, markersize=9)
        for word in ("moderate", "large"):
            ax.axvline(SHIFTS[word], color=GREY, linestyle=":", linewidth=1.2)
        named = [texts.words.field(str(name)) for name in self._data["field"]]
        label_rows(ax, rows, named)
        ax.set_title(texts.gettext("Drift of fields"))
        label = texts.gettext("Population stability index")
        ax.set_xlabel(label if own_figure else "")
        format_numbers(ax.xaxis, texts)
