"""Why some segments score above others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, format_numbers, label_rows
from smartrisk.displays._texts import Texts
from smartrisk.explanations import SegmentProfile
from smartrisk.page_style import COLOURS, GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Rows that can be read at the height of the figure.
_MOST = 15
#: Parts with a colour of their own: one more colour is left for "other".
_NAMED = 6
_TOTALS = ("segment", "n_items", "raw_score", "base")


class SegmentProfileDisplay(Display):
    """Mean contributions of each segment against those of all items.

    Bars to the right are what raises a segment above the mean of all, bars to the left
    what lowers it; they add up to the diamond. Use `from_profile`.

    Parameters
    ----------
    data : DataFrame
        ``segment``, ``n_items``, ``difference`` (of the mean log-odds to that of all
        items) and one column per concept, field or feature; "other" holds the rest.

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
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> profile = sr.explanations.segment_profile(reasons, "transport_mode")
    >>> frame = sr.displays.SegmentProfileDisplay.from_profile(profile).frame()
    >>> parts = frame.drop(columns=["segment", "n_items", "difference"])
    >>> bool((abs(parts.sum(axis=1) - frame["difference"]) < 1e-9).all())
    True
    """

    _result = SegmentProfile
    _source = "explanations.segment_profile"
    _panels = ("Profile",)
    _panel_size = (7.4, 4.0)

    @classmethod
    def from_profile(cls, profile: SegmentProfile) -> Self:
        """Return the display of a segment profile.

        Parameters
        ----------
        profile : SegmentProfile
            What `smartrisk.explanations.segment_profile` returned.

        Returns
        -------
        display : SegmentProfileDisplay
            The fifteen segments with most items, the highest score on top; draw it
            with `plot`.

        Raises
        ------
        ArgumentError
            If `profile` is not a `SegmentProfile`.
        """
        cls._check_result("profile", profile)
        table = profile.frame()
        weight = table["n_items"] / table["n_items"].sum()
        parts = table.drop(columns=list(_TOTALS))
        parts = parts - (parts.mul(weight, axis=0)).sum()
        spread = parts.abs().mul(weight, axis=0).sum()
        named = list(spread.nlargest(_NAMED).index)
        data = table[["segment", "n_items"]].copy()
        data["difference"] = parts.sum(axis=1)
        data = pd.concat([data, parts[named]], axis=1)
        rest = [name for name in parts if name not in named]
        if rest:
            data["other"] = data.get("other", 0.0) + parts[rest].sum(axis=1)
        data = data.nlargest(_MOST, "n_items")
        ranked = data.sort_values("difference", ascending=False, kind="stable")
        return cls(ranked.reset_index(drop=True))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw stacked bars to both sides, and the sum."""
        (ax,) = axes
        rows = -np.arange(len(self._data))
        left = np.zeros(len(rows))
        right = np.zeros(len(rows))
        names = [
            str(n) for n in self._data if n not in ("segment", "n_items", "difference")
        ]
        colours = [*COLOURS[: len(names) - 1], GREY] if "other" in names else COLOURS
        words = texts.words.labels(names)
        for name, label, colour in zip(names, words, colours, strict=False):
            size = self._data[name].to_numpy(float)
            start = np.where(size > 0, right, left)
            ax.barh(rows, size, left=start, color=colour, height=0.7, label=label)
            right += np.maximum(size, 0.0)
            left += np.minimum(size, 0.0)
        ax.plot(
            self._data["difference"],
            rows,
            "D",
            color=INK,
            markersize=5,
            label=texts.pgettext("legend: sum of the reasons", "together"),
        )
        ax.axvline(0.0, color=GREY, linewidth=1.0)
        labels = [texts.segment_value(value) for value in self._data["segment"]]
        label_rows(ax, rows, labels)
        ax.set_title(texts.gettext("Why segments score above or below the mean"))
        label = texts.gettext("Difference to the mean of all items, log-odds")
        ax.set_xlabel(label if own_figure else "")
        format_numbers(ax.xaxis, texts)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8.5)
