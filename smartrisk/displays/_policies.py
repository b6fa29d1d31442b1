"""Policies side by side: what they find, and by how much they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from smartrisk.displays._display import Display, label_rows, line_style
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError
from smartrisk.evaluation import PolicyComparison
from smartrisk.languages import N_
from smartrisk.page_style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    >>> compared = sr.evaluation.compare_policies(both, world.full_outcomes())
    >>> len(sr.displays.PolicyComparisonDisplay.from_comparison(compared).frame())
    3
    """

    _result = PolicyComparison
    _source = "evaluation.compare_policies"
    _panels = tuple(_MEASURES.values())
    _panel_size = (3.6, 2.8)

    @classmethod
    def from_comparison(cls, comparison: PolicyComparison) -> Self:
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
            If `comparison` is not a `PolicyComparison`, or holds only one policy.
        """
        cls._check_result("comparison", comparison)
        table = comparison.differences()
        if table.empty:
            raise ArgumentError(
                "displays.single_policy",
                "PolicyComparisonDisplay: 'comparison' must hold two policies or more; "
                "got {n_policies}. Pass the others to evaluation.compare_policies too.",
                n_policies=len(comparison.frame()),
            )
        return cls(table[table["measure"].isin(list(_MEASURES))])

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw the differences of every policy on one panel per measure."""
        names = list(self._data["policy"].unique())
        labels = [texts.name(name) for name in names]
        for place, (ax, measure) in enumerate(zip(axes, _MEASURES, strict=True)):
            part = self._data[self._data["measure"] == measure]
            part = part.set_index("policy").loc[names]
            for row, line in enumerate(part.to_dict("records")):
                gap = float(line["difference"])
                reach = np.clip([[gap - line["low"]], [line["high"] - gap]], 0.0, None)
                style = {**line_style(row), "linestyle": ""}
                ax.errorbar([gap], [-row], xerr=reach, markersize=7, capsize=3, **style)
            ax.axvline(0.0, color=GREY, linestyle=":", linewidth=1.4)
            ax.set_title(texts.gettext(_MEASURES[measure]))
            label_rows(ax, -np.arange(len(names)), labels if place == 0 else [])
            ax.set_ylim(-len(names) + 0.4, 0.6)
            label = texts.gettext("Difference (points)")
            ax.set_xlabel(label if own_figure else "")
            ax.xaxis.set_major_formatter(texts.points_tick)
