"""Tables of enforcement cases and of what was seized in them."""

from __future__ import annotations

from smartrisk.schema._fields import (
    CASE_OFFENCES,
    CONCEALMENTS,
    CONVEYANCES,
    DETECTIONS,
    FLOWS,
    PLACE_TYPES,
    SEIZURE_AREAS,
    Field,
)
from smartrisk.schema._table import Table

_CASE_ID = Field(
    "case_id",
    "text",
    "key",
    "identifier of the case: one place, one time, one set of goods",
    known="event",
    required=True,
    nullable=False,
)


def _code(name: str, description: str, codes: tuple[str, ...] = ()) -> Field:
    """Return a code that is known once the case is."""
    return Field(name, "code", "outcome", description, known="event", codes=codes)


CASES = Table(
    name="CASES",
    key=("case_id",),
    fields=(
        _CASE_ID,
        Field(
            "date",
            "datetime",
            "time",
            "when it happened",
            known="event",
            required=True,
            nullable=False,
        ),
        Field(
            "known_at",
            "datetime",
            "time",
            "when it was recorded; the date when absent",
            known="event",
        ),
        Field(
            "declaration_ids",
            "text",
            "outcome",
            "declarations of the goods, with a blank between them; missing where "
            "none were declared",
            known="event",
        ),
        _code("office", "customs office that made the case"),
        _code("place_type", "kind of place", PLACE_TYPES),
        _code("direction", "which way the goods went", FLOWS),
        _code("conveyance", "means of conveyance", CONVEYANCES),
        _code("departure", "country of departure, ISO 3166-1"),
        _code(
            "transit_countries",
            "countries on the way, ISO 3166-1, with a blank between them",
        ),
        _code("destination", "country of destination, ISO 3166-1"),
        _code("concealment", "how the goods were hidden", CONCEALMENTS),
        _code("detection", "what led to the case", DETECTIONS),
        _code("offence_type", "what the case is about", CASE_OFFENCES),
        Field(
            "value",
            "number",
            "outcome",
            "value of the goods",
            known="event",
            unit="national currency",
            low=0.0,
        ),
    ),
)

SEIZURES = Table(
    name="SEIZURES",
    key=("case_id", "category", "unit"),
    fields=(
        _CASE_ID,
        Field(
            "category",
            "code",
            "outcome",
            "kind of goods, as the editions of the statistics name it",
            known="event",
            required=True,
            nullable=False,
        ),
        _code(
            "area",
            "which law it is about; that of the category when absent",
            SEIZURE_AREAS,
        ),
        Field(
            "quantity",
            "number",
            "outcome",
            "quantity in the unit of the row",
            known="event",
            required=True,
            nullable=False,
            low=0.0,
        ),
        Field(
            "unit",
            "code",
            "outcome",
            "unit of the quantity, such as KG, LTR or PIECE; a currency for money",
            known="event",
            required=True,
            nullable=False,
        ),
        Field(
            "packages",
            "number",
            "outcome",
            "number of packages",
            known="event",
            low=0.0,
        ),
    ),
)
