"""Whether scores mean what they say: observed hit rate against risk score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, look, percent
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError, TableError, format_values
from smartrisk.evaluation import Calibration, calibration
from smartrisk.languages import N_
from smartrisk.page_style import GREY
from smartrisk.schema import KEY


class ReliabilityDisplay(Display):
    """Observed hit rate of inspected items against their risk score.

    Items are put into groups of equal size by score; a calibrated score lies on the
    diagonal. Use `from_scores`, `from_predictions` or `from_calibrations`.

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
    Intervals are Wilson's (1927) at 95 %, for the binomial alone: they say nothing of
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
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=2000)
    >>> hits = rng.uniform(size=2000) < p
    >>> display = ReliabilityDisplay.from_predictions(p, hits, n_groups=4)
    >>> display.frame()[["score", "hit_rate"]].round(2)
       score  hit_rate
    0   0.12      0.12
    1   0.37      0.39
    2   0.63      0.60
    3   0.88      0.90
    """

    _panels = (N_("Reliability: what the scores say and what was found"),)
    _panel_size = (5.6, 4.8)

    @classmethod
    def from_scores(
        cls,
        scores: pd.DataFrame | Mapping[str, pd.DataFrame],
        outcomes: pd.DataFrame,
        *,
        n_groups: int = 10,
    ) -> Self:
        """Make the display from SCORES and OUTCOMES, joined by key.

        Parameters
        ----------
        scores : DataFrame or mapping of str to DataFrame
            SCORES; several by the name of the contender.
        outcomes : DataFrame
            OUTCOMES; items without one are left out.
        n_groups : int, default=10
            Groups of equal size by score.

        Returns
        -------
        display : ReliabilityDisplay
            Ready to plot.
        """
        contenders = {"": scores} if isinstance(scores, pd.DataFrame) else dict(scores)
        parts = []
        for name, table in contenders.items():
            key = [k for k in KEY if k in table.columns and k in outcomes.columns]
            both = table[[*key, "risk_score"]].merge(
                outcomes[[*key, "illicit"]], on=key, how="inner"
            )
            if both.empty:
                raise TableError(
                    "displays.item_scores_row_outcomes",
                    "ReliabilityDisplay: no item of SCORES {value}has a row in "
                    "OUTCOMES; they are joined by {key}. Check the keys.",
                    value="" if not name else repr(name) + " ",
                    key=format_values(key),
                )
            parts.append(_groups(name, both["risk_score"], both["illicit"], n_groups))
        return cls(pd.concat(parts, ignore_index=True))

    @classmethod
    def from_predictions(
        cls, probability: Any, hits: Any, *, name: str = "", n_groups: int = 10
    ) -> Self:
        """Make the display from probabilities and what was found.

        Parameters
        ----------
        probability : array-like of shape (n_items,)
            Risk scores in [0, 1].
        hits : array-like of shape (n_items,)
            1 hit, 0 no hit, of the same items.
        name : str, default=""
            Name of the contender.
        n_groups : int, default=10
            Groups of equal size by score.

        Returns
        -------
        display : ReliabilityDisplay
            Ready to plot.
        """
        return cls(_groups(name, probability, hits, n_groups))

    @classmethod
    def from_calibrations(
        cls, calibrations: Calibration | Mapping[str, Calibration]
    ) -> Self:
        """Make the display from results that are already there.

        Parameters
        ----------
        calibrations : Calibration or mapping of str to Calibration
            What `smartrisk.evaluation.calibration` returned; several by the name of
            the contender.

        Returns
        -------
        display : ReliabilityDisplay
            Ready to plot.

        Raises
        ------
        ArgumentError
            If there is none, or one is no calibration.

        Examples
        --------
        >>> from smartrisk.evaluation import calibration
        >>> from smartrisk.displays import ReliabilityDisplay
        >>> told = calibration([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 0], n_groups=2)
        >>> ReliabilityDisplay.from_calibrations(told).frame()["hit_rate"].tolist()
        [0.0, 0.5]
        """
        given: dict[str, Any] = {"": calibrations}
        if isinstance(calibrations, Mapping):
            given = dict(calibrations)
        wrong = [
            type(c).__name__ for c in given.values() if not isinstance(c, Calibration)
        ]
        if wrong or not given:
            raise ArgumentError(
                "displays.calibrations_result_evaluation_calibration",
                "ReliabilityDisplay: 'calibrations' must hold at least one result "
                "of evaluation.calibration and nothing else; got {wrong}.",
                wrong=format_values(wrong),
            )
        parts = [c.frame().assign(contender=name) for name, c in given.items()]
        return cls(pd.concat(parts, ignore_index=True))

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        ax, data = axes[0], self._data
        top = float(np.nanmax(data[["score", "hit_rate_high"]].to_numpy()))
        top = min(1.0, 1.08 * top)
        _ = texts.gettext
        _diagonal(ax, top, _("perfectly calibrated"))
        for place, (name, part) in enumerate(data.groupby("contender", sort=False)):
            label = texts.name(name) or "_nolegend_"
            _points(ax, part, label=label, style=look(place))
        score = _("Risk score, mean of the group (%)")
        sizes = _("(%(n)s items a group; bars: 95 %% interval)") % {
            "n": _span(data["n_items"], texts)
        }
        ax.set(
            title=_(self._panels[0]),
            xlabel=f"{score}\n{sizes}",
            ylabel=_("Observed hit rate (% of inspected items)"),
            xlim=(0, top),
            ylim=(0, top),
        )
        percent(ax.xaxis, texts)
        percent(ax.yaxis, texts)
        if any(data["contender"]):
            ax.legend(loc="upper left")


def _diagonal(ax: Any, top: float, label: str) -> None:
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


def _points(ax: Any, data: pd.DataFrame, *, label: str, style: dict[str, Any]) -> None:
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


def _span(sizes: pd.Series, texts: Texts) -> str:
    """Return the least and the greatest of some counts in words."""
    least, most = texts.number(sizes.min()), texts.number(sizes.max())
    if least == most:
        return least
    return texts.gettext("%(least)s to %(most)s") % {"least": least, "most": most}


def _groups(name: str, score: Any, hits: Any, n_groups: int) -> pd.DataFrame:
    """Return the groups of a contender."""
    table = calibration(score, hits, n_groups=n_groups).frame()
    table.insert(0, "contender", name)
    return table
