"""Policies side by side: what they find, and by how much they differ."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, look
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError
from smartrisk.languages import N_
from smartrisk.page_style import GREY, INK

_MEASURES = {
    "hit_rate": N_("Hit rate"),
    "recall": N_("Recall"),
    "revenue_share": N_("Revenue share"),
}


class PolicyComparisonDisplay(Display):
    """Differences of policies to the first one, with their intervals.

    One panel per measure; the dotted line is the first policy. An interval that does
    not touch it is a difference that the draw of items does not explain. Use
    `from_comparison`.

    Parameters
    ----------
    data : DataFrame
        ``differences()`` of a ``PolicyComparison``.

    Attributes
    ----------
    ax_ : ndarray of Axes
        One per measure.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> both = {"offices": world.decisions(), "all": key.assign(channel="red")}
    >>> told = sr.evaluation.compare_policies(both, world.full_outcomes())
    >>> len(sr.displays.PolicyComparisonDisplay.from_comparison(told).frame())
    3
    """

    _panels = tuple(_MEASURES.values())
    _panel_size = (3.6, 2.8)

    @classmethod
    def from_comparison(cls, comparison: Any) -> Self:
        """Return the display of a comparison of policies.

        Parameters
        ----------
        comparison : PolicyComparison
            What `smartrisk.evaluation.compare_policies` returned, of two or more.

        Returns
        -------
        display : PolicyComparisonDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If it is no comparison, or of one policy alone.

        Examples
        --------
        >>> from smartrisk.displays import PolicyComparisonDisplay
        >>> PolicyComparisonDisplay.from_comparison(3)
        Traceback (most recent call last):
        ...
        smartrisk.errors.ArgumentError: PolicyComparisonDisplay: 'comparison' must...
        """
        table = getattr(comparison, "differences", pd.DataFrame)()
        if "measure" not in table or table.empty:
            raise ArgumentError(
                "displays.comparison_what_evaluation_compare_policies",
                "PolicyComparisonDisplay: 'comparison' must be what "
                "evaluation.compare_policies returned for two policies or more; "
                "got {comparison_type}.",
                comparison_type=type(comparison).__name__,
            )
        return cls(table[table["measure"].isin(list(_MEASURES))])

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw the differences of every policy on one panel per measure."""
        names = list(self._data["policy"].unique())
        shown = [texts.name(name) for name in names]
        for place, (ax, measure) in enumerate(zip(axes, _MEASURES, strict=True)):
            part = self._data[self._data["measure"] == measure]
            part = part.set_index("policy").loc[names]
            for row, (_, told) in enumerate(part.iterrows()):
                gap = float(told["difference"])
                reach = np.clip([[gap - told["low"]], [told["high"] - gap]], 0.0, None)
                style = {**look(row), "linestyle": ""}
                ax.errorbar([gap], [-row], xerr=reach, markersize=7, capsize=3, **style)
            ax.axvline(0.0, color=GREY, linestyle=":", linewidth=1.4)
            ax.set_title(texts.gettext(_MEASURES[measure]))
            ax.set_yticks(
                [-row for row in range(len(names))], shown if not place else []
            )
            ax.set_ylim(-len(names) + 0.4, 0.6)
            ax.tick_params(axis="y", length=0, labelcolor=INK)
            ax.grid(axis="y", visible=False)
            label = texts.gettext("Difference (points)")
            ax.set_xlabel(label if roomy else "")
            ax.xaxis.set_major_formatter(texts.points_tick)
