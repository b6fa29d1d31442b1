"""How the contribution of a feature changes with its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, format_numbers
from smartrisk.displays._texts import Texts
from smartrisk.explanations import Dependence
from smartrisk.page_style import COLOURS, GREY
from smartrisk.schema import DECLARATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE = 100.0  # from this ratio of the values on, the axis is logarithmic


class DependenceDisplay(Display):
    """Mean contribution of a feature by its value; the band holds eight in ten items.

    Items whose value is missing are a hollow point at the left. Use `from_dependence`.

    Parameters
    ----------
    data : DataFrame
        Rows of a `Dependence`.
    feature : str
        Name of the feature.

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
    >>> dependence = sr.explanations.dependence(reasons, "duty_rate")
    >>> display = sr.displays.DependenceDisplay.from_dependence(dependence)
    >>> int(display.frame()["n_items"].sum())
    500
    """

    _result = Dependence
    _source = "explanations.dependence"
    _panels = ("Dependence",)
    _panel_size = (5.6, 3.8)

    def __init__(self, data: pd.DataFrame, feature: str = "") -> None:
        super().__init__(data)
        self.feature = feature

    @classmethod
    def from_dependence(cls, dependence: Dependence) -> Self:
        """Return the display of a dependence.

        Parameters
        ----------
        dependence : Dependence
            What `smartrisk.explanations.dependence` returned.

        Returns
        -------
        display : DependenceDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `dependence` is not a `Dependence`.
        """
        cls._check_result("dependence", dependence)
        return cls(dependence.frame(), dependence.feature)

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw the mean with its band, and missing values separately."""
        (ax,) = axes
        no_value = self._data["low"].isna()
        known, missing = self._data[~no_value], self._data[no_value]
        low, high = known["low"].to_numpy(float), known["high"].to_numpy(float)
        log = bool(len(low)) and low.min() > 0 and high.max() / low.min() >= _WIDE
        at = np.sqrt(low * high) if log else (low + high) / 2.0
        ax.fill_between(at, known["q10"], known["q90"], color=COLOURS[0], alpha=0.16)
        ax.plot(at, known["mean"], "o-", color=COLOURS[0], markersize=5)
        ax.axhline(0.0, color=GREY, linestyle=":", linewidth=1.2)
        if log:
            ax.set_xscale("log")
        if len(missing):
            left = np.nan if not len(at) else at.min()
            span = np.ptp(at) if len(at) > 1 else 1.0
            x = left / 2.0 if log else (0.0 if np.isnan(left) else left - 0.1 * span)
            mean, q10, q90 = missing[["mean", "q10", "q90"]].iloc[0]
            reach = np.clip([[mean - q10], [q90 - mean]], 0.0, None)
            ax.errorbar(
                [x],
                [mean],
                yerr=reach,
                fmt="o",
                color=COLOURS[1],
                markerfacecolor="white",
                label=texts.pgettext("legend: items", "missing"),
            )
            ax.legend(loc="best")
        is_field = self.feature in DECLARATIONS
        name = texts.words.field(self.feature) if is_field else self.feature
        ax.set_title(texts.name(name))
        format_numbers(ax.xaxis, texts)
        format_numbers(ax.yaxis, texts)
        if own_figure:
            ax.set_xlabel(texts.gettext("Value of the feature"))
            ax.set_ylabel(texts.gettext("Contribution, log-odds"))
