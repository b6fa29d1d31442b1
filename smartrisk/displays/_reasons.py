"""Reasons of one item, from the base to its score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, format_numbers, label_rows
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError
from smartrisk.explanations import Reasons
from smartrisk.page_style import COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ReasonsDisplay(Display):
    """From the base to the score of one item, concept by concept.

    Bars to the right raise the log-odds, bars to the left lower them; they add up. Use
    `from_reasons`.

    Parameters
    ----------
    data : DataFrame
        ``concept``, ``start`` and ``contribution``, from the base on.

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
    >>> reasons = engine.explain(world.declarations.tail(1))
    >>> frame = sr.displays.ReasonsDisplay.from_reasons(reasons).frame()
    >>> bool(abs(frame["contribution"].sum() - reasons.raw_score[0]) < 1e-9)
    True
    """

    _result = Reasons
    _source = "engine.explain"
    _panels = ("Reasons",)
    _panel_size = (6.4, 3.6)

    @classmethod
    def from_reasons(cls, reasons: Reasons) -> Self:
        """Return the display of the reasons of one item.

        Parameters
        ----------
        reasons : Reasons
            Reasons of one item, such as ``engine.explain(items)[0]``.

        Returns
        -------
        display : ReasonsDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `reasons` is not a `Reasons`, or not of one item.
        """
        cls._check_result("reasons", reasons)
        if len(reasons) != 1:
            raise ArgumentError(
                "displays.not_one_item",
                "ReasonsDisplay: 'reasons' must be those of one item; got {n_items} "
                "items. Pass engine.explain(items)[0].",
                n_items=len(reasons),
            )
        parts = reasons.by_concept().iloc[0]
        parts = parts[parts != 0.0].sort_values(key=np.abs, ascending=False)
        sizes = np.r_[reasons.base_values[0], parts.to_numpy(np.float64)]
        data = pd.DataFrame(
            {
                "concept": ["base", *parts.index],
                "start": np.r_[0.0, np.cumsum(sizes)[:-1]],
                "contribution": sizes,
            }
        )
        return cls(data)

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw a bar per concept, each from the end of the one before."""
        (ax,) = axes
        start, size = self._data["start"], self._data["contribution"]
        rows = -np.arange(len(self._data))
        colours = [COLOURS[1] if value > 0 else COLOURS[0] for value in size]
        colours[0] = GREY
        ax.barh(rows, size, left=start, color=colours, height=0.65)
        ends = start + size
        for row, end, value in zip(rows, ends, size, strict=True):
            side = 1 if value > 0 else -1
            ax.annotate(
                texts.words.signed_number(value),
                (end, row),
                xytext=(4 * side, 0),
                textcoords="offset points",
                va="center",
                ha="left" if side > 0 else "right",
                fontsize=8.5,
            )
        ax.axvline(float(ends.iloc[-1]), color=GREY, linestyle=":", linewidth=1.2)
        ax.use_sticky_edges = False  # else no space for the sizes at the ends
        ax.margins(x=0.15)
        words, names = texts.words, list(self._data["concept"])
        named = [words.text("base"), *map(words.concept, names[1:])]
        label_rows(ax, rows, named)
        total = {"size": words.signed_number(float(ends.iloc[-1]))}
        ax.set_title(texts.gettext("%(size)s log-odds") % total)
        ax.set_xlabel(texts.gettext("Log-odds") if own_figure else "")
        format_numbers(ax.xaxis, texts)
