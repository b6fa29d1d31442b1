"""The four tables, declared once: the interface between all packages.

One row is one goods item; its key is (`declaration_id`, `item_number`). A field states
its kind, unit, role, when its value is known, and whether it may be missing. Packages
of one layer do not use each other; they exchange these tables. Start with `_tables.py`.
"""

from smartrisk.schema._code_lists import (
    INCOTERMS,
    TRANSPORT_MODES,
    country_code,
    is_chapter,
    is_country,
    is_currency,
    list_code,
    mode_code,
    unit_code,
)
from smartrisk.schema._column_map import ColumnMap
from smartrisk.schema._column_map_steps import (
    MASS_UNITS,
    Amount,
    Conversion,
    DateParts,
    Join,
    Rate,
    RateTable,
    Reference,
    Split,
    Units,
)
from smartrisk.schema._fields import (
    AREAS,
    CHANNELS,
    CONTROL_KINDS,
    CURRENCY,
    FLOWS,
    INTERVAL,
    KEY,
    OFFENCES,
    OWN_FIELDS,
    OWN_KINDS,
    RENAMED,
    SELECTED_BY,
    STAGES,
    TIME_ZONE,
    Field,
)
from smartrisk.schema._file_format import FileFormat
from smartrisk.schema._preset_files import PRESETS
from smartrisk.schema._presets import ASYCUDA, DATE, KCS
from smartrisk.schema._table import ArrowTable, Table, TableInput
from smartrisk.schema._tables import (
    DECISIONS,
    DECLARATIONS,
    DERIVED_COLUMNS,
    HS_LEVELS,
    OUTCOMES,
    SCORES,
    TRADERS,
)

__all__ = [
    "AREAS",
    "ASYCUDA",
    "CHANNELS",
    "CONTROL_KINDS",
    "CURRENCY",
    "DATE",
    "DECISIONS",
    "DECLARATIONS",
    "DERIVED_COLUMNS",
    "FLOWS",
    "HS_LEVELS",
    "INCOTERMS",
    "INTERVAL",
    "KCS",
    "KEY",
    "MASS_UNITS",
    "OFFENCES",
    "OUTCOMES",
    "OWN_FIELDS",
    "OWN_KINDS",
    "PRESETS",
    "RENAMED",
    "SCORES",
    "SELECTED_BY",
    "STAGES",
    "TIME_ZONE",
    "TRADERS",
    "TRANSPORT_MODES",
    "Amount",
    "ArrowTable",
    "ColumnMap",
    "Conversion",
    "DateParts",
    "Field",
    "FileFormat",
    "Join",
    "Rate",
    "RateTable",
    "Reference",
    "Split",
    "Table",
    "TableInput",
    "Units",
    "country_code",
    "is_chapter",
    "is_country",
    "is_currency",
    "list_code",
    "mode_code",
    "unit_code",
]
