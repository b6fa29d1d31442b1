"""What moves the scores of many items, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from smartrisk.displays._display import Display, format_numbers, label_rows
from smartrisk.displays._texts import Texts
from smartrisk.explanations import Importance
from smartrisk.page_style import COLOURS, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Rows that can be read at the height of the figure.
_MOST = 15


class ImportanceDisplay(Display):
    """Mean size of the contributions of concepts, fields or features.

    Use `from_importance`.

    Parameters
    ----------
    data : DataFrame
        Rows of an `Importance`.

    Attributes
    ----------
    ax_ : Axes
        What `plot` drew on.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(100))
    >>> importance = sr.explanations.importance(reasons)
    >>> len(sr.displays.ImportanceDisplay.from_importance(importance).frame())
    8
    """

    _result = Importance
    _source = "explanations.importance"
    _panels = ("Importance",)
    _panel_size = (6.0, 3.8)

    @classmethod
    def from_importance(cls, importance: Importance) -> Self:
        """Return the display of an importance.

        Parameters
        ----------
        importance : Importance
            What `smartrisk.explanations.importance` returned.

        Returns
        -------
        display : ImportanceDisplay
            The fifteen largest; draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `importance` is not an `Importance`.
        """
        cls._check_result("importance", importance)
        return cls(importance.frame().head(_MOST))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw a bar with its interval for each name."""
        (ax,) = axes
        rows = -np.arange(len(self._data))
        size = self._data["mean_abs"].to_numpy(np.float64)
        low = size - self._data["low"].to_numpy(np.float64)
        high = self._data["high"].to_numpy(np.float64) - size
        reach = np.clip([low, high], 0.0, None)
        ax.barh(rows, size, color=COLOURS[0], height=0.65)
        ax.errorbar(size, rows, xerr=reach, fmt="none", ecolor=INK, capsize=2)
        label_rows(ax, rows, texts.words.labels(list(self._data["name"])))
        ax.set_xlim(left=0.0)
        ax.set_title(texts.gettext("What moves the scores"))
        label = texts.gettext("Mean size of the contribution, log-odds")
        ax.set_xlabel(label if own_figure else "")
        format_numbers(ax.xaxis, texts)
