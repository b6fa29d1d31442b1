"""The options of `serve`; its command loads what a service needs."""

from __future__ import annotations

from smartrisk.cli._option_values import parse_count, parse_seconds, parse_seed
from smartrisk.cli._parsers import Commands, add_command


def add_serve(commands: Commands) -> None:
    """Add the command `serve`."""
    parser = add_command(
        commands, "serve", "answer requests for scores, reasons and decisions", "_serve"
    )
    parser.add_argument("folder", metavar="ENGINE_FOLDER", help="a saved engine")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="HOST",
        help="address to listen on; any but this machine's own needs a token in the "
        "variable SMARTRISK_TOKEN",
    )
    parser.add_argument("--port", type=parse_seed, default=8765, metavar="N")
    parser.add_argument(
        "--workers", type=parse_count, default=1, metavar="N", help="processes"
    )
    parser.add_argument(
        "--map",
        dest="columns",
        metavar="MAP",
        help="how the fields of your items are called: a TOML file, or the name of a "
        "map that comes with the library",
    )
    parser.add_argument(
        "--outcome-map", metavar="MAP", help="as --map, for the results of updates"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--writer", action="store_true", help="take updates, and save the engine"
    )
    group.add_argument(
        "--read-only", dest="writer", action="store_false", help="the default"
    )
    parser.set_defaults(writer=False)
    parser.add_argument(
        "--public-key", metavar="FILE", help="refuse engines its owner did not sign"
    )
    for name, default, about in (
        ("--max-items", 10_000, "items of a request at most"),
        ("--max-explained", 500, "items of a request for reasons at most"),
        ("--max-bytes", 16_000_000, "bytes of a request at most"),
    ):
        parser.add_argument(
            name, type=parse_count, default=default, metavar="N", help=about
        )
    parser.add_argument(
        "--timeout",
        type=parse_seconds,
        default=30.0,
        metavar="SECONDS",
        help="until a request is given up",
    )
