"""Whether a model keeps its reasons, period by period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, format_percent, line_style
from smartrisk.displays._texts import Texts
from smartrisk.explanations import Stability
from smartrisk.page_style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Lines that have a colour each.
_MOST = len(COLOURS)


class StabilityDisplay(Display):
    """Share of each concept, field or feature in what moves the scores, over time.

    Use `from_stability`.

    Parameters
    ----------
    data : DataFrame
        Rows of a `Stability`.

    Attributes
    ----------
    ax_ : Axes
        What `plot` drew on.
    figure_ : Figure
        The figure that holds it.

    See Also
    --------
    DriftDisplay : How far the declared fields moved.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> stability = sr.explanations.stability(reasons, period="Q")
    >>> frame = sr.displays.StabilityDisplay.from_stability(stability).frame()
    >>> int(frame["name"].nunique())
    7
    """

    _result = Stability
    _source = "explanations.stability"
    _panels = ("Stability",)
    _panel_size = (7.0, 3.8)

    @classmethod
    def from_stability(cls, stability: Stability) -> Self:
        """Return the display of a stability.

        Parameters
        ----------
        stability : Stability
            What `smartrisk.explanations.stability` returned.

        Returns
        -------
        display : StabilityDisplay
            The seven with the largest share overall; draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `stability` is not a `Stability`.
        """
        cls._check_result("stability", stability)
        table = stability.frame()
        weight = table["share"] * table["n_items"]
        largest = weight.groupby(table["name"]).sum().nlargest(_MOST).index
        kept = table[table["name"].isin(largest)]
        order = kept["name"].map({name: place for place, name in enumerate(largest)})
        lines = np.lexsort((kept["period"].to_numpy(), order.to_numpy()))
        return cls(kept.iloc[lines].reset_index(drop=True))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw a line for each name."""
        (ax,), _ = axes, texts.gettext
        periods = sorted(self._data["period"].unique())
        names = list(self._data["name"].unique())
        labels = dict(zip(names, texts.words.labels(names), strict=True))
        for place, (name, part) in enumerate(self._data.groupby("name", sort=False)):
            at, label = np.searchsorted(periods, part["period"]), labels[name]
            ax.plot(at, part["share"], label=label, markersize=4, **line_style(place))
        step = max(1, len(periods) // 6)
        days = [pd.Timestamp(period) for period in periods]
        months = all(day.day == 1 for day in days)
        named = [f"{day:%Y-%m}" if months else f"{day:%Y-%m-%d}" for day in days]
        ax.set_xticks(range(0, len(periods), step), named[::step])
        ax.tick_params(axis="x", labelrotation=30)
        ax.set_ylim(bottom=0.0)
        format_percent(ax.yaxis, texts)
        ax.set_title(texts.gettext("Share in what moves the scores"))
        label = _("Month") if months else _("First day of the period")
        ax.set_xlabel(label if own_figure else "")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8.5)
