"""What a saved block may hold, checked on arrays of a few entries."""

from __future__ import annotations

import numpy as np
import pytest

from smartrisk.errors import ArtefactError
from smartrisk.features import _block_checks as checks
from smartrisk.features._packed_days import DAY_BITS, LAST_DAY

#: Three identities with two, none and one entry.
INDEX = {
    "packed": [3, 9, (2 << DAY_BITS) | 3],
    "id": [5, 6, 9],
    "start": [0, 2, 2, 3],
}


def check(**change):
    index = INDEX | change
    checks.check_index(
        "history.items.x",
        {"packed": np.array(index["packed"], np.int64)},
        {"id": np.array(index["id"], np.uint64)},
        {"start": np.array(index["start"], np.int64)},
    )


@pytest.fixture(params=[1, 2, 1 << 18])
def part(request, monkeypatch):
    """Look at some entries at a time."""
    monkeypatch.setattr(checks, "_PART", request.param)


def test_a_plain_index_passes(part):
    assert LAST_DAY == (1 << DAY_BITS) - 1  # so that no day of an entry is out of range
    check()
    check(packed=[], id=[], start=[0])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": [5, 5, 9]}, "not each once"),
        ({"id": [5, 9, 6]}, "not sorted"),
        ({"start": [0, 2, 3]}, "where its identities begin"),
        ({"start": [1, 2, 2, 3]}, "where its identities begin"),
        ({"start": [0, 2, 2, 4]}, "where its identities begin"),
        ({"start": [0, 3, 2, 3]}, "where its identities begin"),
        ({"start": [0, 1, 2, 3]}, "not where their identities begin"),
        ({"start": [0, 2, 3, 3]}, "not where their identities begin"),
        ({"packed": [9, 3, (2 << DAY_BITS) | 3]}, "not sorted by identity and day"),
        ({"packed": [3, 3, (2 << DAY_BITS) | 3]}, "not sorted by identity and day"),
        ({"packed": [-1, 3, (2 << DAY_BITS) | 3]}, "identities that it does not have"),
        ({"packed": [3, 9, (3 << DAY_BITS) | 3]}, "identities that it does not have"),
    ],
)
def test_an_odd_index_is_refused(part, change, problem):
    with pytest.raises(ArtefactError, match=rf"'history\.items\.x\.arrow'.*{problem}"):
        check(**change)


@pytest.mark.parametrize(
    ("totals", "problem"),
    [
        ({"n": [0, 1]}, "no running total in 'n'"),
        ({"n": [1, 1, 2]}, "no running total in 'n'"),
        ({}, "no sums"),
        ({"n,n": [0, 1, 2]}, "one of them twice"),
        ({"n": [0, 1, 2], "s,n": [0, 1, 2]}, "one of them twice"),
        ({"known": [0, 1, 2]}, "one of them twice"),
    ],
)
def test_odd_totals_are_refused(totals, problem):
    made = {name: np.array(values, np.int64) for name, values in totals.items()}
    with pytest.raises(ArtefactError, match=rf"'prices\.x\.arrow'.*{problem}"):
        checks.check_totals("prices.x", made, 2, {"known"})
