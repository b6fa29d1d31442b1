"""The options of `usecase`; its command loads what pages and stores need."""

from __future__ import annotations

from smartrisk.cli._option_values import parse_capacity
from smartrisk.cli._parsers import Commands, add_command, add_store


def add_usecase(commands: Commands) -> None:
    """Add the command `usecase`."""
    parser = add_command(
        commands,
        "usecase",
        "describe a logged run on two pages, to present it to others",
        "_usecase",
    )
    parser.add_argument("run", metavar="RUN", help="as 'smartrisk demo' shows")
    add_store(parser)
    parser.add_argument("--title", default="", metavar="TEXT")
    for name, about in (
        ("--question", "what your administration asked"),
        ("--achieved", "what changed at the border"),
        ("--cost", "staff, months, machines, training"),
        ("--failed", "what did not work"),
        ("--contact", "the unit that answers questions"),
    ):
        parser.add_argument(name, default="", metavar="TEXT", help=about)
    parser.add_argument(
        "--cost-per-control", type=float, metavar="X", help="in the currency of revenue"
    )
    parser.add_argument(
        "--capacity", type=parse_capacity, metavar="K", help="a rate that was evaluated"
    )
    parser.add_argument("--out", default="use-case", metavar="FOLDER")
