"""Check and coerce a frame against a table; report all failures at once.

Reads a frame as an administration has it and a table of `schema`; writes the
canonical frame with data-quality columns (``dq_...``), and a report of every failure,
repair and doubt, row by row.
"""

from smartrisk.validation._check import OnError, check, validate
from smartrisk.validation._own_fields import read_declarations
from smartrisk.validation._parsing import (
    explain_dates,
    explain_numbers,
    parse_dates,
    parse_numbers,
)
from smartrisk.validation._report import ValidationReport, reason_template
from smartrisk.validation._source_counts import map_version
from smartrisk.validation._values import UNDECIDED, canonical_value, is_canonical

__all__ = [
    "UNDECIDED",
    "OnError",
    "ValidationReport",
    "canonical_value",
    "check",
    "explain_dates",
    "explain_numbers",
    "is_canonical",
    "map_version",
    "parse_dates",
    "parse_numbers",
    "read_declarations",
    "reason_template",
    "validate",
]
