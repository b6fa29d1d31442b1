"""Layouts in the style of countries that no rule was written for."""

from __future__ import annotations

import pytest

from smartrisk.intake import propose_map

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        *("mexico", "argentina", "india", "cameroon"),
        *("cyrillic", "turkey", "united states"),
    ],
)
def test_a_layout_of_another_country_needs_few_corrections(
    name, held_out, count_corrections
):
    layout = held_out(name)
    wrong = count_corrections(propose_map(layout.frame), layout)
    assert sum(cost for _, cost, *_ in wrong) <= 3, wrong
