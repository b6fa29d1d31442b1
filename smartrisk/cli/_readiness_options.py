"""The options of `readiness`, and of the files that it reads."""

from __future__ import annotations

import argparse

from smartrisk.cli._parsers import Commands, add_command


def add_readiness(commands: Commands) -> None:
    """Add the command `readiness`."""
    parser = add_command(
        commands,
        "readiness",
        "state which use cases your data allow today, and what the others lack",
        "_readiness",
    )
    add_export(parser, "file")
    parser.add_argument("--out", metavar="PAGE", help="write a page (.html)")


def add_export(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the files of an export: declarations, results and decisions, with their maps.

    `name` is the parameter of the command that takes the declarations.
    """
    parser.add_argument(name, metavar="FILE", help="declarations, as exported")
    parser.add_argument(
        "--outcomes", metavar="FILE", help="results of controls, with the items' keys"
    )
    parser.add_argument(
        "--decisions", metavar="FILE", help="decisions, with selected_by and propensity"
    )
    parser.add_argument(
        "--columns",
        "--map",
        dest="columns",
        metavar="MAP",
        help="how the file's columns are called: a TOML file, or the name of a map "
        "that comes with the library; default: as proposed",
    )
    parser.add_argument(
        "--outcome-columns", metavar="MAP", help="as --columns, for the outcomes"
    )
    parser.add_argument(
        "--header", metavar="FILE", help="documents, where FILE holds their items only"
    )
    parser.add_argument(
        "--on",
        metavar="COLUMN,...",
        help="columns that both files have and that identify a document",
    )
