"""The options of the commands on champions, saved engines and ledgers."""

from __future__ import annotations

import argparse

from smartrisk.cli._option_values import parse_count, parse_seed
from smartrisk.cli._parsers import (
    COLUMNS,
    Commands,
    add_command,
    add_data,
    add_engine,
    add_language,
    add_store,
)

#: Registered model where none is named.
_MODEL = "customs-risk"


def add_register(commands: Commands) -> None:
    """Add the command `register`."""
    parser = add_command(
        commands,
        "register",
        "judge a logged engine against the champion on later months",
        "_registry",
    )
    parser.add_argument("run", metavar="RUN", help="as 'smartrisk fit --track' shows")
    add_data(parser, with_outcomes=True, part="valid")
    _add_decision(parser)
    parser.add_argument("--gate", metavar="FILE", help="TOML, as Gate(...).to_toml()")
    parser.add_argument("--metric", metavar="METRIC", help="default precision_at_05pct")
    parser.add_argument(
        "--min-gain", type=float, metavar="X", help="gain to exceed; default 0"
    )
    parser.add_argument(
        "--confidence", type=float, metavar="P", help="of the interval; default 0.95"
    )
    parser.add_argument("--since", metavar="DATE", help="first day of judged items")
    parser.add_argument("--name", default=_MODEL, metavar="NAME")


def add_rollback(commands: Commands) -> None:
    """Add the command `rollback`."""
    parser = add_command(
        commands, "rollback", "go back to the champion before", "_registry"
    )
    parser.add_argument("name", nargs="?", default=_MODEL, metavar="NAME")
    _add_decision(parser)


def add_champions(commands: Commands) -> None:
    """Add the command `champions`."""
    parser = add_command(
        commands, "champions", "show who made which engine the champion", "_registry"
    )
    parser.add_argument("name", nargs="?", default=_MODEL, metavar="NAME")
    add_store(parser)


def add_digest(commands: Commands) -> None:
    """Add the command `digest`."""
    about = "check a saved engine and print its digest"
    parser = add_command(commands, "digest", about, "_signing")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--expected", metavar="DIGEST", help="refuse any other one")
    parser.add_argument(
        "--public-key", metavar="FILE", help="refuse what its owner did not sign"
    )


def add_sign(commands: Commands) -> None:
    """Add the command `sign`."""
    about = "sign a saved engine, or create a key for it"
    parser = add_command(commands, "sign", about, "_signing")
    parser.add_argument("folder", nargs="?", metavar="FOLDER")
    parser.add_argument("--key", metavar="FILE", help="private key in PEM, Ed25519")
    parser.add_argument(
        "--new-key", metavar="FILE", help="create a key; FILE.pub is its public key"
    )


def _add_decision(parser: argparse.ArgumentParser) -> None:
    """Add who decides and why, and the store that records it."""
    parser.add_argument("--by", required=True, metavar="WHO", help="who decides")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why")
    add_store(parser)


def add_ledger(commands: Commands) -> None:
    """Add the command `ledger` and its own commands."""
    about = "verify and keep a record of decisions"
    parser = commands.add_parser("ledger", help=about, description=about)
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_action(actions, "verify", "find changes", "verify_ledger").add_argument(
        "--anchor", metavar="HEAD", help="a head that was kept elsewhere, or its digest"
    )
    replay = _add_action(actions, "replay", "score an item again", "replay_decision")
    add_engine(replay)
    replay.add_argument("--declaration", required=True, metavar="ID")
    replay.add_argument("--item", type=parse_seed, default=1, metavar="N")
    replay.add_argument("--top", type=parse_count, default=3, metavar="N")
    show = _add_action(actions, "show", "show the last entries", "show_entries")
    show.add_argument("--kind", metavar="KIND", help="decision, override, result, ...")
    show.add_argument("--declaration", metavar="ID")
    show.add_argument("--show", type=parse_count, default=10, metavar="N")
    retain = _add_action(
        actions, "retain", "erase identities that are too old", "retain_entries"
    )
    retain.add_argument("--since", required=True, metavar="DATE", help="first day kept")
    retain.add_argument(
        "--erase", action="store_true", help="erase, instead of showing what would be"
    )
    for name, about in (
        ("export", "write JSON lines, and a program that checks them"),
        ("copy", "write a backup, while others may write"),
    ):
        function = {"export": "export_entries", "copy": "copy_ledger"}[name]
        action = _add_action(actions, name, about, function)
        action.add_argument("--out", required=True, metavar="FILE")


def add_lineage(commands: Commands) -> None:
    """Add the command `lineage`."""
    parser = add_command(
        commands, "lineage", "trace a score to the line of its file", "_lineage"
    )
    parser.add_argument("--ledger", required=True, metavar="LEDGER", help="a file")
    parser.add_argument("--key", metavar="FILE", help="default: LEDGER.key")
    add_engine(parser, required=False)
    parser.add_argument("--columns", metavar="MAP", help=COLUMNS)
    parser.add_argument("item", metavar="KEY", help="declaration_id/item_number")
    parser.add_argument("files", nargs="*", metavar="FILE", help="the files read")


def _add_action(
    actions: Commands, name: str, about: str, command: str
) -> argparse.ArgumentParser:
    """Add an action of the command `ledger`."""
    parser = actions.add_parser(name, help=about, description=about)
    parser.add_argument("ledger", metavar="LEDGER", help="a file")
    parser.add_argument("--key", metavar="FILE", help="default: LEDGER.key")
    parser.set_defaults(module="_ledger", command=command, has_data=False)
    add_language(parser)
    return parser
