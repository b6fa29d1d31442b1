"""The options of a competition, among the actions of `workshop`."""

from __future__ import annotations

import argparse

from smartrisk.cli._option_values import parse_count, parse_seed
from smartrisk.cli._parsers import Commands, add_language

#: Actions of `workshop` that concern a competition.
COMPETITION_ACTIONS = ("compete", "score", "reveal", "verify")


def add_competition(actions: Commands) -> None:
    """Add the actions that make, judge, open and verify a competition."""
    _add_compete(actions)
    _add_score(actions)
    parser = _add_action(actions, "reveal", "open the truth of a competition")
    _add_key(parser)
    parser.add_argument("folder", metavar="DIR", help="where to write it")
    parser = _add_action(
        actions, "verify", "check that the truth is the one that was kept"
    )
    parser.add_argument("folder", metavar="DIR", help="what was opened")
    parser.add_argument(
        "--commitment",
        required=True,
        metavar="DIGITS",
        help="what was shown before the first round",
    )


def _add_compete(actions: Commands) -> None:
    """Add the action that makes a competition."""
    parser = _add_action(actions, "compete", "make a competition whose truth is secret")
    parser.add_argument("folder", metavar="CLASS", help="folder of the class")
    parser.add_argument(
        "trainer", metavar="TRAINER", help="folder for key and truth, not in the other"
    )
    parser.add_argument(
        "--items",
        type=parse_count,
        default=24_000,
        metavar="N",
        help="items of the whole world; a round has a twentieth (default: 24000)",
    )
    parser.add_argument(
        "--capacity",
        type=parse_count,
        default=50,
        metavar="N",
        help="items that a team may choose in a round (default: 50)",
    )
    parser.add_argument(
        "--cost",
        type=float,
        default=400.0,
        metavar="X",
        help="cost of a control, in the currency of the declarations (default: 400)",
    )
    parser.add_argument(
        "--seed",
        type=parse_seed,
        metavar="N",
        help="seed of at least 64 bits; default: one of 128 bits is drawn",
    )


def _add_score(actions: Commands) -> None:
    """Add the action that judges what was handed in."""
    parser = _add_action(actions, "score", "judge what the teams handed in")
    parser.add_argument(
        "submissions", metavar="DIR", help="files of all teams, as TEAM_round1.csv"
    )
    _add_key(parser)
    parser.add_argument("--out", metavar="PAGE", help="write a leader board (.html)")


def _add_key(parser: argparse.ArgumentParser) -> None:
    """Add the sealed file."""
    parser.add_argument(
        "--key",
        required=True,
        metavar="KEY",
        help="competition.key, or the folder that holds it",
    )


def _add_action(actions: Commands, name: str, about: str) -> argparse.ArgumentParser:
    """Add an action whose function is ``workshop_NAME`` in `cli._competition`."""
    parser = actions.add_parser(name, help=about, description=about)
    parser.set_defaults(
        module="_competition", command=f"workshop_{name}", has_data=False
    )
    add_language(parser)
    return parser
