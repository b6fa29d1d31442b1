"""What the parser of every command has."""

from __future__ import annotations

import argparse
from typing import TypeAlias

from smartrisk.languages import LOCALES

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
