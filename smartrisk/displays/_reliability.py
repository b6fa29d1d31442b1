"""Whether scores are calibrated: observed hit rate against risk score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, format_percent, line_style
from smartrisk.displays._texts import Texts
from smartrisk.evaluation import Calibration
from smartrisk.languages import N_
from smartrisk.page_style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ReliabilityDisplay(Display):
    """Observed hit rate of inspected items against their risk score.

    Items are put into groups of equal size by score; a calibrated score lies on the
    diagonal. Use `from_calibrations`.

    Parameters
    ----------
    data : DataFrame
        One row per contender and group: ``contender``, ``score``, ``hit_rate``,
        ``hit_rate_low``, ``hit_rate_high``, ``n_items``.

    Attributes
    ----------
    ax_ : Axes
        What `plot` drew on.
    figure_ : Figure
        The figure that holds it.

    Notes
    -----
    Intervals are Wilson's (1927) at 95 %, for the binomial alone: they do not include
    drift. Only inspected items have a result; where inspection followed a score, the
    picture is that of the inspected, not of all.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.displays import ReliabilityDisplay
    >>> from smartrisk.evaluation import calibration
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=2000)
    >>> hits = rng.uniform(size=2000) < p
    >>> result = calibration(p, hits, n_groups=4)
    >>> display = ReliabilityDisplay.from_calibrations(result)
    >>> display.frame()[["score", "hit_rate"]].round(2)
       score  hit_rate
    0   0.12      0.12
    1   0.37      0.39
    2   0.63      0.60
    3   0.88      0.90
    """

    _result = Calibration
    _source = "evaluation.calibration"
    _panels = (N_("Reliability: predicted and observed hit rate"),)
    _panel_size = (5.6, 4.8)

    @classmethod
    def from_calibrations(
        cls, calibrations: Calibration | Mapping[str, Calibration]
    ) -> Self:
        """Return the display of one calibration, or of several side by side.

        Parameters
        ----------
        calibrations : Calibration or mapping of str to Calibration
            What `smartrisk.evaluation.calibration` returned; several by the name of
            the contender.

        Returns
        -------
        display : ReliabilityDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If there is no calibration, or something is not a `Calibration`.

        Examples
        --------
        >>> from smartrisk.evaluation import calibration
        >>> from smartrisk.displays import ReliabilityDisplay
        >>> result = calibration([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 0], n_groups=2)
        >>> ReliabilityDisplay.from_calibrations(result).frame()["hit_rate"].tolist()
        [0.0, 0.5]
        """
        named = cls._name_results("calibrations", calibrations)
        parts = []
        for name, result in named.items():
            part = result.frame()
            part.insert(0, "contender", name)
            parts.append(part)
        return cls(pd.concat(parts, ignore_index=True))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw the groups of each contender, and the diagonal."""
        ax, data = axes[0], self._data
        top = float(np.nanmax(data[["score", "hit_rate_high"]].to_numpy()))
        top = min(1.0, 1.08 * top)
        _ = texts.gettext
        _draw_diagonal(ax, top, _("perfectly calibrated"))
        for place, (name, part) in enumerate(data.groupby("contender", sort=False)):
            label = texts.name(name) or "_nolegend_"
            _draw_groups(ax, part, label=label, style=line_style(place))
        score = _("Risk score, mean of the group (%)")
        sizes = _("(%(n)s items a group; bars: 95 %% interval)") % {
            "n": _format_range(data["n_items"], texts)
        }
        ax.set(
            title=_(self._panels[0]),
            xlabel=f"{score}\n{sizes}",
            ylabel=_("Observed hit rate (% of inspected items)"),
            xlim=(0, top),
            ylim=(0, top),
        )
        format_percent(ax.xaxis, texts)
        format_percent(ax.yaxis, texts)
        if any(data["contender"]):
            ax.legend(loc="upper left")


def _draw_diagonal(ax: Axes, top: float, label: str) -> None:
    """Draw where calibrated scores lie."""
    ax.plot([0, top], [0, top], color=GREY, linestyle=":", linewidth=1.4)
    ax.annotate(
        label,
        (0.7 * top, 0.7 * top),
        xytext=(7, -5),
        textcoords="offset points",
        color=GREY,
        va="top",
        fontsize=8.5,
    )


def _draw_groups(
    ax: Axes, data: pd.DataFrame, *, label: str, style: dict[str, Any]
) -> None:
    """Draw the groups of one contender with their intervals."""
    rate = data["hit_rate"].to_numpy()
    low, high = data["hit_rate_low"].to_numpy(), data["hit_rate_high"].to_numpy()
    ax.errorbar(
        data["score"].to_numpy(),
        rate,
        # Rounding can put a bound of zero hits above the rate by 1e-17.
        yerr=np.clip([rate - low, high - rate], 0.0, None),
        label=label,
        markersize=5.5,
        linewidth=1.8,
        elinewidth=1.0,
        capsize=2.5,
        **style,
    )


def _format_range(sizes: pd.Series, texts: Texts) -> str:
    """Return the smallest and the largest of some counts in words."""
    least, most = texts.number(sizes.min()), texts.number(sizes.max())
    if least == most:
        return least
    return texts.gettext("%(least)s to %(most)s") % {"least": least, "most": most}
