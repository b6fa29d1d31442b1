"""Intake: data as administrations have them, read before they are validated.

Reads files, frames and tables of headers with their items; writes frames with the
administration's own column names, which `smartrisk.validation` takes with a
`ColumnMap`.
"""

from __future__ import annotations

__all__: list[str] = []
