"""Displays draw what they store, and write the same bytes every time."""

from __future__ import annotations

import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from smartrisk.displays import RateCurveDisplay, ReliabilityDisplay
from smartrisk.displays._display import space_labels
from smartrisk.errors import ArgumentError
from smartrisk.evaluation import backtest, calibration, evaluate
from smartrisk.languages import LANGUAGES


@pytest.fixture(scope="module")
def judged():
    """Return scores of two contenders, one calibrated, and the results."""
    rng = np.random.default_rng(0)
    n = 2000
    p = 1 / (1 + np.exp(-(1.5 * rng.normal(size=n) - 2)))
    hits = (rng.random(n) < p).astype(int)
    key = pd.DataFrame({"declaration_id": [f"D{i}" for i in range(n)]})
    good = key.assign(item_number=1, risk_score=p, expected_revenue=100 * p)
    poor = key.assign(item_number=1, risk_score=rng.random(n))
    outcomes = key.assign(
        item_number=1, illicit=hits, revenue_adjustment=hits * rng.lognormal(5, 1, n)
    )
    return {"good": good, "poor": poor}, outcomes


@pytest.fixture(scope="module")
def curves(judged):
    scores, outcomes = judged
    return RateCurveDisplay.from_evaluations(
        {name: evaluate(s, outcomes, n_bootstrap=20) for name, s in scores.items()}
    )


@pytest.fixture(scope="module")
def reliability(judged):
    scores, outcomes = judged
    return ReliabilityDisplay.from_calibrations(
        {
            name: calibration(table["risk_score"], outcomes["illicit"])
            for name, table in scores.items()
        }
    )


@pytest.fixture(params=["curves", "reliability"])
def display(request):
    yield request.getfixturevalue(request.param)
    plt.close("all")


# ------------------------------------------------------------- every display


def test_plot_gives_the_display_back_with_its_axes_and_figure(display):
    assert display.plot() is display
    axes = np.ravel(display.ax_)
    assert all(ax.figure is display.figure_ for ax in axes)
    for ax in axes:
        assert ax.get_title(loc="left")
        assert "%" in ax.get_xlabel()
        assert "%" in ax.get_ylabel()


def test_the_frame_is_a_copy(display):
    frame = display.frame()
    frame.iloc[:, -1] = -1.0
    assert (display.frame().iloc[:, -1] != -1.0).any()


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_saved_picture_has_the_same_bytes_whatever_was_set_before(
    display, tmp_path, ending
):
    first = display.save(tmp_path / f"first.{ending}")
    display.plot()
    odd = {
        "font.size": 20,
        "figure.dpi": 50,
        "svg.hashsalt": None,
        "lines.linewidth": 9,
    }
    with plt.rc_context({**odd, "axes.facecolor": "#eeeeee", "xtick.direction": "in"}):
        second = display.save(tmp_path / "new" / f"second.{ending}")
    assert first.read_bytes() == second.read_bytes()


def test_the_svg_can_be_embedded_in_a_page(display):
    svg = display.svg()
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    assert "<text" in svg  # words stay words
    assert "<script" not in svg


def test_another_file_ending_is_refused(display, tmp_path):
    with pytest.raises(ArgumentError, match="'path ending' must be one of"):
        display.save(tmp_path / "picture.bmp")


