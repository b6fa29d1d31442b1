"""What inspections would find and recover, at every inspection rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, look, percent, spread
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError, TableError, check_choice, format_values
from smartrisk.evaluation import Evaluation, evaluate
from smartrisk.languages import N_
from smartrisk.page_style import GREY, INK

#: Measure: title of its panel, what its axis says.
_MEASURES = {
    "precision": (
        N_("How often an inspection finds something"),
        N_("Precision (% of inspected)"),
    ),
    "recall": (N_("How much of the fraud is found"), N_("Recall (% of all hits)")),
    "revenue_share": (
        N_("How much of the revenue is recovered"),
        N_("Revenue share (% of recoverable)"),
    ),
}
_COLUMNS = ["contender", "measure", "rank_by", "rate", "value", "low", "high", "chance"]
_RATES = tuple(round(0.01 * k, 2) for k in range(1, 21))
#: With more contenders, only the first one's interval is drawn: bands would pile up.
_FEW_CONTENDERS = 3
#: With more points than this, markers hide the line.
_FEW_POINTS = 8


class RateCurveDisplay(Display):
    """Precision and revenue share against the inspection rate.

    The picture to choose a capacity by, and to compare contenders with. Use
    `from_evaluations` or `from_scores`.

    Parameters
    ----------
    data : DataFrame
        One row per contender, measure and rate: ``contender``, ``measure``
        (precision, recall, revenue_share), ``rank_by``, ``rate`` (share of items),
        ``value``, ``low``, ``high`` (NaN for no interval), ``chance`` (what inspecting
        at random would reach).

    Attributes
    ----------
    ax_ : Axes or ndarray of Axes
        What `plot` drew on, one per measure.
    figure_ : Figure
        The figure that holds it.

    See Also
    --------
    ReliabilityDisplay : Whether scores mean what they say.

    Notes
    -----
    Bands are the intervals of the evaluation (95 %, over resampled items). With more
    than three contenders only that of the first is drawn; `frame` has them all.
    Contenders are judged on the same items, so bands that overlap do not mean that the
    difference is chance. Dotted lines are what inspecting at random would reach. The
    figures are those of items with a result: where these were chosen by a score, they
    are not those of the whole flow.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import evaluate
    >>> from smartrisk.displays import RateCurveDisplay
    >>> key = [f"D{i}" for i in range(100)]
    >>> scores = pd.DataFrame({"declaration_id": key})
    >>> scores["risk_score"] = [i / 100 for i in range(100)]
    >>> outcomes = pd.DataFrame({"declaration_id": key})
    >>> outcomes["illicit"] = [0] * 60 + [1] * 40
    >>> outcomes["revenue_adjustment"] = 100.0 * outcomes["illicit"]
    >>> results = evaluate(scores, outcomes, rates=(0.1, 0.5), n_bootstrap=0)
    >>> display = RateCurveDisplay.from_evaluations({"rules": results})
    >>> display.frame()[["measure", "rate", "value"]]
             measure  rate  value
    0      precision   0.1   1.00
    1      precision   0.5   0.80
    2  revenue_share   0.1   0.25
    3  revenue_share   0.5   1.00
    """

    _panel_size = (4.9, 3.9)

    def __init__(self, data: pd.DataFrame) -> None:
        gone = [name for name in _COLUMNS if name not in data]
        if gone:
            raise TableError(
                "displays.data_lacks_columns",
                "RateCurveDisplay: 'data' lacks columns {gone}.",
                gone=format_values(gone),
            )
        super().__init__(data[_COLUMNS])
        self._measures = tuple(data["measure"].unique())
        for measure in self._measures:
            check_choice("RateCurveDisplay", "measure", measure, _MEASURES)
        self._panels = tuple(_MEASURES[measure][0] for measure in self._measures)

    @classmethod
    def from_evaluations(
        cls,
        evaluations: Mapping[str, Evaluation] | Evaluation,
        *,
        measures: Sequence[str] | None = None,
    ) -> Self:
        """Make the display from results that are already there.

        Parameters
        ----------
        evaluations : mapping of str to Evaluation, or Evaluation
            Results by the name of the contender, drawn in that order.
        measures : sequence of str, default=None
            Panels: "precision", "recall", "revenue_share". None for precision and
            revenue share, or recall where no revenue is known.

        Returns
        -------
        display : RateCurveDisplay
            Ready to plot. Precision and recall are of the ranking by risk; the revenue
            share is of the ranking by expected revenue where scores offer it.
        """
        named = (
            {"": evaluations} if isinstance(evaluations, Evaluation) else evaluations
        )
        if not named:
            raise ArgumentError(
                "displays.evaluations_empty_such",
                "RateCurveDisplay: 'evaluations' is empty; pass at least one, such "
                "as {{'engine': evaluate(scores, outcomes)}}.",
            )
        frames = {name: result.frame() for name, result in named.items()}
        if measures is None:
            money = any(f["revenue_share"].notna().any() for f in frames.values())
            measures = ("precision", "revenue_share" if money else "recall")
        for measure in measures:
            check_choice("RateCurveDisplay", "measures", measure, _MEASURES)
        parts = [
            _curve(name, measure, frame, named[name].overall())
            for measure in measures
            for name, frame in frames.items()
        ]
        return cls(pd.concat(parts, ignore_index=True))

    @classmethod
    def from_scores(
        cls,
        scores: pd.DataFrame | Mapping[str, pd.DataFrame],
        outcomes: pd.DataFrame,
        *,
        rates: Sequence[float] = _RATES,
        n_bootstrap: int = 200,
    ) -> Self:
        """Make the display from SCORES and OUTCOMES.

        Parameters
        ----------
        scores : DataFrame or mapping of str to DataFrame
            SCORES; several by the name of the contender.
        outcomes : DataFrame
            OUTCOMES, joined by key; items without one are left out.
        rates : sequence of float, default=0.01 to 0.20 by 0.01
            Inspection rates.
        n_bootstrap : int, default=200
            Replicates for the intervals; 0 for none.

        Returns
        -------
        display : RateCurveDisplay
            Ready to plot.
        """
        named = {"": scores} if isinstance(scores, pd.DataFrame) else scores
        return cls.from_evaluations(
            {
                name: evaluate(table, outcomes, rates=rates, n_bootstrap=n_bootstrap)
                for name, table in named.items()
            }
        )

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        _ = texts.gettext
        for ax, measure in zip(axes, self._measures, strict=True):
            title, label = map(_, _MEASURES[measure])
            part = self._data[self._data["measure"] == measure]
            if (part["rank_by"] == "expected_revenue").any():
                by_revenue = _("ordered by expected revenue")
                label = f"{label}\n{by_revenue}"
            _panel(ax, part, texts)
            ax.set(title=title, xlabel=_("Inspection rate (% of items)"), ylabel=label)
        names = self._data["contender"].unique()
        if not roomy and (len(names) > 1 or names[0]):
            axes[0].legend(loc="best", fontsize=8.5)
        elif roomy:
            _label_ends(axes[-1])


def _curve(
    name: str, measure: str, frame: pd.DataFrame, overall: pd.Series
) -> pd.DataFrame:
    """Return one curve of one contender."""
    offered = set(frame["rank_by"])
    by_revenue = measure == "revenue_share" and "expected_revenue" in offered
    rank_by = "expected_revenue" if by_revenue else "risk_score"
    at = frame[frame["rank_by"] == rank_by].sort_values("n_inspected", kind="stable")
    count, n = at["n_inspected"].to_numpy(np.float64), max(overall["n_items"], 1.0)
    asked = at["rate"].to_numpy(np.float64)
    # A share that was asked for is shown as such, a number of items as its share.
    rate = np.where(np.abs(asked * n - count) <= 0.5 + 1e-9, asked, count / n)
    missing = pd.Series(np.nan, index=at.index)
    return pd.DataFrame(
        {
            "contender": name,
            "measure": measure,
            "rank_by": rank_by,
            "rate": rate,
            "value": at[measure].to_numpy(np.float64),
            "low": at.get(f"{measure}_low", missing).to_numpy(np.float64),
            "high": at.get(f"{measure}_high", missing).to_numpy(np.float64),
            "chance": overall["base_rate"] if measure == "precision" else rate,
        }
    )


def _panel(ax: Any, data: pd.DataFrame, texts: Texts) -> None:
    """Draw the curves of one measure."""
    if not data["value"].notna().any():
        ax.text(
            0.5,
            0.5,
            texts.gettext("not known: no such outcomes"),
            ha="center",
            va="center",
            transform=ax.transAxes,
            color=GREY,
        )
    for place, (name, part) in enumerate(data.groupby("contender", sort=False)):
        few = len(part) <= _FEW_POINTS
        x = part["rate"].to_numpy()
        if place == 0 or data["contender"].nunique() <= _FEW_CONTENDERS:
            low, high = part["low"].to_numpy(), part["high"].to_numpy()
            colour = look(place)["color"]
            ax.fill_between(x, low, high, color=colour, alpha=0.14, linewidth=0)
        ax.plot(
            x,
            part["value"].to_numpy(),
            label=texts.name(name) or "_nolegend_",
            markersize=5.5 if few else 4.5,
            markevery=1 if few else (place % 4, 4),
            linewidth=1.9,
            **look(place),
        )
    _chance(ax, data[data["contender"] == data["contender"].iloc[0]], texts)
    tops = data[["value", "high", "chance"]].to_numpy(np.float64)
    top = np.nanmax(tops) if np.isfinite(tops).any() else 1.0
    furthest = float(data["rate"].max()) or 1.0
    ax.set(xlim=(0, 1.03 * furthest), ylim=(0, min(1.04, 1.1 * top or 1.0)))
    percent(ax.xaxis, texts)
    percent(ax.yaxis, texts)


def _chance(ax: Any, data: pd.DataFrame, texts: Texts) -> None:
    """Draw what inspecting at random would reach, from a rate of zero on."""
    known = data[["rate", "chance"]].dropna()
    level = data["measure"].iloc[0] == "precision"
    if known.empty:
        return
    ax.plot(
        [0.0, *known["rate"]],
        [known["chance"].iloc[0] if level else 0.0, *known["chance"]],
        color=GREY,
        linestyle=":",
        linewidth=1.6,
        label=texts.gettext("by chance"),
    )


def _label_ends(ax: Any) -> None:
    """Name each line at its right end, labels spread so that none hides another."""
    lines = [line for line in ax.get_lines() if line.get_label()[0] != "_"]
    ends = [np.asarray(line.get_xydata())[-1] for line in lines]
    lines = [line for line, end in zip(lines, ends, strict=True) if np.isfinite(end[1])]
    ends = [end for end in ends if np.isfinite(end[1])]
    low, high = ax.get_ylim()
    places = spread([end[1] for end in ends], 0.065 * (high - low))
    for line, end, y in zip(lines, ends, places, strict=True):
        ax.annotate(
            line.get_label(),
            end,
            xytext=(1.06, (y - low) / (high - low)),
            textcoords="axes fraction",
            color=INK,
            va="center",
            fontsize=9,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": line.get_color(),
                "linewidth": 1.6,
                "shrinkA": 1,
                "shrinkB": 4,
                "relpos": (0, 0.5),
            },
        )
