"""Worlds that several tests read; none of them changes one."""

from __future__ import annotations

from functools import cache

import pytest

from smartrisk.datasets import make_declarations


@pytest.fixture(scope="session")
def scenario_world():
    """Return what gives the world of a named scenario, made once."""

    @cache
    def make(name):
        return make_declarations(20_000, random_state=6, scenario=name)

    return make
