"""What moves the scores of many items, with intervals."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, plain_numbers
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError
from smartrisk.page_style import COLOURS, INK

_MOST = 15


class ImportanceDisplay(Display):
    """Mean size of the contributions of concepts, fields or features.

    Use `from_importance`.

    Parameters
    ----------
    data : DataFrame
        What `smartrisk.explanations.importance` returned.

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
    >>> told = sr.explanations.importance(reasons)
    >>> len(sr.displays.ImportanceDisplay.from_importance(told).frame())
    8
    """

    _panels = ("Importance",)
    _panel_size = (6.0, 3.8)

    @classmethod
    def from_importance(cls, importance: Any) -> Self:
        """Return the display of an importance.

        Parameters
        ----------
        importance : DataFrame
            What `smartrisk.explanations.importance` returned.

        Returns
        -------
        display : ImportanceDisplay
            The fifteen largest; draw it with `plot`.

        Raises
        ------
        ArgumentError
            If it is no importance.

        Examples
        --------
        >>> from smartrisk.displays import ImportanceDisplay
        >>> ImportanceDisplay.from_importance(3)
        Traceback (most recent call last):
        ...
        smartrisk.errors.ArgumentError: ImportanceDisplay: 'importance' must be what...
        """
        if not isinstance(importance, pd.DataFrame) or "mean_abs" not in importance:
            raise ArgumentError(
                "displays.importance_what_explanations_importance",
                "ImportanceDisplay: 'importance' must be what "
                "explanations.importance returned; got {importance_type}.",
                importance_type=type(importance).__name__,
            )
        return cls(importance.head(_MOST))

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw a bar with its interval for each name."""
        (ax,) = axes
        rows = -np.arange(len(self._data))
        size = self._data["mean_abs"].to_numpy(np.float64)
        low = size - self._data["low"].to_numpy(np.float64)
        high = self._data["high"].to_numpy(np.float64) - size
        reach = np.clip([low, high], 0.0, None)
        ax.barh(rows, size, color=COLOURS[0], height=0.65)
        ax.errorbar(size, rows, xerr=reach, fmt="none", ecolor=INK, capsize=2)
        ax.set_yticks(rows, texts.words.named(list(self._data["name"])))
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.grid(axis="y", visible=False)
        ax.set_xlim(left=0.0)
        ax.set_title(texts.gettext("What moves the scores"))
        label = texts.gettext("Mean size of the contribution, log-odds")
        ax.set_xlabel(label if roomy else "")
        plain_numbers(ax.xaxis, texts)
