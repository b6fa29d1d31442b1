"""What a user passes wrongly to a closed loop is refused by it."""

from __future__ import annotations

import pytest

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError
from smartrisk.simulation import Arm, close_loop


@pytest.fixture(scope="module")
def world():
    return make_declarations(500, random_state=0, scenario="small")


def test_only_arms_run_and_only_in_worlds(world):
    with pytest.raises(ArgumentError, match="got 'int' in place of Arm"):
        close_loop({"a": 3}, [world])
    with pytest.raises(ArgumentError, match="got 'int' in place of World"):
        close_loop({"a": Arm()}, [3])
    with pytest.raises(ArgumentError, match="a mapping from names to Arm; got list"):
        close_loop([Arm()], [world])


def test_a_number_of_jobs_is_not_zero(world):
    for n_jobs in (0, "a"):
        with pytest.raises(ArgumentError, match="close_loop: 'n_jobs'"):
            close_loop({"a": Arm()}, [world], n_jobs=n_jobs)


def test_refusals_name_a_remedy(world):
    with pytest.raises(ArgumentError, match="Make one with"):
        close_loop({"a": Arm()}, [])
    with pytest.raises(ArgumentError, match="'start' must be less than the number"):
        close_loop({"a": Arm()}, [world], start=99)
