"""The options of `statistics`."""

from __future__ import annotations

from smartrisk.cli._parsers import Commands, add_command
from smartrisk.cli._readiness_options import add_export


def add_statistics(commands: Commands) -> None:
    """Add the command `statistics`."""
    parser = add_command(
        commands,
        "statistics",
        "state what controls find, recover and cost, and what the figures do not show",
        "_statistics",
    )
    add_export(parser, "declarations")
    parser.add_argument(
        "--milestones", metavar="FILE", help="arrivals, releases, cancellations, audits"
    )
    parser.add_argument(
        "--overrides", metavar="FILE", help="lanes that officers chose instead"
    )
    parser.add_argument(
        "--as-of", metavar="DATE", help="nothing known then counts; default: the end"
    )
    parser.add_argument(
        "--by",
        default="month,office",
        metavar="FIELD,...",
        help="a period (month, quarter, year) and a field; default month,office",
    )
    parser.add_argument("--currency", metavar="CODE", help="currency of the amounts")
    parser.add_argument(
        "--out", metavar="FOLDER", help="write statistics.html and statistics.xlsx"
    )
    parser.set_defaults(has_data=True)
