"""What the parser of every command has."""

from __future__ import annotations

import argparse
from typing import TypeAlias

from smartrisk.languages import LOCALES

FILE = "text, .xlsx, Parquet, .gz, .zip, a folder of Parquet, or a database"
COLUMNS = (
    "how the file's columns are called: a TOML file, or the name of a map that comes "
    "with the library, such as asycuda"
)
_ON = "columns that both files have and that identify a document"
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(
    commands: Commands, name: str, about: str, module: str = "_commands"
) -> argparse.ArgumentParser:
    """Add a command whose function has the same name, in a module of `cli`."""
    parser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(module=module, has_data=False)
    add_language(parser)
    return parser


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add the language of messages."""
    parser.add_argument(
        "--lang",
        choices=LOCALES,
        # Before a command and after it: an absent one must not undo the other.
        default=argparse.SUPPRESS,
        help="language of messages and pages; default: SMARTRISK_LANG, or the system's",
    )


def add_engine(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the folder of a saved engine, or its address in a tracking store."""
    parser.add_argument(
        "--engine",
        required=required,
        metavar="ENGINE",
        help="a folder, models:/NAME@ALIAS, models:/NAME/VERSION or runs:/RUN",
    )
    add_store(parser)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the address of a tracking store."""
    parser.add_argument(
        "--tracking-uri",
        metavar="URI",
        help="the tracking store; default MLFLOW_TRACKING_URI, else ./smartrisk-mlruns",
    )


def add_header(parser: argparse.ArgumentParser) -> None:
    """Add the file of the documents, for a file that holds their items only."""
    parser.add_argument(
        "--header", metavar="FILE", help="documents, where FILE holds their items only"
    )
    parser.add_argument("--on", metavar="COLUMN,...", help=_ON)


def add_level(parser: argparse.ArgumentParser) -> None:
    """Add what a result is about."""
    parser.add_argument(
        "--level",
        choices=("item", "document"),
        help="what a result is about: an item, or a whole document",
    )


def add_guard(parser: argparse.ArgumentParser) -> None:
    """Add what to do with items that do not fit what the engine learned from."""
    parser.add_argument(
        "--guard",
        choices=("warn", "raise", "off"),
        default="warn",
        help="warn of items unlike those of the fit, stop, or do not look",
    )


def add_data(
    parser: argparse.ArgumentParser, *, with_outcomes: bool, part: str
) -> None:
    """Add the files to read: an administration's own, or the Korean set."""
    if with_outcomes:
        parser.add_argument("--declarations", metavar="FILE", help=FILE)
        parser.add_argument("--outcomes", metavar="FILE", help=FILE)
        parser.add_argument(
            "--outcome-columns", metavar="MAP", help="as --columns, for the outcomes"
        )
        add_level(parser)
    else:
        parser.add_argument("declarations", nargs="?", metavar="FILE", help=FILE)
    add_header(parser)
    parser.add_argument("--columns", metavar="MAP", help=COLUMNS)
    parser.add_argument(
        "--on-error",
        choices=("raise", "set_aside"),
        default="raise",
        help="stop at unusable rows, or leave them out and count them",
    )
    parser.add_argument("--kcs", metavar="PATH", help="the Korean set instead of files")
    parser.add_argument("--part", choices=("train", "valid"), default=part)
    parser.set_defaults(has_data=True)
