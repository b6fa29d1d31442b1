"""Orders of items by value and hash: what sorting by both columns gives."""

from __future__ import annotations

import numpy as np
import pytest

from smartrisk.selectivity._random_draws import draw_smallest, order_best_first

N = 2_000


def make_values():
    """Return values of which some, most or none are equal."""
    rng = np.random.default_rng(5)
    numbers, few = rng.random(N), rng.random(N) < 0.2
    return {
        "distinct": numbers,
        "some equal": np.where(few, rng.integers(0, 9, N), numbers),
        "most equal": rng.integers(0, 50, N).astype("float64"),
        "all equal": np.full(N, 0.5),
        "infinite": np.where(few, np.inf, numbers),
        "zeros of both signs": np.where(few, rng.choice([0.0, -0.0], N), numbers),
        "missing": np.where(few, np.nan, numbers),
        "one": np.array([0.5]),
        "none": np.zeros(0),
    }


VALUES = make_values()


def hashes_of(n, *, repeated=False):
    """Return hashes; repeated ones decide nothing, and positions do."""
    rng = np.random.default_rng(6)
    return rng.integers(0, 20 if repeated else 2**64, n, dtype=np.uint64)


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("kind", VALUES)
def test_the_best_come_first_and_equal_ones_by_their_hashes(kind, repeated):
    value = VALUES[kind]
    ties = hashes_of(len(value), repeated=repeated)
    np.testing.assert_array_equal(
        order_best_first(value, ties), np.lexsort((ties, -value))
    )


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("drawn", [0, 1, 7, 300, N, N + 1])
def test_the_smallest_hashes_are_drawn_and_the_first_of_equal_ones(drawn, repeated):
    hashes = hashes_of(N, repeated=repeated)
    lucky = np.zeros(N, bool)
    lucky[np.argsort(hashes, kind="stable")[:drawn]] = True
    np.testing.assert_array_equal(draw_smallest(hashes, drawn), lucky)
