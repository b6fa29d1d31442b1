"""Items and results month by month."""

from __future__ import annotations

from typing import Any

import numpy as np

from smartrisk.displays._display import Display, percent, plain_numbers
from smartrisk.displays._texts import Texts
from smartrisk.languages import N_
from smartrisk.page_style import COLOURS


class MonthsDisplay(Display):
    """Draw the number of items, and the share with a result, month by month.

    Parameters
    ----------
    data : DataFrame
        Columns ``month`` (text), ``n_items`` and ``share``.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.displays import MonthsDisplay
    >>> data = pd.DataFrame({"month": ["2024-01"], "n_items": [10], "share": [0.1]})
    >>> MonthsDisplay(data).frame()["n_items"].tolist()
    [10]
    """

    _panels = (N_("Items"), N_("With a result"))
    _panel_size = (4.2, 2.6)

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw bars of items and a line of the share."""
        months = list(self._data["month"])
        at = np.arange(len(months))
        axes[0].bar(at, self._data["n_items"], color=COLOURS[0])
        axes[1].plot(at, self._data["share"], color=COLOURS[1], marker="o")
        percent(axes[1].yaxis, texts)
        plain_numbers(axes[0].yaxis, texts)
        step = max(len(months) // 5, 1)
        for ax, title in zip(axes, self._panels, strict=True):
            ax.set_title(texts.gettext(title))
            ax.set_ylim(bottom=0.0)
            ax.set_xticks(at[::step], months[::step])
            ax.tick_params(axis="x", labelrotation=30)
