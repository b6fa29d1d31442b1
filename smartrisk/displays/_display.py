"""The base of all displays: style, panels, one check of results, and stable files."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.displays._texts import Texts
from smartrisk.errors import ArgumentError, check_choice, needing
from smartrisk.page_style import COLOURS, GREY, INK, LINES
from smartrisk.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import NDArray

    #: One axes per panel, or one that is divided among the panels.
    GivenAxes: TypeAlias = "Axes | Sequence[Axes] | NDArray[np.object_]"

R = TypeVar("R")

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

#: Settings of matplotlib belong to the process, so only one thread may draw.
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
    "text.parse_math": False,  # a dollar sign in a name starts no formula
    # Without these two an SVG differs from run to run.
    "svg.fonttype": "none",
    "svg.hashsalt": "smartrisk",
}


def line_style(position: int) -> dict[str, Any]:
    """Return colour, marker and dashes of the line at a position."""
    return {
        "color": COLOURS[position % len(COLOURS)],
        "marker": MARKERS[position % len(MARKERS)],
        "linestyle": ("-", "--")[position // len(COLOURS) % 2],
    }


class Display:
    """Base of every display: numbers of a result, drawn on request.

    Each display is made from a result of one class, by a constructor named after it
    (`DriftDisplay.from_drift`). A display at the end of a notebook cell shows itself
    once, whether it was plotted or not.

    Parameters
    ----------
    data : DataFrame
        The numbers to draw, as `frame` returns them. Use the named constructors.

    Attributes
    ----------
    ax_ : Axes or ndarray of Axes
        What `plot` drew on; an array when there are several panels.
    figure_ : Figure
        The figure that holds it.

    Notes
    -----
    Without `ax`, `plot` makes a figure that is not registered with pyplot: nothing is
    left open, and a notebook does not show it a second time. In a script, write it with
    `save`; to show it in a window of pyplot, pass `ax`.

    Examples
    --------
    >>> from smartrisk.displays import BacktestDisplay, Display
    >>> issubclass(BacktestDisplay, Display)
    True
    """

    #: The class of result that it draws, and the function that returns one.
    _result: ClassVar[type[object]] = Result
    _source: ClassVar[str] = ""
    #: Titles of the panels from left to right.
    _panels: tuple[str, ...] = ("",)
    _panel_size: ClassVar[tuple[float, float]] = (5.2, 3.8)
    _lang = "en"  # of the last plot
    _drawn_for_caller = False  # on axes of the caller, who shows them

    ax_: Axes | NDArray[np.object_]
    figure_: Figure | SubFigure

    def __init__(self, data: pd.DataFrame) -> None:
        self._data = data.copy()

    def __repr__(self) -> str:
        """Return the name of the class and the number of rows."""
        return f"{type(self).__name__}({len(self._data)} rows)"

    @classmethod
    def _check_result(cls, name: str, result: object) -> None:
        """Raise unless an argument is a result of the class that is drawn."""
        if not isinstance(result, cls._result):
            cls._refuse(name, type(result).__name__)

    @classmethod
    def _name_results(cls, name: str, results: R | Mapping[str, R]) -> dict[str, R]:
        """Return results by name, one alone under the empty name; refuse others."""
        named = dict(results) if isinstance(results, Mapping) else {"": results}
        if not named:
            cls._refuse(name, "an empty mapping")
        for result in named.values():
            cls._check_result(name, result)
        return named

    @classmethod
    def _refuse(cls, name: str, received: str) -> NoReturn:
        """Raise because an argument is not the result that is drawn."""
        raise ArgumentError(
            "displays.wrong_result",
            "{display}: {argument!r} must be what {source} returned, of class "
            "{expected}; got {received}.",
            display=cls.__name__,
            argument=name,
            source=cls._source,
            expected=cls._result.__name__,
            received=received,
        )

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the picture.

        Returns
        -------
        frame : DataFrame
            A copy; changing it changes no picture.
        """
        return self._data.copy()

    def plot(self, ax: GivenAxes | None = None, *, lang: str = "en") -> Self:
        """Draw the numbers.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            Where to draw: one for each panel, or one that is divided among the
            panels. None for a new figure, which is not registered with pyplot.
        lang : str, default="en"
            Language of the words and numbers: "en", "fr" or "es".

        Returns
        -------
        self : object
            The display, with `ax_` and `figure_`.

        Raises
        ------
        ArgumentError
            If the number of axes is neither 1 nor that of the panels, or `lang` is
            unknown.
        """
        with needing("matplotlib"):
            import matplotlib as mpl
            from matplotlib.figure import Figure

        texts = Texts(lang)
        with _DRAWING, mpl.rc_context(_style()):
            if ax is None:
                figure = Figure(figsize=self._size(), layout="constrained")
                axes = _add_panels(figure, len(self._panels))
            else:
                axes = self._match_axes(ax)
            self._draw(axes, texts, own_figure=ax is None)
        self._lang, self._drawn_for_caller = lang, ax is not None
        self.ax_ = axes[0] if len(axes) == 1 else np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        return self

    def save(self, path: str | Path, *, lang: str | None = None) -> Path:
        """Write the picture to a file, the same bytes for the same numbers.

        Parameters
        ----------
        path : str or Path
            File that ends in ``.png`` or ``.svg``; its folder is created when absent.
        lang : str, default=None
            Language of the words and numbers: "en", "fr" or "es"; None for the language
            of the last plot, English without one.

        Returns
        -------
        path : Path
            The file.

        Raises
        ------
        ArgumentError
            If the path has another ending, or `lang` is unknown.
        """
        target = Path(path)
        kind = target.suffix.lower()
        check_choice(type(self).__name__, "path ending", kind, (".png", ".svg"))
        rendered = self._render(kind[1:], lang)
        return write_file(target, lambda draft: draft.write_bytes(rendered))

    def svg(self, *, lang: str | None = None) -> str:
        """Return the picture as SVG text, to embed in a page.

        Parameters
        ----------
        lang : str, default=None
            Language of the words and numbers: "en", "fr" or "es"; None for the language
            of the last plot, English without one.

        Returns
        -------
        svg : str
            The ``<svg>`` element, without XML header.
        """
        text = self._render("svg", lang).decode("utf-8")
        return text[text.index("<svg") :]

    def _repr_html_(self) -> str | None:
        """Show the picture in a notebook; on axes of the caller it is shown there."""
        if self._drawn_for_caller:
            return None
        return f'<div style="background:#fff;max-width:60rem">{self.svg()}</div>'

    def _render(self, kind: str, lang: str | None) -> bytes:
        """Draw on its own figure, whatever the settings of matplotlib."""
        with needing("matplotlib"):
            from matplotlib import style
            from matplotlib.figure import Figure

        texts = Texts(lang or self._lang)
        stamp = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
        with (
            _DRAWING,
            style.context(_style(), after_reset=True),
            io.BytesIO() as stream,
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure = Figure(figsize=self._size(), layout="constrained")
            panels = _add_panels(figure, len(self._panels))
            self._draw(panels, texts, own_figure=True)
            figure.savefig(stream, format=kind, metadata=stamp[kind])
            return stream.getvalue()

    def _size(self) -> tuple[float, float]:
        """Return width and height of the figure in inches."""
        width, height = self._panel_size
        return width * len(self._panels), height

    def _match_axes(self, ax: GivenAxes) -> list[Axes]:
        """Return one axes per panel from what the caller passed."""
        wanted = len(self._panels)
        axes: list[Any] = [ax]
        if isinstance(ax, Sequence | np.ndarray):
            axes = list(np.ravel(np.asarray(ax, dtype=object)))
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
            "displays.wrong_number_of_axes",
            "{display}.plot: 'ax' must be one axes or {n_panels}, one per panel; got "
            "{n_axes}. Pass None for a new figure.",
            display=type(self).__name__,
            n_panels=wanted,
            n_axes=len(axes),
        )

    def _draw(self, axes: list[Axes], texts: Texts, *, own_figure: bool) -> None:
        """Draw on one axes per panel; there is more space in a figure of its own."""
        raise NotImplementedError


def _style() -> Any:
    """Return the settings of the pictures for matplotlib."""
    from cycler import cycler

    return {**_STYLE, "axes.prop_cycle": cycler(color=COLOURS)}


def _add_panels(figure: Figure, n_panels: int) -> list[Axes]:
    """Return this many axes side by side."""
    return list(figure.subplots(1, n_panels, squeeze=False)[0])


def format_percent(axis: Axis, texts: Texts) -> None:
    """Write an axis of fractions in percent."""
    axis.set_major_formatter(texts.percent_tick)


def format_numbers(axis: Axis, texts: Texts) -> None:
    """Write the numbers of an axis with the signs of the language."""
    axis.set_major_formatter(texts.tick)


def label_rows(ax: Axes, rows: NDArray[np.int64], labels: Sequence[str]) -> None:
    """Label the rows of a horizontal picture, without ticks and grid lines."""
    ax.set_yticks(rows, labels)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.grid(axis="y", visible=False)


def space_labels(values: Sequence[float], gap: float) -> list[float]:
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
