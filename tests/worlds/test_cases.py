"""Worlds make cases and seizures, and all that they made before stays what it was."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from smartrisk.datasets import make_declarations
from smartrisk.errors import TableError
from smartrisk.schema import CASES, SEIZURES
from smartrisk.validation import validate

#: Digest of the older tables of each scenario, 400 items of seed 3, from before worlds
#: made cases.
OLDER = {
    "adversary": "5f1e3e9742bd24be",
    "collusion": "5cf5177c563b5f69",
    "drift": "73a8d62c445797bf",
    "independent-concealed": "31ce18ce78636f6c",
    "independent-drift": "2de918a5a94944b8",
    "independent-newcomers": "bfed9a64a6de637a",
    "independent-scarce": "b73084e91ba3501d",
    "independent-stable": "d1e063cbfb6cbe8b",
    "national": "777d8bb44952c220",
    "parcels": "3fb0833619e21ad1",
    "phoenix": "985a9ac3577c5399",
    "scarce": "9a72edd13a7460e7",
    "small": "187fe1f6c4052afa",
    "stable": "ea10192fa5e5b51b",
    "transshipment": "43121dd4d3eff03a",
}


def digest(world):
    """Return a digest of the older tables; nine digits hold on every machine."""
    tables = [
        *(world.declarations, world.outcomes, world.truth, world.events),
        *(world.officers, world.decisions(), world.milestones()),
    ]
    form = {"index": False, "float_format": "%.9g", "lineterminator": "\n"}
    content = "".join(table.to_csv(**form) for table in tables)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@pytest.fixture(scope="module", params=["national", "independent-concealed"])
def world(request):
    return make_declarations(8_000, random_state=4, scenario=request.param)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", OLDER)
def test_what_worlds_made_before_stays_as_it_was(scenario):
    world = make_declarations(400, random_state=3, scenario=scenario)
    assert digest(world) == OLDER[scenario]
    world.cases()
    assert digest(world) == OLDER[scenario]


def test_cases_and_seizures_are_valid_tables(world):
    cases, seizures = world.cases(), world.seizures()
    assert len(cases) >= 5
    for made, table in ((cases, CASES), (seizures, SEIZURES)):
        checked = validate(made, table)
        assert_frame_equal(checked[list(made)], made)
        assert set(made) <= set(table.names)
    assert cases["known_at"].is_monotonic_increasing
    assert set(seizures["case_id"]) == set(cases["case_id"])
    assert len(seizures) >= len(cases)
    assert_frame_equal(world.cases(), cases)


def test_a_case_comes_from_a_finding(world):
    cases = world.cases()
    named = cases["declaration_ids"].dropna()
    assert len(named) > 0
    hits = world.outcomes[world.outcomes["illicit"] == 1]
    assert set(named) <= set(hits["declaration_id"])
    found = hits.set_index("declaration_id")["known_at"]
    found = found[~found.index.duplicated()]
    assert (found.loc[named].to_numpy() == cases["known_at"][named.index]).all()
    assert set(cases["detection"]) <= set(CASES["detection"].codes)


def test_a_seizure_of_the_same_goods_and_unit_is_one_row():
    row = {"case_id": "C1", "category": "COCAINE", "quantity": 2, "unit": "KG"}
    table = pd.DataFrame([row, row | {"unit": "PIECE"}])
    assert len(validate(table, SEIZURES)) == 2
    with pytest.raises(TableError, match=r"duplicate row in 2 rows.*'C1'.*category"):
        validate(pd.DataFrame([row, row | {"quantity": 3}]), SEIZURES)
    with pytest.raises(TableError, match="duplicate row"):
        validate(
            pd.DataFrame({"case_id": ["C1", "C1"], "date": ["2024-01-01"] * 2}), CASES
        )
