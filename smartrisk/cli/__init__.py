"""The command line: every step from a terminal, on files.

``smartrisk demo`` shows everything on synthetic declarations. The other commands work
on CSV or Parquet files with an administration's own columns: ``generate``,
``validate``, ``fit``, ``score``, ``explain``, ``select``, ``evaluate``, ``report``.
"""

from smartrisk.cli._main import main

__all__ = ["main"]
