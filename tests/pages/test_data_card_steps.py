"""The data card says how its tables were read."""

from __future__ import annotations

from smartrisk.pages import CaseSheet, DataCard, WatchList
from smartrisk.schema import DECLARATIONS, ColumnMap
from smartrisk.validation import validate


def test_each_step_of_the_map_is_a_line_of_the_card(world):
    items = world.declarations.head(500)
    columns = ColumnMap(
        {"office": "bureau <b>"},
        sums={"customs_value": ["fob", "frais"]},
        currency="EUR",
        references=[
            {
                "name": "aeo",
                "key": {"importer_id": "id"},
                "take": {"trusted_trader": "a"},
            }
        ],
        frames={"aeo": {"id": ["x"], "a": ["yes"]}},
    )
    frame = items.rename(columns={"office": "bureau <b>", "customs_value": "fob"})
    frame = frame.assign(frais=1.0).drop(columns="trusted_trader")
    card = DataCard.from_tables(frame, world.outcomes, columns=columns)
    page = card.to_html()
    points = page[page.index("How the tables were read") :]
    points = points[: points.index("</ul>")]
    assert points.count("<li>") == len(columns.steps()) == 5
    assert "bureau &lt;b&gt;" in points
    assert "Totals are in EUR." in points
    assert "has no days: every item, however old" in points
    same = DataCard.from_scorecard(card.scorecard, columns=columns)
    assert points in same.to_html()
    plain = DataCard.from_scorecard(card.scorecard)
    assert "How the tables were read" not in plain.to_html()


def test_pages_state_the_currency_of_their_amounts(engine, world):
    day = world.declarations.tail(40)
    columns = ColumnMap(currency="PEN")
    items = validate(day, DECLARATIONS, columns=columns)
    for given, count in ((items, 1), (day, 0)):
        pages = (
            WatchList.from_engine(engine, given),
            CaseSheet.from_engine(engine, given.tail(1)),
        )
        for page in pages:
            assert page.to_html().count("Amounts are in PEN.") == count
            assert page.to_html(lang="fr").count("Montants en PEN") == count
