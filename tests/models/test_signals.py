"""The directed score that needs no results."""

import json

import numpy as np
import pytest

from smartrisk.errors import ArgumentError, ArtefactError
from smartrisk.models import SignalScore
from smartrisk.models._signals import signals_share

SUSPICION = (-1.0, 0.5, 0.0, 0.3)


@pytest.fixture(name="X")
def _matrix():
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(800, 4))
    matrix[:, 3] = rng.random(800) < 0.05  # a flag
    matrix[rng.random((800, 4)) < 0.1] = np.nan
    return matrix


@pytest.fixture
def score(X):
    return SignalScore.learn(X, SUSPICION)


def test_contributions_add_up_and_only_signals_have_any(X, score):
    found = score.contributions(X)
    np.testing.assert_allclose(found.sum(axis=1), score.raw(X), rtol=0, atol=1e-12)
    assert (found[:, 2] == 0).all()
    assert np.ptp(found[:, -1]) == 0


def test_the_score_rises_in_the_suspicious_direction_and_stops_at_the_cap(score):
    def raw(*values):
        return float(score.raw(np.array([values]))[0])

    usual = raw(0.0, 0.0, 0.0, 0.0)
    assert raw(-1.0, 0.0, 0.0, 0.0) > usual
    assert raw(2.0, 0.0, 0.0, 0.0) == pytest.approx(raw(5.0, 0.0, 0.0, 0.0))
    assert raw(0.0, 1.0, 0.0, 0.0) > usual
    assert raw(-50.0, 0.0, 0.0, 0.0) == raw(-5000.0, 0.0, 0.0, 0.0)
    assert raw(0.0, 0.0, 9.0, 0.0) == usual


def test_a_flag_counts_with_its_weight(score):
    place = score.columns.index(3)
    assert (score.usual[place], score.spreads[place]) == (0.0, 1.0)


def test_a_missing_value_counts_as_a_usual_one_and_learns_nothing(X, score):
    row = np.zeros((2, 4))
    row[0] = np.nan
    row[1, [0, 1]] = np.array(score.usual[:2])
    raw = score.raw(row)
    assert raw[0] == raw[1]
    more = np.vstack([X, np.full((300, 4), np.nan)])
    again = SignalScore.learn(more, SUSPICION)
    assert again.usual == score.usual
    assert again.spreads == score.spreads


def test_the_order_of_the_items_changes_no_bit(X, score):
    order = np.random.default_rng(1).permutation(len(X))
    assert SignalScore.learn(X[order], SUSPICION) == score


def test_one_item_scores_as_in_a_batch(X, score):
    one = np.concatenate([score.raw(X[k : k + 1]) for k in range(50)])
    np.testing.assert_array_equal(one, score.raw(X)[:50])


def test_it_survives_json_bit_for_bit(X, score):
    again = SignalScore.from_plain(json.loads(json.dumps(score.to_plain())))
    assert again == score
    np.testing.assert_array_equal(again.raw(X), score.raw(X))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weights", [1.0]),
        ("spreads", [1.0, -1.0, 1.0]),
        ("columns", [0, 1, 99]),
        ("columns", [0, 1, 4]),
        ("columns", 3),
        ("columns", [0, 1.5, 3]),
        ("usual", [0.0, float("nan"), 0.0]),
        ("deviation", 0.0),
        ("weight", 1.5),
        ("name", "forest"),
    ],
)
def test_damaged_values_are_refused(score, key, value):
    with pytest.raises(ArtefactError, match="damaged"):
        SignalScore.from_plain(score.to_plain() | {key: value})


def test_missing_values_are_refused(score):
    plain = score.to_plain()
    del plain["usual"]
    with pytest.raises(ArtefactError, match="other names"):
        SignalScore.from_plain(plain)


def test_a_weight_is_needed_for_each_feature(X):
    with pytest.raises(ArgumentError, match="one entry per feature"):
        SignalScore.learn(X, (1.0, 0.0))


def test_features_with_one_value_are_no_part_of_it():
    X = np.column_stack([np.ones(50), np.full(50, np.nan), np.arange(50.0)])
    score = SignalScore.learn(X, (1.0, 1.0, 1.0))
    assert score.columns == (2,)
    nothing = SignalScore.learn(X[:, :2], (1.0, 1.0))
    assert len(set(nothing.raw(X[:, :2]))) == 1


def test_the_share_of_the_signals_falls_with_every_result_of_the_rarer_class():
    shares = [signals_share(n, 900) for n in range(200)]
    assert shares[0] == 1.0
    assert (np.diff(shares) < 0).all()
    assert max(-np.diff(shares)) < 0.05 + 1e-9
    assert signals_share(900, 7) == signals_share(7, 900) == signals_share(7, 90_000)
