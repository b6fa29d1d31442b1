"""Segments side by side: what a ranking selects, and where it finds irregularities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from smartrisk.displays._display import Display, format_percent, label_rows
from smartrisk.displays._texts import Texts
from smartrisk.errors import check_choice
from smartrisk.evaluation import Segments
from smartrisk.languages import N_
from smartrisk.page_style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MEASURES = {"selection_rate": N_("Share selected"), "precision": N_("Precision")}
#: Rows that can be read at the height of the figure.
_MOST = 15


class SegmentsDisplay(Display):
    """Selection rate and precision by value of a segment, with intervals.

    Values whose denominator is small are drawn hollow. Use `from_segments`.

    Parameters
    ----------
    data : DataFrame
        ``value``, ``n_items`` and, for each measure, its rate and bounds.

    Attributes
    ----------
    ax_ : ndarray of Axes
        One per measure.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> scores = key.assign(risk_score=world.declarations["duty_rate"])
    >>> segments = sr.evaluation.by_segment(scores, world.full_outcomes(),
    ...     {"mode": world.declarations["transport_mode"]})
    >>> display = sr.displays.SegmentsDisplay.from_segments(segments, "mode")
    >>> len(display.frame()) > 1
    True
    """

    _result = Segments
    _source = "evaluation.by_segment"
    _panels = tuple(_MEASURES.values())
    _panel_size = (4.2, 3.6)

    @classmethod
    def from_segments(cls, segments: Segments, segment: str) -> Self:
        """Return the display of one segment.

        Parameters
        ----------
        segments : Segments
            What `smartrisk.evaluation.by_segment` returned.
        segment : str
            The segment to draw, one of those in `segments`.

        Returns
        -------
        display : SegmentsDisplay
            The fifteen values with most items; draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `segments` is not a `Segments`, or has no such segment.
        """
        cls._check_result("segments", segments)
        table = segments.frame()
        known = tuple(table["segment"].unique())
        check_choice("SegmentsDisplay", "segment", segment, known)
        part = table[table["segment"] == segment].copy()
        part["small_selection_rate"] = part["n_selectable"] < segments.min_items
        part["small_precision"] = part["n_selected_judged"] < segments.min_items
        most = part["n_items"].nlargest(_MOST).index
        return cls(part.loc[part.index.isin(most)].reset_index(drop=True))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw a point with its interval for each value."""
        _ = texts.gettext
        labels = [texts.segment_value(value) for value in self._data["value"]]
        rows = -np.arange(len(labels))
        for place, (ax, (name, title)) in enumerate(
            zip(axes, _MEASURES.items(), strict=True)
        ):
            rate = self._data[name].to_numpy(np.float64)
            low = rate - self._data[f"{name}_low"].to_numpy(np.float64)
            high = self._data[f"{name}_high"].to_numpy(np.float64) - rate
            small = self._data[f"small_{name}"].to_numpy(bool)
            for part, face in ((~small, COLOURS[0]), (small, "white")):
                reach = np.clip([low[part], high[part]], 0.0, None)
                ax.errorbar(
                    rate[part],
                    rows[part],
                    xerr=reach,
                    fmt="o",
                    color=COLOURS[0],
                    markerfacecolor=face,
                    capsize=2,
                )
            ax.set_title(_(title))
            label_rows(ax, rows, labels if place == 0 else [])
            # Rows without a rate would be left out of the limits that matplotlib finds,
            # and the panels would not be level with each other.
            ax.set_ylim(-len(rows) + 0.4, 0.6)
            ax.set_xlim(left=-0.02 * ax.get_xlim()[1])  # markers at 0 stay whole
            format_percent(ax.xaxis, texts)
        if own_figure and "segment" in self._data and len(self._data):
            named = texts.segment(str(self._data["segment"].iloc[0]))
            axes[0].set_ylabel(texts.words.capitalise(named))
        if own_figure:
            axes[0].set_xlabel(texts.wrap(_("Share of the items")))
            axes[1].set_xlabel(texts.wrap(_("Share of the selected; hollow: few")))
