"""The options of `workshop` and of its actions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from smartrisk.cli._competition_options import COMPETITION_ACTIONS, add_competition
from smartrisk.cli._option_values import parse_seed
from smartrisk.cli._parsers import Commands, add_command, add_language

#: What is no folder after ``workshop``; a folder of such a name is written ./check.
ACTIONS = (*COMPETITION_ACTIONS, "write", "progress", "check", "stick")


def name_action(words: Sequence[str]) -> list[str]:
    """Return the words of a command line, a folder after `workshop` being written."""
    words = list(words)
    place = _skip_language(words, 0)
    if words[place : place + 1] == ["workshop"] and len(words) > place + 1:
        first = "".join(words[_skip_language(words, place + 1) :][:1])
        if first not in ACTIONS and first not in ("-h", "--help"):
            words.insert(place + 1, "write")
    return words


def _skip_language(words: Sequence[str], place: int) -> int:
    """Return the place of the first word from a place on that is no ``--lang``."""
    while place < len(words) and words[place].partition("=")[0] == "--lang":
        place += 1 if "=" in words[place] else 2
    return place


def add_workshop(commands: Commands) -> None:
    """Add the command `workshop` and its actions."""
    parser = add_command(
        commands, "workshop", "write the folder of a class, and what belongs to it"
    )
    parser.usage = "smartrisk workshop (DIR | ACTION) [options]"
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_write(actions)
    _add_progress(actions)
    add_competition(actions)
    _add_check(actions)
    _add_stick(actions)


def add_action(actions: Commands, name: str, about: str) -> argparse.ArgumentParser:
    """Add an action whose function is ``workshop_NAME`` in `cli._workshop`."""
    parser = actions.add_parser(name, help=about, description=about)
    parser.set_defaults(module="_workshop", command=f"workshop_{name}", has_data=False)
    add_language(parser)
    return parser


def _add_write(actions: Commands) -> None:
    """Add the action that writes a class; it is what a folder alone means."""
    parser = add_action(actions, "write", "write labs, pages and data of one seat")
    parser.add_argument("folder", metavar="DIR", help="a new or an empty folder")
    parser.add_argument(
        "--trainer", action="store_true", help="write answers, guide and plans too"
    )
    parser.add_argument(
        "--seed", type=parse_seed, metavar="N", help="seed of the class; default: drawn"
    )
    parser.add_argument(
        "--seat",
        type=parse_seed,
        metavar="N",
        help="number of the seat; each has right answers of its own",
    )
    parser.add_argument(
        "--refresh", action="store_true", help="add what is missing, overwrite nothing"
    )


def _add_progress(actions: Commands) -> None:
    """Add the action that prints how far a learner has come."""
    parser = add_action(actions, "progress", "print which tasks of a class are right")
    parser.add_argument("folder", metavar="DIR", help="folder of a class")


def _add_check(actions: Commands) -> None:
    """Add the action that checks this machine."""
    add_action(actions, "check", "check this machine, and say what is missing")


def _add_stick(actions: Commands) -> None:
    """Add the action that writes what machines without a network need."""
    about = "write wheels and installers for machines without a network"
    parser = add_action(actions, "stick", about)
    parser.add_argument("folder", metavar="DIR", help="a new or an empty folder")
    parser.add_argument(
        "--platform",
        required=True,
        choices=("windows", "linux", "macos"),
        help="what the machines of the class run",
    )
    parser.add_argument(
        "--python",
        choices=("3.11", "3.12", "3.13"),
        default="3.12",
        help="the Python of these machines; default 3.12",
    )
    parser.add_argument(
        "--light",
        action="store_true",
        help="leave out shap and the pages of MLflow",
    )
