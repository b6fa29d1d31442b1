"""What inspections would find and recover, at every inspection rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from smartrisk.evaluation import Evaluation
from smartrisk.languages import N_
from smartrisk.page_style import GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Measure: title of its panel, label of its axis.
_MEASURES = {
    "precision": (
        N_("How often an inspection finds something"),
        N_("Precision (% of inspected)"),
    ),
    "recall": (N_("How many irregularities are found"), N_("Recall (% of all hits)")),
    "revenue_share": (
        N_("How much of the revenue is recovered"),
        N_("Revenue share (% of recoverable)"),
    ),
}
#: With more contenders, only the first one's interval is drawn: bands would overlap.
_FEW_CONTENDERS = 3
#: With more points than this, markers hide the line.
_FEW_POINTS = 8


class RateCurveDisplay(Display):
    """Precision and revenue share against the inspection rate.

    Use it to choose a capacity, and to compare contenders. Use `from_evaluations`.

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
    ReliabilityDisplay : Whether observed hit rates match the scores.

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

    _result = Evaluation
    _source = "evaluation.evaluate"
    _panel_size = (4.9, 3.9)

    def __init__(self, data: pd.DataFrame) -> None:
        super().__init__(data)
        self._measures = tuple(data["measure"].unique())
        self._panels = tuple(_MEASURES[measure][0] for measure in self._measures)

    @classmethod
    def from_evaluations(
        cls,
        evaluations: Evaluation | Mapping[str, Evaluation],
        *,
        measures: Sequence[str] | None = None,
    ) -> Self:
        """Return the display of one evaluation, or of several side by side.

        Parameters
        ----------
        evaluations : Evaluation or mapping of str to Evaluation
            What `smartrisk.evaluation.evaluate` returned; several by the name of the
            contender, drawn in that order.
        measures : sequence of str, default=None
            Panels: "precision", "recall", "revenue_share". None for precision and
            revenue share, or recall where no revenue is known.

        Returns
        -------
        display : RateCurveDisplay
            Precision and recall are of the ranking by risk; the revenue share is of the
            ranking by expected revenue where scores offer it.

        Raises
        ------
        ArgumentError
            If there is no evaluation, something is not an `Evaluation`, or a measure is
            unknown.
        """
        named = cls._name_results("evaluations", evaluations)
        frames = {name: result.frame() for name, result in named.items()}
        if measures is None:
            money = any(f["revenue_share"].notna().any() for f in frames.values())
            measures = ("precision", "revenue_share" if money else "recall")
        for measure in measures:
            check_choice("RateCurveDisplay", "measures", measure, _MEASURES)
        parts = [
            _make_curve(name, measure, frame, named[name].overall())
            for measure in measures
            for name, frame in frames.items()
        ]
        return cls(pd.concat(parts, ignore_index=True))

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw one panel per measure, contenders named at the ends of their lines."""
        _ = texts.gettext
        for ax, measure in zip(axes, self._measures, strict=True):
            title, label = map(_, _MEASURES[measure])
            part = self._data[self._data["measure"] == measure]
            if (part["rank_by"] == "expected_revenue").any():
                by_revenue = _("ordered by expected revenue")
                label = f"{label}\n{by_revenue}"
            _draw_panel(ax, part, texts)
            ax.set(title=title, xlabel=_("Inspection rate (% of items)"), ylabel=label)
        names = self._data["contender"].unique()
        if not own_figure and (len(names) > 1 or names[0]):
            axes[0].legend(loc="best", fontsize=8.5)
        elif own_figure:
            _label_ends(axes[-1])


def _make_curve(
    name: str, measure: str, frame: pd.DataFrame, overall: pd.Series
) -> pd.DataFrame:
    """Return one curve of one contender."""
    offered = set(frame["rank_by"])
    by_revenue = measure == "revenue_share" and "expected_revenue" in offered
    rank_by = "expected_revenue" if by_revenue else "risk_score"
    at = frame[frame["rank_by"] == rank_by].sort_values("n_inspected", kind="stable")
    count, n = at["n_inspected"].to_numpy(np.float64), max(overall["n_items"], 1.0)
    requested = at["rate"].to_numpy(np.float64)
    # A requested share is drawn as it is, a requested number of items as its share.
    rate = np.where(np.abs(requested * n - count) <= 0.5 + 1e-9, requested, count / n)
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


def _draw_panel(ax: Axes, data: pd.DataFrame, texts: Texts) -> None:
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
            colour = line_style(place)["color"]
            ax.fill_between(x, low, high, color=colour, alpha=0.14, linewidth=0)
        ax.plot(
            x,
            part["value"].to_numpy(),
            label=texts.name(name) or "_nolegend_",
            markersize=5.5 if few else 4.5,
            markevery=1 if few else (place % 4, 4),
            linewidth=1.9,
            **line_style(place),
        )
    _draw_chance(ax, data[data["contender"] == data["contender"].iloc[0]], texts)
    tops = data[["value", "high", "chance"]].to_numpy(np.float64)
    top = np.nanmax(tops) if np.isfinite(tops).any() else 1.0
    furthest = float(data["rate"].max()) or 1.0
    ax.set(xlim=(0, 1.03 * furthest), ylim=(0, min(1.04, 1.1 * top or 1.0)))
    format_percent(ax.xaxis, texts)
    format_percent(ax.yaxis, texts)


def _draw_chance(ax: Axes, data: pd.DataFrame, texts: Texts) -> None:
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


def _label_ends(ax: Axes) -> None:
    """Name each line at its right end, labels spaced so that none hides another."""
    lines = [line for line in ax.get_lines() if str(line.get_label())[0] != "_"]
    ends = [np.asarray(line.get_xydata())[-1] for line in lines]
    lines = [line for line, end in zip(lines, ends, strict=True) if np.isfinite(end[1])]
    ends = [end for end in ends if np.isfinite(end[1])]
    low, high = ax.get_ylim()
    places = space_labels([end[1] for end in ends], 0.065 * (high - low))
    for line, end, y in zip(lines, ends, places, strict=True):
        ax.annotate(
            str(line.get_label()),
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
