"""The five tables, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smartrisk.schema._fields import (
    AREAS,
    CHANNELS,
    CONTROL_KINDS,
    FLOWS,
    MILESTONE_KINDS,
    OFFENCES,
    SELECTED_BY,
    STAGES,
    STATUSES,
    Field,
)
from smartrisk.schema._table import Table

_KEY_FIELDS = (
    Field(
        "declaration_id",
        "text",
        "key",
        "identifier of the document",
        required=True,
        nullable=False,
    ),
    Field(
        "item_number",
        "integer",
        "key",
        "number of the goods line in the document, from 1; 1 when absent",
        nullable=False,
        low=0,
    ),
)

#: What many administrations keep and no built-in feature uses: an item is scored as
#: without them, until a key or an own feature names them.
_FURTHER_FIELDS = (
    Field(
        "flow",
        "code",
        "procedure",
        "import, export or transit; only imports are kept",
        codes=FLOWS,
        in_features=False,
    ),
    Field(
        "currency",
        "code",
        "measure",
        "currency of the invoice, ISO 4217",
        in_features=False,
    ),
    Field(
        "exchange_rate",
        "number",
        "measure",
        "national currency for one unit of the invoice's",
        low=0.0,
        in_features=False,
    ),
    Field(
        "incoterm",
        "code",
        "procedure",
        "terms of delivery, Incoterms",
        in_features=False,
    ),
    Field(
        "fob_value",
        "number",
        "measure",
        "value free on board",
        unit="national currency",
        low=0.0,
        in_features=False,
    ),
    Field(
        "freight",
        "number",
        "measure",
        "cost of carriage",
        unit="national currency",
        low=0.0,
        in_features=False,
    ),
    Field(
        "insurance",
        "number",
        "measure",
        "cost of insurance",
        unit="national currency",
        low=0.0,
        in_features=False,
    ),
    Field(
        "container_id",
        "text",
        "route",
        "number of the container, ISO 6346",
        in_features=False,
    ),
    Field(
        "transit_countries",
        "code",
        "route",
        "countries on the way, ISO 3166-1, with a blank between them",
        in_features=False,
    ),
    Field(
        "previous_document",
        "text",
        "procedure",
        "document that this one follows, such as a manifest or a bill of lading",
        in_features=False,
    ),
    Field(
        "status",
        "code",
        "procedure",
        "valid, cancelled, test or superseded; statistics count valid ones only",
        codes=STATUSES,
        in_features=False,
    ),
)

DECLARATIONS = Table(
    name="DECLARATIONS",
    fields=(
        *_KEY_FIELDS,
        Field(
            "lodged_at",
            "datetime",
            "time",
            "when the declaration was lodged",
            required=True,
            nullable=False,
        ),
        Field("office", "code", "route", "customs office of lodgement"),
        Field("procedure", "code", "procedure", "customs procedure code"),
        Field("importer_id", "text", "entity", "who imports"),
        Field("declarant_id", "text", "entity", "who declares (broker)"),
        Field("consignor_id", "text", "entity", "who sends"),
        Field("carrier_id", "text", "entity", "who carries"),
        Field(
            "tariff_code",
            "code",
            "goods",
            "Harmonized System or national code, 6 to 12 digits, as text",
            required=True,
            nullable=False,
            pattern=r"[0-9]{6,12}",
        ),
        Field("description", "text", "goods", "description of the goods"),
        Field("origin", "code", "route", "country of origin, ISO 3166-1"),
        Field("departure", "code", "route", "country of departure, ISO 3166-1"),
        Field("transport_mode", "code", "route", "mode of transport"),
        Field(
            "customs_value",
            "number",
            "measure",
            "declared customs value",
            unit="national currency",
            low=0.0,
        ),
        Field(
            "net_mass_kg", "number", "measure", "declared net mass", unit="kg", low=0.0
        ),
        Field(
            "gross_mass_kg",
            "number",
            "measure",
            "declared gross mass",
            unit="kg",
            low=0.0,
        ),
        Field("quantity", "number", "measure", "declared quantity", low=0.0),
        Field("quantity_unit", "code", "measure", "unit of the quantity"),
        Field(
            "duty_rate",
            "number",
            "measure",
            "ad valorem rate that applies to the item",
            unit="fraction",
            low=0.0,
        ),
        Field(
            "duties_taxes",
            "number",
            "measure",
            "duties and taxes assessed on the declaration as lodged",
            unit="national currency",
            low=0.0,
        ),
        Field("preference", "code", "procedure", "preference or tax type code"),
        Field("payment_type", "code", "procedure", "how duties are paid"),
        Field("trusted_trader", "boolean", "entity", "authorised economic operator"),
        *_FURTHER_FIELDS,
    ),
)

#: Fields that name a trader, in the order of the table.
TRADERS = tuple(
    field.name
    for field in DECLARATIONS
    if field.role == "entity" and field.kind == "text"
)

#: Levels of the Harmonized System, and the digits of a tariff code that name them.
HS_LEVELS: Mapping[str, int] = MappingProxyType({"hs2": 2, "hs4": 4, "hs6": 6})

#: Columns that keys of a history may name besides fields, and what they are made of:
#: the section of the tariff, codes of more than six digits, prices to three digits.
DERIVED_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "hs_section": ("tariff_code",),
        "national_code": ("tariff_code",),
        "price_per_kg": ("customs_value", "net_mass_kg"),
        "price_per_unit": ("customs_value", "quantity"),
    }
)

OUTCOMES = Table(
    name="OUTCOMES",
    fields=(
        *_KEY_FIELDS,
        Field(
            "channel",
            "code",
            "outcome",
            "channel of the control",
            known="inspection",
            codes=CHANNELS,
        ),
        Field(
            "control_kind",
            "code",
            "outcome",
            "how the item was controlled",
            known="inspection",
            codes=CONTROL_KINDS,
        ),
        Field(
            "inspected_at",
            "datetime",
            "time",
            "when the control took place",
            known="inspection",
        ),
        Field(
            "known_at",
            "datetime",
            "time",
            "when the result was known; lodgement plus the label delay when absent",
            known="inspection",
        ),
        Field(
            "illicit",
            "integer",
            "outcome",
            "1 when an irregularity was found, else 0; missing where document_illicit "
            "alone states it",
            known="inspection",
            required=True,
            nullable=False,
            low=0,
            high=1,
        ),
        Field(
            "offence",
            "code",
            "outcome",
            "what was found",
            known="inspection",
            codes=OFFENCES,
        ),
        Field(
            "area",
            "code",
            "outcome",
            "which law the finding is about",
            known="inspection",
            codes=AREAS,
        ),
        Field(
            "revenue_adjustment",
            "number",
            "outcome",
            "amount recovered",
            known="inspection",
            unit="national currency",
        ),
        Field(
            "assessed_value",
            "number",
            "outcome",
            "customs value after the control; never a feature",
            known="inspection",
            unit="national currency",
            low=0.0,
        ),
        Field(
            "officer_id",
            "text",
            "outcome",
            "pseudonym of the officer",
            known="inspection",
        ),
        Field(
            "document_illicit",
            "boolean",
            "outcome",
            "whether an irregularity was found in the document, where a hit is not "
            "known to be that of one item",
            known="inspection",
        ),
        Field(
            "document_revenue",
            "number",
            "outcome",
            "amount recovered on the document, where not known by item",
            known="inspection",
            unit="national currency",
        ),
    ),
)

SCORES = Table(
    name="SCORES",
    fields=(
        *_KEY_FIELDS,
        Field(
            "risk_score",
            "number",
            "score",
            "calibrated probability of a hit if inspected",
            known="scoring",
            nullable=False,
            required=True,
            low=0.0,
            high=1.0,
        ),
        Field(
            "expected_revenue",
            "number",
            "score",
            "risk score times expected adjustment given a hit",
            known="scoring",
            unit="national currency",
        ),
        Field("score_lower", "number", "score", "lower bound", known="scoring"),
        Field("score_upper", "number", "score", "upper bound", known="scoring"),
        Field("model_version", "text", "score", "which engine", known="scoring"),
        Field("scored_at", "datetime", "time", "when scored", known="scoring"),
        Field(
            "stage",
            "code",
            "score",
            "what the score rests on; without results it is no probability",
            known="scoring",
            codes=STAGES,
        ),
    ),
)

DECISIONS = Table(
    name="DECISIONS",
    fields=(
        *_KEY_FIELDS,
        Field(
            "channel",
            "code",
            "decision",
            "where the item goes",
            known="decision",
            required=True,
            nullable=False,
            codes=CHANNELS,
        ),
        Field(
            "selected_by",
            "code",
            "decision",
            "why it is controlled; missing when released",
            known="decision",
            codes=SELECTED_BY,
        ),
        Field(
            "propensity",
            "number",
            "decision",
            "probability that this item was selected for control",
            known="decision",
            low=0.0,
            high=1.0,
        ),
        Field(
            "draw_probability",
            "number",
            "decision",
            "probability of the random draw; missing where the draw left the item out",
            known="decision",
            low=0.0,
            high=1.0,
        ),
        Field(
            "rank", "integer", "decision", "1 is the first to control", known="decision"
        ),
        Field("rule_id", "text", "decision", "rule that selected it", known="decision"),
        Field("policy_version", "text", "decision", "which policy", known="decision"),
        Field("decided_at", "datetime", "time", "when decided", known="decision"),
    ),
)

MILESTONES = Table(
    name="MILESTONES",
    repeats=True,
    fields=(
        *_KEY_FIELDS,
        Field(
            "kind",
            "code",
            "procedure",
            "what happened to the declaration, or its goods, after lodgement",
            known="event",
            required=True,
            nullable=False,
            codes=MILESTONE_KINDS,
        ),
        Field(
            "at",
            "datetime",
            "time",
            "when it happened",
            known="event",
            required=True,
            nullable=False,
        ),
        Field(
            "amount",
            "number",
            "outcome",
            "amount that a closed audit recovered",
            known="event",
            unit="national currency",
        ),
    ),
)
