"""Fields: what a column of a table holds, and the closed lists of codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType

#: Identifies an item: the document, and the goods line in it.
KEY = ("declaration_id", "item_number")
#: Released; checked by documents; examined; released and audited after clearance.
CHANNELS = ("green", "yellow", "red", "blue")
#: Who selected an item for control.
SELECTED_BY = ("model", "rule", "random", "exploration", "mandatory", "manual")
#: What the scores of an engine rest on: directed signals of the declarations alone,
#: these with a model of few results, or a model.
STAGES = ("no results", "few results", "model")
#: Nominal level of the interval of a score, from `score_lower` to `score_upper`.
INTERVAL = 0.90
#: What a control found.
OFFENCES = ("undervaluation", "misclassification", "origin", "quantity", "other")
#: How an item was controlled.
CONTROL_KINDS = ("documentary", "non_intrusive", "physical", "post_clearance")
#: Which law a finding is about: the areas of the World Customs Organization's Illicit
#: Trade Report, whose revenue area is that of most findings.
AREAS = (
    "revenue",
    "drugs",
    "environment",
    "intellectual_property",
    "cultural_heritage",
    "security",
    "money_laundering",
    "other",
)
#: Areas of seized goods: those of findings, and health and safety, which editions of
#: the report count with intellectual property or by itself.
SEIZURE_AREAS = (*AREAS, "health_safety")
#: Where a case took place.
PLACE_TYPES = ("airport", "seaport", "land_border", "mail_centre", "inland", "other")
#: What goods, or people with goods, came with.
CONVEYANCES = (
    *("vessel", "aircraft", "road_vehicle", "train", "mail", "pedestrian"),
    *("pipeline", "other"),
)
#: How goods were hidden.
CONCEALMENTS = (
    *("not_hidden", "in_load", "in_packaging", "in_conveyance", "in_baggage"),
    *("on_body", "false_papers", "other"),
)
#: What led to a case.
DETECTIONS = (
    *("risk_profile", "random", "dog", "scanner", "intelligence", "routine"),
    "other",
)
#: What a case is about.
CASE_OFFENCES = ("smuggling", "false_declaration", "prohibition", "other")
#: What became of a declaration: only valid ones count in statistics.
STATUSES = ("valid", "cancelled", "test", "superseded")
#: What happens to a declaration after it was lodged, and its goods.
MILESTONE_KINDS = (
    "arrived",
    "released",
    "cancelled",
    "superseded",
    "audit_opened",
    "audit_closed",
)
#: Which way goods go.
FLOWS = ("import", "export", "transit")

#: What the values of a field are, and the pandas type of the column after validation.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "text": "str",  # free text or identifier; missing is None/NaN
        "code": "str",  # code of a list, upper case, leading zeros kept
        "number": "float64",  # missing is NaN; never infinite
        "integer": "int64",
        "boolean": "boolean",  # nullable
        "datetime": "datetime64[us]",  # naive, in the time zone of the map, else UTC
    }
)


#: What a field of an administration's own can be.
OWN_KINDS = ("code", "number", "text")
#: Attribute of a canonical frame: its own fields, and the kind of each.
OWN_FIELDS = "smartrisk.own_fields"
#: Attribute of a canonical frame: the currency of its amounts, three letters.
CURRENCY = "smartrisk.currency"
#: Attribute of a canonical frame: the time zone of its moments; UTC where it is absent.
TIME_ZONE = "smartrisk.time_zone"
#: Attribute of a canonical frame: the administration's names of renamed columns.
RENAMED = "smartrisk.columns"


@dataclass(frozen=True)
class Field:
    """One column of a table.

    Parameters
    ----------
    name : str
        Canonical column name.
    kind : str
        One of `KINDS`.
    role : str
        "key", "time", "entity" (who), "goods" (what), "route" (from where, and how),
        "procedure", "measure", "outcome", "score" or "decision".
    description : str
        What the value is, in a line.
    known : str, default="lodgement"
        When the value is known: "lodgement", "inspection", "scoring", "decision" or
        "event".
    required : bool, default=False
        Whether the table must have the column.
    nullable : bool, default=True
        Whether single values may be missing.
    unit : str, default=None
        Unit of a measure; None for texts and codes.
    codes : tuple of str, default=()
        The allowed values when the list is closed; empty when open.
    pattern : str, default=None
        Regular expression that every value must match in full; None for any.
    low, high : float, default=None
        Bounds of a number, inclusive; outside is an error. None is unbounded.
    in_features : bool, default=True
        Whether the built-in features and monitors use the field unasked.

    Examples
    --------
    >>> from smartrisk.schema import DECLARATIONS
    >>> DECLARATIONS["duty_rate"].unit
    'fraction'
    """

    name: str
    kind: str
    role: str
    description: str
    _: KW_ONLY
    known: str = "lodgement"
    required: bool = False
    nullable: bool = True
    unit: str | None = None
    codes: tuple[str, ...] = ()
    pattern: str | None = None
    low: float | None = None
    high: float | None = None
    in_features: bool = True

    @property
    def dtype(self) -> str:
        """Name of the pandas type of the column after validation."""
        return KINDS[self.kind]