def test_saving_opens_no_window_and_leaves_no_figure_behind(display, tmp_path):
    plt.close("all")
    display.save(tmp_path / "picture.png")
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_importing_the_package_loads_no_drawing_library():
    code = (
        "import sys, smartrisk.displays;"
        "sys.exit(any(m in sys.modules for m in ('matplotlib', 'jinja2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --------------------------------------------------------------- rate curves


def test_the_curve_holds_the_numbers_of_the_evaluation(judged, curves):
    scores, outcomes = judged
    result = evaluate(scores["good"], outcomes, n_bootstrap=20).frame()
    drawn = curves.frame().query("contender == 'good' and measure == 'precision'")
    expected = result[result["rank_by"] == "risk_score"]
    for ours, theirs in [("value", ""), ("low", "_low"), ("high", "_high")]:
        np.testing.assert_array_equal(drawn[ours], expected[f"precision{theirs}"])
    np.testing.assert_array_equal(drawn["rate"], [0.01, 0.02, 0.05, 0.10])
    np.testing.assert_allclose(drawn["chance"], outcomes["illicit"].mean())


def test_revenue_is_that_of_the_ranking_by_expected_revenue_where_offered(curves):
    at = curves.frame().query("measure == 'revenue_share'")
    assert at.groupby("contender")["rank_by"].unique().map(list).to_dict() == {
        "good": ["expected_revenue"],
        "poor": ["risk_score"],
    }
    np.testing.assert_array_equal(at["chance"], at["rate"])


def test_the_lines_drawn_are_the_numbers_stored(curves):
    curves.plot()
    poor = curves.frame().query("contender == 'poor'")
    for ax, (_, at) in zip(curves.ax_, poor.groupby("measure"), strict=True):
        drawn = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
        np.testing.assert_array_equal(drawn["poor"], at["value"])
        assert "by chance" in drawn
    plt.close("all")


def test_without_revenue_the_second_panel_is_recall(judged):
    scores, outcomes = judged
    bare = outcomes.drop(columns="revenue_adjustment")
    display = RateCurveDisplay.from_evaluations(
        {
            name: evaluate(table, bare, rates=(0.1,), n_bootstrap=0)
            for name, table in scores.items()
        }
    )
    assert display.frame()["measure"].unique().tolist() == ["precision", "recall"]
    assert display.frame()["low"].isna().all()
    display.svg()


def test_a_measure_without_any_value_states_that_it_is_not_known(judged):
    scores, outcomes = judged
    result = evaluate(
        scores["good"], outcomes.drop(columns="revenue_adjustment"), n_bootstrap=0
    )
    display = RateCurveDisplay.from_evaluations(result, measures=("revenue_share",))
    assert "not known" in display.svg()


def test_numbers_of_items_are_drawn_as_their_share(judged):
    scores, outcomes = judged
    display = RateCurveDisplay.from_evaluations(
        evaluate(scores["good"], outcomes, rates=(1, 100), n_bootstrap=0)
    )
    rates = display.frame().query("measure == 'precision'")["rate"]
    np.testing.assert_allclose(rates, [1 / 2000, 100 / 2000])


def test_given_axes_are_drawn_on(curves):
    figure, axes = plt.subplots(1, 2)
    curves.plot(axes)
    assert curves.figure_ is figure
    assert list(curves.ax_) == list(axes)
    figure, alone = plt.subplots()
    curves.plot(alone)
    assert curves.figure_ is figure
    assert len(curves.ax_) == 2
    with pytest.raises(ArgumentError, match="one axes or 2"):
        curves.plot(plt.subplots(1, 3)[1])
    plt.close("all")


def test_many_contenders_stay_apart_and_only_the_first_has_its_band(judged):
    scores, outcomes = judged
    result = evaluate(scores["good"], outcomes, n_bootstrap=5)
    names = [f"contender {i}" for i in range(9)]
    display = RateCurveDisplay.from_evaluations(dict.fromkeys(names, result)).plot()
    looks = {
        (line.get_color(), line.get_marker(), line.get_linestyle())
        for line in display.ax_[0].get_lines()
    }
    assert len(looks) == 10
    assert len(display.ax_[0].collections) == 1
    plt.close("all")


def test_no_evaluation_and_unknown_measures_are_refused(judged):
    scores, outcomes = judged
    with pytest.raises(ArgumentError, match="got an empty mapping"):
        RateCurveDisplay.from_evaluations({})
    result = evaluate(scores["good"], outcomes, n_bootstrap=0)
    with pytest.raises(ArgumentError, match="Did you mean 'precision'"):
        RateCurveDisplay.from_evaluations(result, measures=("precison",))


# --------------------------------------------------------------- reliability


def test_a_calibrated_score_lies_on_the_diagonal_within_its_intervals(reliability):
    good = reliability.frame().query("contender == 'good'")
    inside = good["score"].between(good["hit_rate_low"], good["hit_rate_high"])
    assert inside.sum() >= 9
    poor = reliability.frame().query("contender == 'poor'")
    assert not poor["score"].between(poor["hit_rate_low"], poor["hit_rate_high"]).all()


def test_groups_hold_every_item_once_and_average_to_the_whole(judged, reliability):
    scores, outcomes = judged
    good = reliability.frame().query("contender == 'good'")
    assert good["n_items"].tolist() == [200] * 10
    total = (good["hit_rate"] * good["n_items"]).sum()
    assert total == pytest.approx(outcomes["illicit"].sum())
    mean = (good["score"] * good["n_items"]).sum() / 2000
    assert mean == pytest.approx(scores["good"]["risk_score"].mean())


def test_equal_scores_stay_in_one_group():
    score = np.repeat([0.1, 0.5], [90, 10])
    display = ReliabilityDisplay.from_calibrations(
        calibration(score, np.arange(100) % 2)
    )
    assert display.frame()["n_items"].tolist() == [90, 10]
    alone = ReliabilityDisplay.from_calibrations(
        calibration(np.full(20, 0.3), np.arange(20) % 2)
    )
    assert alone.frame()["score"].tolist() == pytest.approx([0.3])
    assert "20 items a group" in alone.svg()


# ------------------------------------------------------------------- labels


def test_labels_keep_their_distance_and_their_order():
    values = [0.5, 0.51, 0.1, 0.52, 0.9]
    placed = np.array(space_labels(values, 0.1))
    assert (np.diff(np.sort(placed)) >= 0.1 - 1e-12).all()
    np.testing.assert_array_equal(np.argsort(placed), np.argsort(values))
    assert placed[2] == 0.1
    assert placed[4] == 0.9
    assert space_labels([], 0.1) == []
    pushed = space_labels([0.5, 0.51, 0.57], 0.1)  # the third is near the moved second
    assert (np.diff(pushed) >= 0.1 - 1e-12).all()


# ------------------------------------------------------------- more displays


@pytest.fixture(scope="module")
def others(engine, past_and_new, world):
    """Return a display of each further kind."""
    import smartrisk as sr

    past, new = past_and_new
    new = new.head(300)
    scores = engine.score(new)
    reasons = engine.explain(new)
    segments = sr.evaluation.by_segment(
        scores, world.full_outcomes(), {"office": new["office"]}, rate=0.2, min_items=5
    )

    def by_value(past, known, later):
        return later["customs_value"]

    backtest = sr.evaluation.backtest(
        {"value": by_value},
        past,
        world.outcomes,
        judge=world.full_outcomes(),
        n_folds=2,
    )
    displays = sr.displays
    return {
        "segments": displays.SegmentsDisplay.from_segments(segments, "office"),
        "backtest": displays.BacktestDisplay.from_backtest(backtest),
        "drift": displays.DriftDisplay.from_drift(sr.monitoring.drift(past, new)),
        "reasons": displays.ReasonsDisplay.from_reasons(reasons[0]),
        "importance": displays.ImportanceDisplay.from_importance(
            sr.explanations.importance(reasons, "field")
        ),
        "stability": displays.StabilityDisplay.from_stability(
            sr.explanations.stability(reasons, period="W")
        ),
        "dependence": displays.DependenceDisplay.from_dependence(
            sr.explanations.dependence(reasons, "importer_id__days_since_last")
        ),
        "profile": displays.SegmentProfileDisplay.from_profile(
            sr.explanations.segment_profile(reasons, "office")
        ),
    }


FURTHER = (
    "segments",
    "backtest",
    "drift",
    "reasons",
    "importance",
    "stability",
    "dependence",
    "profile",
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FURTHER)
def test_a_display_draws_saves_and_returns_its_numbers(others, kind, tmp_path):
    display = others[kind]
    assert display.plot() is display
    assert all(ax.figure is display.figure_ for ax in np.ravel(display.ax_))
    first = display.save(tmp_path / "a.svg").read_bytes()
    assert first == display.save(tmp_path / "b.svg").read_bytes()
    frame = display.frame()
    frame["more"] = 1
    assert "more" not in display.frame()
    assert "<svg" in display._repr_html_()
    plt.close("all")


def test_a_waterfall_starts_at_the_base_and_ends_at_the_score(
    others, engine, past_and_new
):
    frame = others["reasons"].frame()
    assert frame["concept"].iloc[0] == "base"
    ends = frame["start"] + frame["contribution"]
    np.testing.assert_allclose(ends.iloc[:-1], frame["start"].iloc[1:])
    with pytest.raises(ArgumentError, match="got NoneType"):
        type(others["reasons"]).from_reasons(None)
    with pytest.raises(ArgumentError, match="of one item; got 2 items"):
        type(others["reasons"]).from_reasons(engine.explain(past_and_new[1].head(2)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FURTHER)
def test_a_display_speaks_three_languages_and_nothing_is_cut_off(others, kind):
    display = others[kind]
    texts = {lang: set(words(display.svg(lang=lang))) for lang in LANGUAGES}
    assert texts["fr"] - texts["en"]
    assert texts["es"] - texts["en"]
    for lang in LANGUAGES:
        display.plot(lang=lang)
        figure = display.figure_
        figure.draw_without_rendering()
        frame = figure.get_window_extent()
        tight = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert tight.x0 >= frame.x0 - 1
        assert tight.x1 <= frame.x1 + 1
        plt.close("all")
    with pytest.raises(ArgumentError, match="'lang' must be one of"):
        display.plot(lang="de")


def words(svg):
    """Return the texts of a picture that hold a word."""
    return [
        t for t in re.findall(r"<text[^>]*>([^<]+)<", svg) if re.search("[a-z]{4}", t)
    ]


@pytest.mark.slow
def test_numbers_at_an_axis_follow_the_language(others):
    def ticks(kind, lang):
        svg = others[kind].svg(lang=lang)
        return re.findall(r"<text[^>]*>([^<]*[0-9%])<", svg)

    assert [t for t in ticks("importance", "en") if re.fullmatch(r"0\.\d+", t)]
    for lang in ("fr", "es"):
        assert [t for t in ticks("importance", lang) if re.fullmatch(r"0,\d+", t)]
        assert not [t for t in ticks("importance", lang) if "." in t]
        assert "20\u202f%" in ticks("segments", lang)
    assert "20 %" in ticks("segments", "en")


@pytest.mark.slow
def test_a_missing_value_is_drawn_apart(others):
    frame = others["dependence"].frame()
    assert frame["low"].isna().sum() == 1
    assert "missing" in others["dependence"].svg(lang="en")
    whole = frame[frame["low"].notna()]
    alone = type(others["dependence"])(frame[frame["low"].isna()], "f")
    assert "missing" in alone.svg()
    assert "missing" not in type(alone)(whole, "f").svg()


def test_a_profile_adds_up_and_ranks(others, engine, past_and_new):
    frame = others["profile"].frame()
    parts = frame.drop(columns=["segment", "n_items", "difference"])
    np.testing.assert_allclose(parts.sum(axis=1), frame["difference"], atol=1e-9)
    assert frame["difference"].is_monotonic_decreasing
    assert parts.shape[1] == 7  # six named, and the rest
    weighted = (frame["difference"] * frame["n_items"]).sum()
    assert abs(weighted) < 0.02 * frame["n_items"].sum()


def test_a_picture_is_saved_in_the_language_it_was_plotted_in(others, tmp_path):
    display = others["drift"]
    display.plot(lang="fr")
    plt.close("all")
    assert "importateur" in display.save(tmp_path / "a.svg").read_text(encoding="utf-8")
    again = display.save(tmp_path / "b.svg", lang="en").read_text(encoding="utf-8")
    assert "importateur" not in again
    display.plot()
    plt.close("all")


def test_a_backtest_shows_the_rate_that_it_has(others, past_and_new, world):
    def by_value(past, known, later):
        return later["customs_value"]

    found = backtest(
        {"value": by_value},
        past_and_new[0],
        world.outcomes,
        judge=world.full_outcomes(),
        n_folds=1,
        rates=(0.02, 0.1),
    )
    display = type(others["backtest"]).from_backtest(found)
    assert set(display.frame()["rate"]) == {0.02}
    assert "2 % of the items inspected" in display.svg()


def test_the_rows_of_segments_are_level_on_both_panels(others, past_and_new, world):
    import smartrisk as sr

    new = past_and_new[1].head(300)
    first, *_, last = others["segments"].frame()["value"]
    # Nothing of the first and the last row is selected: the right panel lacks them.
    edge = new["office"].isin([first, last])
    scores = new[["declaration_id", "item_number"]].assign(
        risk_score=np.where(edge, 0.1, 0.9)
    )
    found = sr.evaluation.by_segment(
        scores, world.full_outcomes(), {"office": new["office"]}, rate=0.2, min_items=5
    )
    display = type(others["segments"]).from_segments(found, "office").plot()
    left, right = display.ax_
    frame = display.frame()
    assert frame["precision"].iloc[[0, -1]].isna().any()
    assert left.get_ylim() == right.get_ylim()
    for row, line in enumerate(frame.to_dict("records")):
        if line["precision"] == line["precision"]:
            drawn = [
                (x, y)
                for part in right.lines
                if part.get_marker() == "o"
                for x, y in zip(part.get_xdata(), part.get_ydata(), strict=True)
            ]
            assert (line["precision"], -row) in drawn
