"""How realistic a world is: its figures next to published ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, format_numbers, label_rows
from smartrisk.displays._texts import Texts
from smartrisk.languages import N_
from smartrisk.page_style import COLOURS, GREY, INK
from smartrisk.worlds import Realism

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZES = "sizes"
#: Figures that are not shares: they have the axis of the sizes.
_RATIOS = (
    "busiest month to the quietest",
    "items of a declaration",
    "quarter of most fraud to that of least",
)


class RealismDisplay(Display):
    """Figures of a world next to published ones and the bounds around them.

    Grey bars are the bounds, black ticks the published figures, dots the world (filled
    within its bounds, hollow outside), diamonds the reference. Use `from_realism`.

    Parameters
    ----------
    data : DataFrame
        ``frame()`` of a ``Realism``.

    Attributes
    ----------
    ax_ : ndarray of Axes
        Shares on the left, everything else on the right.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations, realism
    >>> from smartrisk.displays import RealismDisplay
    >>> report = realism(make_declarations(5_000, random_state=0))
    >>> bool(RealismDisplay.from_realism(report).frame()["value"].notna().any())
    True
    """

    _result = Realism
    _source = "datasets.realism"
    _panels = (N_("Shares"), N_("Sizes and ratios"))
    _panel_size = (6.2, 6.6)

    @classmethod
    def from_realism(cls, report: Realism) -> Self:
        """Return the display of a realism report.

        Parameters
        ----------
        report : Realism
            What `smartrisk.datasets.realism` returned.

        Returns
        -------
        display : RealismDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `report` is not a `Realism`.

        Examples
        --------
        >>> from smartrisk.datasets import make_declarations, realism
        >>> from smartrisk.displays import RealismDisplay
        >>> report = realism(make_declarations(5_000, random_state=0))
        >>> len(RealismDisplay.from_realism(report).frame()) > 30
        True
        """
        cls._check_result("report", report)
        return cls(report.frame())

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw shares on the first axes, the rest on the second."""
        known = self._data[self._data["value"].notna()]
        other = (known["group"] == _SIZES) | known["figure"].isin(_RATIOS)
        _draw_rows(axes[0], known[~other], texts.pgettext("axis", "share"), texts)
        _draw_rows(axes[1], known[other], texts.gettext("log10, or ratio"), texts)
        for ax, title in zip(axes, self._panels, strict=True):
            ax.set_title(texts.gettext(title))
        if own_figure:
            axes[1].legend(loc="upper left", bbox_to_anchor=(0.0, -0.12), ncols=2)


def _draw_rows(ax: Axes, table: pd.DataFrame, unit: str, texts: Texts) -> None:
    """Draw a row per figure: bounds, anchor, reference, value."""
    _, place = texts.gettext, np.arange(len(table))[::-1]
    judged = table["verdict"].isin(["within", "outside"]).to_numpy()
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    ax.barh(
        place[judged],
        (high - low)[judged],
        left=low[judged],
        height=0.62,
        color="#DCDCDC",
        label=texts.pgettext("legend: value of a figure", "bounds"),
    )
    anchor = table["anchor"].to_numpy()
    ax.plot(
        anchor,
        place,
        "|",
        color=INK,
        ms=11,
        mew=1.8,
        label=texts.pgettext("legend: value of a figure", "published"),
    )
    if "reference" in table:
        ax.plot(
            table["reference"],
            place,
            "D",
            color=COLOURS[1],
            ms=5,
            label=texts.pgettext("legend: value of a figure", "reference"),
        )
    outside = (table["verdict"] == "outside").to_numpy()
    value = table["value"].to_numpy()
    ax.plot(
        value[~outside],
        place[~outside],
        "o",
        color=COLOURS[0],
        ms=6.5,
        label=texts.pgettext("legend: value of a figure", "world"),
    )
    ax.plot(
        value[outside],
        place[outside],
        "o",
        mfc="white",
        mec=COLOURS[0],
        mew=1.6,
        ms=6.5,
        label=_("world, outside") if outside.any() else None,
    )
    label_rows(ax, place, [_(name) for name in table["figure"]])
    ax.set_ylim(-0.7, len(table) - 0.3)
    ax.set_xlim(left=0.0)
    ax.spines["left"].set_color(GREY)
    ax.set_xlabel(unit)
    format_numbers(ax.xaxis, texts)
