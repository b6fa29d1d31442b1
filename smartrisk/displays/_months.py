"""Items and results month by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from smartrisk.displays._display import Display, format_numbers, format_percent
from smartrisk.displays._texts import Texts
from smartrisk.languages import N_
from smartrisk.page_style import COLOURS
from smartrisk.quality import Scorecard

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class MonthsDisplay(Display):
    """Number of items, and the share of them with a result, month by month.

    Use `from_scorecard`.

    Parameters
    ----------
    data : DataFrame
        ``months()`` of a `Scorecard`.

    Attributes
    ----------
    ax_ : ndarray of Axes
        Items on the left, shares on the right.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> card = sr.quality.scorecard(world.declarations, world.outcomes)
    >>> display = sr.displays.MonthsDisplay.from_scorecard(card)
    >>> int(display.frame()["n_items"].sum())
    2000
    """

    _result = Scorecard
    _source = "quality.scorecard"
    _panels = (N_("Items"), N_("With a result"))
    _panel_size = (4.2, 2.6)

    @classmethod
    def from_scorecard(cls, scorecard: Scorecard) -> Self:
        """Return the display of the months of a scorecard.

        Parameters
        ----------
        scorecard : Scorecard
            What `smartrisk.quality.scorecard` returned.

        Returns
        -------
        display : MonthsDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `scorecard` is not a `Scorecard`.
        """
        cls._check_result("scorecard", scorecard)
        return cls(scorecard.months())

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw bars of items and a line of the share."""
        months = list(self._data["month"])
        at = np.arange(len(months))
        axes[0].bar(at, self._data["n_items"], color=COLOURS[0])
        axes[1].plot(at, self._data["share"], color=COLOURS[1], marker="o")
        format_percent(axes[1].yaxis, texts)
        format_numbers(axes[0].yaxis, texts)
        step = max(len(months) // 5, 1)
        columns = ("n_items", "share")
        for ax, title, column in zip(axes, self._panels, columns, strict=True):
            ax.set_title(texts.gettext(title))
            ax.set_ylim(0.0, 1.1 * self._top(column))
            ax.set_xticks(at[::step], months[::step])
            ax.tick_params(axis="x", labelrotation=30)

    def _top(self, column: str) -> float:
        """Return the largest value of a column, 1 where all are 0."""
        return float(self._data[column].max()) or 1.0
