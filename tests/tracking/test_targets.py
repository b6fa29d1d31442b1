"""Engines that look for different findings are not compared."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from smartrisk.errors import ArgumentError
from smartrisk.tracking._gate import _check_targets


def test_a_challenger_that_looks_for_something_else_is_refused():
    engines = [SimpleNamespace(target_=t) for t in ("offence:origin", "hit")]
    with pytest.raises(ArgumentError, match=r"'offence:origin'.*'hit'"):
        _check_targets(engines)
    assert _check_targets(engines[:1] * 2) == "offence:origin"
