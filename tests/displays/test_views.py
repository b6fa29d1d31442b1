"""A display is made from its result only, and a notebook shows it once."""

from __future__ import annotations

import inspect

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

import smartrisk.displays
from smartrisk.displays import Display, DriftDisplay, MonthsDisplay
from smartrisk.errors import ArgumentError
from smartrisk.monitoring import Drift, drift
from smartrisk.quality import scorecard


@pytest.fixture(scope="module")
def moved(declarations):
    return drift(declarations.head(500), declarations.tail(500))


@pytest.fixture
def display(moved):
    plt.close("all")
    yield DriftDisplay.from_drift(moved)
    plt.close("all")


def run_cell(source, names):
    """Run the code of a notebook cell; return what the notebook would show, in order.

    As in IPython with its inline backend: the value of the last line by its HTML view,
    then every figure that pyplot holds.
    """
    *before, last = source.strip().splitlines()
    exec("\n".join(before), names)
    value = eval(last, names)
    html = value._repr_html_()
    shown = [] if html is None else [html]
    shown += [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")
    return shown


@pytest.mark.parametrize(
    "cell",
    [
        "display.plot()",
        "display",
        "display.plot(lang='fr')\ndisplay",
        "display.plot(plt.figure().gca())",
        "display.plot(plt.subplots()[1])\ndisplay",
    ],
)
def test_a_display_at_the_end_of_a_cell_is_shown_once(display, cell):
    shown = run_cell(cell, {"display": display, "plt": plt})
    assert len(shown) == 1


def test_a_cell_shows_the_language_of_the_last_plot(display):
    (html,) = run_cell("display.plot(lang='fr')", {"display": display})
    assert "Dérive des rubriques" in html
    assert "Drift of fields" not in html


def test_plotting_leaves_no_figure_in_pyplot(display):
    figure = display.plot().figure_
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == []


def test_a_plotted_figure_can_be_saved_by_itself(display, tmp_path):
    display.plot().figure_.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_a_display_is_described_by_its_rows(display):
    assert repr(display) == f"DriftDisplay({len(display.frame())} rows)"


def constructors():
    """Yield every constructor of a display that takes a result."""
    for name in smartrisk.displays.__all__:
        kind = getattr(smartrisk.displays, name)
        if inspect.isclass(kind) and issubclass(kind, Display) and kind is not Display:
            names = [n for n in vars(kind) if n.startswith("from_")]
            assert names, name
            yield from (pytest.param(kind, n, id=f"{name}.{n}") for n in names)


@pytest.mark.parametrize(("kind", "name"), list(constructors()))
@pytest.mark.parametrize("wrong", [3, None, pd.DataFrame({"psi": [0.1]})])
def test_a_display_refuses_what_is_not_its_result(kind, name, wrong):
    make = getattr(kind, name)
    arguments = {"segment": "office"} if "segment" in signature(make) else {}
    with pytest.raises(ArgumentError, match=f"got {type(wrong).__name__}") as caught:
        make(wrong, **arguments)
    assert caught.value.message_id == "displays.wrong_result"
    assert caught.value.values["display"] == kind.__name__
    assert caught.value.values["argument"] in signature(make)


@pytest.mark.parametrize(("kind", "name"), list(constructors()))
def test_a_display_refuses_the_result_of_another(kind, name, moved, declarations):
    other = scorecard(declarations) if kind is DriftDisplay else moved
    make = getattr(kind, name)
    arguments = {"segment": "office"} if "segment" in signature(make) else {}
    with pytest.raises(ArgumentError, match=f"got {type(other).__name__}"):
        make(other, **arguments)


def signature(function):
    """Return the names of the parameters."""
    return list(inspect.signature(function).parameters)


def test_the_language_is_given_by_name(display):
    for call in (display.plot, display.svg, display.save):
        kind = inspect.signature(call).parameters["lang"].kind
        assert kind is inspect.Parameter.KEYWORD_ONLY


def test_numbers_and_words_of_an_axis_are_in_the_language(display):
    display.plot(lang="fr")
    (axes,) = display.figure_.axes
    assert axes.get_title(loc="left") == "Dérive des rubriques"
    assert axes.xaxis.get_major_formatter()(0.25) == "0,25"
    display.plot(lang="en")
    (axes,) = display.figure_.axes
    assert axes.xaxis.get_major_formatter()(0.25) == "0.25"


def test_months_are_those_of_the_scorecard(declarations, outcomes):
    card = scorecard(declarations, outcomes)
    display = MonthsDisplay.from_scorecard(card)
    pd.testing.assert_frame_equal(display.frame(), card.months())
    bars, line = display.plot().ax_
    heights = [bar.get_height() for bar in bars.patches]
    assert heights == card.months()["n_items"].tolist()
    assert line.lines[0].get_ydata().tolist() == card.months()["share"].tolist()


def test_a_display_shares_no_memory_with_its_result():
    table = pd.DataFrame({"field": ["origin"], "psi": [0.3], "shift": ["large"]})
    result = Drift(table.assign(noise=0.01))
    display = DriftDisplay.from_drift(result)
    taken = display.frame()
    taken["psi"] = 9.0
    assert result.frame()["psi"].tolist() == display.frame()["psi"].tolist() == [0.3]
