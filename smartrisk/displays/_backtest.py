"""A backtest over time: what each contender found, period by period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from smartrisk.displays._display import Display, format_percent, line_style
from smartrisk.displays._texts import Texts
from smartrisk.errors import check_choice
from smartrisk.evaluation import Backtest
from smartrisk.languages import N_

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MEASURES = {
    "precision": N_("Precision"),
    "recall": N_("Recall"),
    "revenue_share": N_("Revenue share"),
}


class BacktestDisplay(Display):
    """Precision, recall and revenue share of contenders, period by period.

    One panel per measure, one line per contender. Use `from_backtest`.

    Parameters
    ----------
    data : DataFrame
        ``contender``, ``period`` and the measures.

    Attributes
    ----------
    ax_ : ndarray of Axes
        One per measure.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0, scenario="small")
    >>> def by_value(past, known, later):
    ...     return later["customs_value"]
    >>> result = sr.evaluation.backtest({"value": by_value}, world.declarations,
    ...     world.outcomes, judge=world.full_outcomes(), n_folds=2)
    >>> sr.displays.BacktestDisplay.from_backtest(result).frame()["period"].tolist()
    ['2024-11', '2024-12']
    """

    _result = Backtest
    _source = "evaluation.backtest"
    _panels = tuple(_MEASURES.values())
    _panel_size = (4.0, 3.2)

    @classmethod
    def from_backtest(cls, backtest: Backtest, *, rate: float | None = None) -> Self:
        """Return the display of a backtest.

        Parameters
        ----------
        backtest : Backtest
            What `smartrisk.evaluation.backtest` returned.
        rate : float, default=None
            Inspection rate to draw, one of those in `backtest`; None for the one
            nearest to 0.05, a usual capacity.

        Returns
        -------
        display : BacktestDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `backtest` is not a `Backtest`, or has no such rate.
        """
        cls._check_result("backtest", backtest)
        table = backtest.frame()
        rates = tuple(table["rate"].unique())
        if rate is None:
            rate = min(rates, key=lambda known: abs(known - 0.05))
        check_choice("BacktestDisplay", "rate", rate, rates)
        kept = ["contender", "period", "rate", "n_items", "n_inspected", *_MEASURES]
        return cls(table.loc[table["rate"] == rate, kept].reset_index(drop=True))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw one line per contender on each panel."""
        periods = list(dict.fromkeys(self._data["period"]))
        step = max(len(periods) // 6, 1)
        for ax, (measure, title) in zip(axes, _MEASURES.items(), strict=True):
            for place, (name, part) in enumerate(
                self._data.groupby("contender", sort=False)
            ):
                at = [periods.index(p) for p in part["period"]]
                label = texts.name(name)
                ax.plot(
                    at, part[measure], label=label, markersize=4, **line_style(place)
                )
            ax.set_title(texts.gettext(title))
            ax.set_xticks(np.arange(0, len(periods), step), periods[::step])
            ax.tick_params(axis="x", labelrotation=30)
            ax.set_ylim(bottom=0.0)
            format_percent(ax.yaxis, texts)
        label = texts.gettext("%(rate)s of the items inspected") % {
            "rate": texts.rate(self._data["rate"].iloc[0])
        }
        axes[0].set_ylabel(label if own_figure else "")
        axes[0].legend(fontsize=8)
