"""Whether a model keeps its reasons, period by period."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, look, percent
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError

_MOST = 7


class StabilityDisplay(Display):
    """Share of each concept, field or feature in what moves the scores, over time.

    Use `from_stability`.

    Parameters
    ----------
    data : DataFrame
        What `smartrisk.explanations.stability` returned.

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
    >>> told = sr.explanations.stability(reasons, period="Q")
    >>> shown = sr.displays.StabilityDisplay.from_stability(told).frame()
    >>> int(shown["name"].nunique())
    7
    """

    _panels = ("Stability",)
    _panel_size = (7.0, 3.8)

    @classmethod
    def from_stability(cls, stability: Any) -> Self:
        """Return the display of a stability.

        Parameters
        ----------
        stability : DataFrame
            What `smartrisk.explanations.stability` returned.

        Returns
        -------
        display : StabilityDisplay
            The seven with the largest share overall; draw it with `plot`.

        Raises
        ------
        ArgumentError
            If it is no stability.

        Examples
        --------
        >>> from smartrisk.displays import StabilityDisplay
        >>> StabilityDisplay.from_stability(3)
        Traceback (most recent call last):
        ...
        smartrisk.errors.ArgumentError: StabilityDisplay: 'stability' must be what...
        """
        columns = {"period", "name", "share", "n_items"}
        if not isinstance(stability, pd.DataFrame) or not columns <= set(stability):
            raise ArgumentError(
                "displays.stability_what_explanations_stability",
                "StabilityDisplay: 'stability' must be what explanations.stability "
                "returned; got {stability_type}.",
                stability_type=type(stability).__name__,
            )
        weight = stability["share"] * stability["n_items"]
        largest = weight.groupby(stability["name"]).sum().nlargest(_MOST).index
        kept = stability[stability["name"].isin(largest)]
        order = kept["name"].map({name: place for place, name in enumerate(largest)})
        lines = np.lexsort((kept["period"].to_numpy(), order.to_numpy()))
        return cls(kept.iloc[lines].reset_index(drop=True))

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw a line for each name."""
        (ax,), _ = axes, texts.gettext
        periods = sorted(self._data["period"].unique())
        names = list(self._data["name"].unique())
        labels = dict(zip(names, texts.words.named(names), strict=True))
        for place, (name, part) in enumerate(self._data.groupby("name", sort=False)):
            at, label = np.searchsorted(periods, part["period"]), labels[name]
            ax.plot(at, part["share"], label=label, markersize=4, **look(place))
        step = max(1, len(periods) // 6)
        days = [pd.Timestamp(period) for period in periods]
        months = all(day.day == 1 for day in days)
        named = [f"{day:%Y-%m}" if months else f"{day:%Y-%m-%d}" for day in days]
        ax.set_xticks(range(0, len(periods), step), named[::step])
        ax.tick_params(axis="x", labelrotation=30)
        ax.set_ylim(bottom=0.0)
        percent(ax.yaxis, texts)
        ax.set_title(texts.gettext("Share in what moves the scores"))
        label = _("Month") if months else _("First day of the period")
        ax.set_xlabel(label if roomy else "")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8.5)
