"""What every display shares: looks, panels, and files whose bytes do not change."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError, check_choice
from smartrisk.page_style import COLOURS, GREY, INK, LINES

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_DRAWING = threading.RLock()
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.labelsize": 9.5,
    "axes.prop_cycle": None,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 10.0,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "grid.color": LINES,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "text.color": INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.parse_math": False,  # a name with a dollar is a name
    # Without these two an SVG differs from run to run.
    "svg.fonttype": "none",
    "svg.hashsalt": "smartrisk",
}


def look(position: int) -> dict[str, Any]:
    """Return colour and marker of the contender at a position."""
    return {
        "color": COLOURS[position % len(COLOURS)],
        "marker": MARKERS[position % len(MARKERS)],
        "linestyle": ("-", "--")[position // len(COLOURS) % 2],
    }


class Display:
    """Base of every display: stored numbers, drawn on request.

    Parameters
    ----------
    data : DataFrame
        The numbers to draw.

    Attributes
    ----------
    ax_ : Axes or ndarray of Axes
        What `plot` drew on; an array when there are several panels.
    figure_ : Figure
        The figure that holds it.

    Examples
    --------
    >>> from smartrisk.displays import BacktestDisplay, Display
    >>> issubclass(BacktestDisplay, Display)
    True
    """

    #: Titles of the panels from left to right.
    _panels: tuple[str, ...] = ("",)
    _panel_size = (5.2, 3.8)
    _lang = "en"  # of the last plot

    def __init__(self, data: pd.DataFrame) -> None:
        self._data = data.copy()

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the picture.

        Returns
        -------
        frame : DataFrame
            A copy; changing it changes no picture.
        """
        return self._data.copy()

    def plot(self, ax: Any = None, *, lang: str = "en") -> Self:
        """Draw the numbers.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            Where to draw: one for each panel, or one that is divided among the
            panels. None for a new figure.
        lang : str, default="en"
            Language of what is written: "en", "fr" or "es".

        Returns
        -------
        self : object
            The display, with `ax_` and `figure_`.
        """
        import matplotlib as mpl

        texts = Texts(lang)
        self._lang = lang
        with mpl.rc_context(_style()):
            if ax is None:
                import matplotlib.pyplot as plt

                made = plt.figure(figsize=self._size(), layout="constrained")
                axes = _divide(made, len(self._panels))
            else:
                axes = self._given(ax)
            self._draw(axes, texts, roomy=ax is None)
        self.ax_ = axes[0] if len(axes) == 1 else np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        return self

    def save(self, path: str | Path, *, lang: str | None = None) -> Path:
        """Write the picture to a file, the same bytes for the same numbers.

        Parameters
        ----------
        path : str or Path
            File that ends in ``.png`` or ``.svg``; its folder is made when absent.
        lang : str, default=None
            Language of what is written: "en", "fr" or "es"; None for the one that was
            plotted last, English before.

        Returns
        -------
        path : Path
            The file.
        """
        target = Path(path)
        kind = target.suffix.lower()
        check_choice(type(self).__name__, "path ending", kind, (".png", ".svg"))
        drawn = self._bytes(kind[1:], lang)
        return write_file(target, lambda draft: draft.write_bytes(drawn))

    def svg(self, lang: str | None = None) -> str:
        """Return the picture as SVG text, to be set into a page.

        Parameters
        ----------
        lang : str, default=None
            Language of what is written: "en", "fr" or "es"; None for the one that was
            plotted last, English before.

        Returns
        -------
        svg : str
            The ``<svg>`` element, without XML header.
        """
        text = self._bytes("svg", lang).decode("utf-8")
        return text[text.index("<svg") :]

    def _repr_html_(self) -> str:
        """Show the picture in a notebook."""
        return f'<div style="background:#fff;max-width:60rem">{self.svg()}</div>'

    def _bytes(self, kind: str, lang: str | None) -> bytes:
        """Draw on a figure of its own, so that no global state gets in."""
        from matplotlib import style
        from matplotlib.figure import Figure

        texts = Texts(lang or self._lang)
        stamp = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
        with (
            _DRAWING,  # settings are of the process, not of a thread
            style.context(_style(), after_reset=True),
            io.BytesIO() as stream,
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure = Figure(figsize=self._size(), layout="constrained")
            self._draw(_divide(figure, len(self._panels)), texts, roomy=True)
            figure.savefig(stream, format=kind, metadata=stamp[kind])
            return stream.getvalue()

    def _size(self) -> tuple[float, float]:
        width, height = self._panel_size
        return width * len(self._panels), height

    def _given(self, ax: Any) -> list[Any]:
        """Return one axes per panel from what the caller gave."""
        wanted = len(self._panels)
        several = isinstance(ax, (Sequence, np.ndarray))
        axes = list(np.ravel(np.asarray(ax, dtype=object))) if several else [ax]
        if len(axes) == wanted:
            return axes
        if len(axes) == 1:
            axes[0].set_axis_off()
            width = 1.0 / (wanted + 0.25 * (wanted - 1))
            return [
                axes[0].inset_axes([i * 1.25 * width, 0.0, width, 1.0])
                for i in range(wanted)
            ]
        raise ArgumentError(
            "displays.ax_axes_per_panel",
            "{self_type}.plot: 'ax' must be one axes or {wanted}, one per "
            "panel; got {n_axes}. Pass None for a new figure.",
            self_type=type(self).__name__,
            wanted=wanted,
            n_axes=len(axes),
        )

    def _draw(self, axes: list[Any], texts: Texts, *, roomy: bool) -> None:
        """Draw on one axes per panel; `roomy` when the figure is the display's own."""
        raise NotImplementedError


def _style() -> Any:
    """Return the settings of the pictures as matplotlib takes them."""
    from cycler import cycler

    return {**_STYLE, "axes.prop_cycle": cycler(color=COLOURS)}


def _divide(figure: Any, panels: int) -> list[Any]:
    """Return that many axes side by side."""
    return list(figure.subplots(1, panels, squeeze=False)[0])


def percent(axis: Any, texts: Texts) -> None:
    """Write an axis of fractions in percent."""
    axis.set_major_formatter(texts.percent_tick)


def plain_numbers(axis: Any, texts: Texts) -> None:
    """Write the numbers of an axis with the signs of the language."""
    axis.set_major_formatter(texts.tick)


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Return positions near `values`, in their order, at least `gap` apart.

    Runs of labels that are too close are centred on the mean of their values (the
    pool-adjacent-violators step of isotonic regression).
    """
    order = np.argsort(np.asarray(values, dtype=np.float64), kind="stable")
    groups: list[tuple[float, int]] = []  # centre, labels
    for place in order:
        centre, size = float(values[place]), 1
        while groups and centre - groups[-1][0] < gap * (size + groups[-1][1]) / 2:
            other, count = groups.pop()
            centre = (centre * size + other * count) / (size + count)
            size += count
        groups.append((centre, size))
    placed = [
        centre + gap * (i - (size - 1) / 2)
        for centre, size in groups
        for i in range(size)
    ]
    out = [0.0] * len(placed)
    for place, where in zip(order, placed, strict=True):
        out[place] = where
    return out
