"""What inspections find at every capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from smartrisk.displays._display import Display, format_percent, line_style
from smartrisk.displays._texts import Texts
from smartrisk.evaluation import EffortCurve
from smartrisk.languages import N_
from smartrisk.page_style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGINS = {"oracle": N_("the best possible"), "random": N_("at random")}


class EffortCurveDisplay(Display):
    """Share of hits and of revenue found against the share of items inspected.

    The dashed line is the best possible choice, the dotted one a choice at random.
    Use `from_curve`.

    Parameters
    ----------
    data : DataFrame
        ``frame()`` of an ``EffortCurve``.

    Attributes
    ----------
    ax_ : ndarray of Axes
        Hits on the left, revenue on the right.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import effort_curve
    >>> from smartrisk.displays import EffortCurveDisplay
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> curve = effort_curve({"rule": key.assign(risk_score=[4, 3, 2, 1])},
    ...                      key.assign(illicit=[1, 0, 1, 0]), n_points=2)
    >>> len(EffortCurveDisplay.from_curve(curve).frame())
    9
    """

    _result = EffortCurve
    _source = "evaluation.effort_curve"
    _panels = (
        N_("How many irregularities are found"),
        N_("How much of the revenue is recovered"),
    )
    _panel_size = (4.6, 4.2)

    @classmethod
    def from_curve(cls, curve: EffortCurve) -> Self:
        """Return the display of a detection-effort curve.

        Parameters
        ----------
        curve : EffortCurve
            What `smartrisk.evaluation.effort_curve` returned.

        Returns
        -------
        display : EffortCurveDisplay
            Draw it with `plot`.

        Raises
        ------
        ArgumentError
            If `curve` is not an `EffortCurve`.
        """
        cls._check_result("curve", curve)
        return cls(curve.frame())

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw the lines of all contenders on both panels."""
        _ = texts.gettext
        for ax, column, title in zip(
            axes, ("hits_share", "revenue_share"), self._panels, strict=True
        ):
            place = 0
            style: dict[str, Any]
            for name, part in self._data.groupby("contender", sort=False):
                if name in _MARGINS:
                    dash = "--" if name == "oracle" else ":"
                    style = {"color": GREY, "linestyle": dash, "linewidth": 1.3}
                    label = _(_MARGINS[str(name)]) if own_figure else None
                else:
                    style = {**line_style(place), "marker": "", "linewidth": 1.9}
                    label, place = texts.name(name), place + 1
                ax.plot(part["inspected"], part[column], label=label, **style)
            ax.set(title=_(title), xlim=(0, 1), ylim=(0, 1.02))
            ax.set_xlabel(_("Items inspected (%)"))
            format_percent(ax.xaxis, texts)
            format_percent(ax.yaxis, texts)
        axes[0].set_ylabel(
            texts.pgettext("axis: share of the irregular items", "Found (%)")
        )
        axes[-1].legend(loc="lower right")
