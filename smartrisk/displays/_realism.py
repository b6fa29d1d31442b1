"""How real a world looks: its figures beside the published ones."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, plain_numbers
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError
from smartrisk.languages import N_
from smartrisk.page_style import COLOURS, GREY, INK

_SIZES = "sizes"


class RealismDisplay(Display):
    """Figures of a world beside published ones and the bounds around them.

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

    _panels = (N_("Shares"), N_("Sizes and ratios"))
    _panel_size = (6.2, 6.6)

    @classmethod
    def from_realism(cls, report: Any) -> Self:
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
            If it is no such report.

        Examples
        --------
        >>> from smartrisk.datasets import make_declarations, realism
        >>> from smartrisk.displays import RealismDisplay
        >>> report = realism(make_declarations(5_000, random_state=0))
        >>> len(RealismDisplay.from_realism(report).frame()) > 30
        True
        """
        table = report.frame() if hasattr(report, "frame") else None
        if not isinstance(table, pd.DataFrame) or "verdict" not in table:
            raise ArgumentError(
                "displays.report_what_datasets_realism",
                "RealismDisplay: 'report' must be what datasets.realism returned; "
                "got {report_type}.",
                report_type=type(report).__name__,
            )
        return cls(table)

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw shares on the first axes, the rest on the second."""
        told = self._data[self._data["value"].notna()]
        ratio = told["figure"].isin(
            [
                "busiest month to the quietest",
                "items of a declaration",
                "quarter of most fraud to that of least",
            ]
        )
        other = (told["group"] == _SIZES) | ratio
        _rows(axes[0], told[~other], texts.gettext("share"), texts)
        _rows(axes[1], told[other], texts.gettext("log10, or ratio"), texts)
        for ax, title in zip(axes, self._panels, strict=True):
            ax.set_title(texts.gettext(title))
        if roomy:
            axes[1].legend(loc="upper left", bbox_to_anchor=(0.0, -0.12), ncols=2)


def _rows(ax: Any, table: pd.DataFrame, unit: str, texts: Texts) -> None:
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
        label=_("bounds"),
    )
    anchor = table["anchor"].to_numpy()
    ax.plot(anchor, place, "|", color=INK, ms=11, mew=1.8, label=_("published"))
    if "reference" in table:
        ax.plot(
            table["reference"], place, "D", color=COLOURS[1], ms=5, label=_("reference")
        )
    outside = (table["verdict"] == "outside").to_numpy()
    value = table["value"].to_numpy()
    ax.plot(
        value[~outside],
        place[~outside],
        "o",
        color=COLOURS[0],
        ms=6.5,
        label=_("world"),
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
    ax.set_yticks(place, table["figure"])
    ax.set_ylim(-0.7, len(table) - 0.3)
    ax.set_xlim(left=0.0)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.spines["left"].set_color(GREY)
    ax.set_xlabel(unit)
    plain_numbers(ax.xaxis, texts)
