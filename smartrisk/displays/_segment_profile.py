"""Why one segment scores above another."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays._display import Display, plain_numbers
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError
from smartrisk.page_style import COLOURS, GREY, INK

_MOST = 15
_NAMED = 6
_TOTALS = ("segment", "n_items", "raw_score", "base")


class SegmentProfileDisplay(Display):
    """Mean contributions of each segment against those of all items.

    Bars to the right are what raises a segment above the mean of all, bars to the left
    what lowers it; they add up to the diamond. Use `from_profile`.

    Parameters
    ----------
    data : DataFrame
        ``segment``, ``n_items``, ``difference`` (of the mean log-odds to that of all
        items) and one column per concept, field or feature; "other" holds the rest.

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
    >>> told = sr.explanations.segment_profile(reasons, "transport_mode")
    >>> shown = sr.displays.SegmentProfileDisplay.from_profile(told).frame()
    >>> parts = shown.drop(columns=["segment", "n_items", "difference"])
    >>> bool((abs(parts.sum(axis=1) - shown["difference"]) < 1e-9).all())
    True
    """

    _panels = ("Profile",)
    _panel_size = (7.4, 4.0)

    @classmethod
    def from_profile(cls, profile: Any) -> Self:
        """Return the display of a segment profile.

        Parameters
        ----------
        profile : DataFrame
            What `smartrisk.explanations.segment_profile` returned.

        Returns
        -------
        display : SegmentProfileDisplay
            The fifteen segments with most items, the highest score on top; draw it
            with `plot`.

        Raises
        ------
        ArgumentError
            If it is no profile.

        Examples
        --------
        >>> from smartrisk.displays import SegmentProfileDisplay
        >>> SegmentProfileDisplay.from_profile(3)
        Traceback (most recent call last):
        ...
        smartrisk.errors.ArgumentError: SegmentProfileDisplay: 'profile' must be what...
        """
        if not isinstance(profile, pd.DataFrame) or not set(_TOTALS) <= set(profile):
            raise ArgumentError(
                "displays.profile_what_explanations_segment_profile",
                "SegmentProfileDisplay: 'profile' must be what "
                "explanations.segment_profile returned; got {profile_type}.",
                profile_type=type(profile).__name__,
            )
        weight = profile["n_items"] / profile["n_items"].sum()
        parts = profile.drop(columns=list(_TOTALS))
        parts = parts - (parts.mul(weight, axis=0)).sum()
        spread = parts.abs().mul(weight, axis=0).sum()
        named = list(spread.nlargest(_NAMED).index)
        data = profile[["segment", "n_items"]].copy()
        data["difference"] = parts.sum(axis=1)
        data = pd.concat([data, parts[named]], axis=1)
        rest = [name for name in parts if name not in named]
        if rest:
            data["other"] = data.get("other", 0.0) + parts[rest].sum(axis=1)
        data = data.nlargest(_MOST, "n_items")
        ranked = data.sort_values("difference", ascending=False, kind="stable")
        return cls(ranked.reset_index(drop=True))

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw stacked bars to both sides, and the sum."""
        (ax,) = axes
        rows = -np.arange(len(self._data))
        left = np.zeros(len(rows))
        right = np.zeros(len(rows))
        names = [
            str(n) for n in self._data if n not in ("segment", "n_items", "difference")
        ]
        colours = [*COLOURS[: len(names) - 1], GREY] if "other" in names else COLOURS
        labels = texts.words.named(names)
        for name, label, colour in zip(names, labels, colours, strict=False):
            size = self._data[name].to_numpy(float)
            start = np.where(size > 0, right, left)
            ax.barh(rows, size, left=start, color=colour, height=0.7, label=label)
            right += np.maximum(size, 0.0)
            left += np.minimum(size, 0.0)
        ax.plot(
            self._data["difference"],
            rows,
            "D",
            color=INK,
            markersize=5,
            label=texts.gettext("together"),
        )
        ax.axvline(0.0, color=GREY, linewidth=1.0)
        shown = [texts.segment_value(value) for value in self._data["segment"]]
        ax.set_yticks(rows, shown)
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.grid(axis="y", visible=False)
        ax.set_title(texts.gettext("Why segments score above or below the mean"))
        label = texts.gettext("Difference to the mean of all items, log-odds")
        ax.set_xlabel(label if roomy else "")
        plain_numbers(ax.xaxis, texts)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8.5)
