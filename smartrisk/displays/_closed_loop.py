"""The closed loop month by month: what each arm finds with what it has learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import (
    Display,
    format_percent,
    line_style,
    space_labels,
)
from smartrisk.displays._texts import Texts
from smartrisk.errors import check_choice
from smartrisk.languages import N_
from smartrisk.page_style import INK
from smartrisk.simulation import ClosedLoop

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MEASURES = {
    "hit_rate": N_("Hit rate by month"),
    "recall": N_("Recall by month"),
    "revenue_share": N_("Revenue share by month"),
}
_COLUMNS = ("month", "arm", "mean", "low", "high", "n_worlds")


class ClosedLoopDisplay(Display):
    """What each arm of a closed loop found, month by month, as means over the worlds.

    Lines are means over the worlds, smoothed over the months asked for; bands are plus
    and minus one standard error over the worlds. Use `from_loop`.

    Parameters
    ----------
    data : DataFrame
        ``month``, ``arm``, ``mean``, ``low``, ``high``, ``n_worlds``.
    measure : str, default="hit_rate"
        "hit_rate", "recall" or "revenue_share".

    Attributes
    ----------
    ax_ : Axes
        What `plot` drew on.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0, scenario="small")
    >>> rates = sr.models.SmoothedRateSum()
    >>> arms = {"rates": sr.simulation.Arm(contender=rates, refit_every=6)}
    >>> loop = sr.simulation.close_loop(arms, [world], start=18)
    >>> display = sr.displays.ClosedLoopDisplay.from_loop(loop)
    >>> display.frame()["arm"].unique().tolist()
    ['rates']
    """

    _result = ClosedLoop
    _source = "simulation.close_loop"
    _panel_size = (7.2, 4.2)

    def __init__(self, data: pd.DataFrame, *, measure: str = "hit_rate") -> None:
        super().__init__(data)
        self.measure = measure

    @classmethod
    def from_loop(
        cls, loop: ClosedLoop, *, measure: str = "hit_rate", months: int = 3
    ) -> Self:
        """Return the display of a closed loop.

        Parameters
        ----------
        loop : ClosedLoop
            What `smartrisk.simulation.close_loop` returned.
        measure : str, default="hit_rate"
            "hit_rate", "recall" or "revenue_share".
        months : int, default=3
            Months that a point averages: its own and those before it.

        Returns
        -------
        display : ClosedLoopDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `loop` is not a `ClosedLoop`, or `measure` is unknown.
        """
        check_choice("ClosedLoopDisplay", "measure", measure, list(_MEASURES))
        cls._check_result("loop", loop)
        table = loop.frame()
        table = table[table["arm"] != "oracle"]
        rows = []
        for arm, part in table.groupby("arm", sort=False):
            wide = part.pivot_table(index="month", columns="seed", values=measure)
            wide = wide.sort_index().rolling(months, min_periods=1).mean()
            n = wide.notna().sum(axis=1)
            error = wide.std(axis=1).fillna(0.0) / np.sqrt(n.clip(lower=1))
            mean = wide.mean(axis=1)
            rows.append(
                pd.DataFrame(
                    {
                        "month": wide.index,
                        "arm": arm,
                        "mean": mean.to_numpy(),
                        "low": (mean - error).to_numpy(),
                        "high": (mean + error).to_numpy(),
                        "n_worlds": n.to_numpy(),
                    }
                )
            )
        data = pd.concat(rows, ignore_index=True)[list(_COLUMNS)]
        return cls(data, measure=measure)

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw one line per arm, named at its end."""
        ax = axes[0]
        months = sorted(self._data["month"].unique())
        place = {month: k for k, month in enumerate(months)}
        ends, names = [], []
        for row, (arm, part) in enumerate(self._data.groupby("arm", sort=False)):
            style = line_style(row)
            x = part["month"].map(place).to_numpy(np.float64)
            ax.plot(x, part["mean"], markersize=4, linewidth=1.6, **style)
            band = {"color": style["color"], "alpha": 0.14, "linewidth": 0}
            ax.fill_between(x, part["low"], part["high"], **band)
            ends.append(float(part["mean"].iloc[-1]))
            names.append((texts.name(arm), style["color"]))
        top = float(self._data["high"].max()) * 1.08
        ax.set_ylim(0.0, top if top > 0 else 1.0)
        right = len(months) - 1 + 0.03 * len(months)
        for y, (name, colour) in zip(
            space_labels(ends, 0.055 * top), names, strict=True
        ):
            ax.text(right, y, name, color=colour, va="center", fontsize=9)
        step = max(1, len(months) // 6)
        ax.set_xticks(range(0, len(months), step), months[::step])
        ax.set_xlim(-0.5, len(months) * 1.28)
        format_percent(ax.yaxis, texts)
        ax.set_title(texts.gettext(_MEASURES[self.measure]))
        if own_figure:
            ax.set_xlabel(texts.gettext("Month of the decision"), color=INK)
