"""The command `ledger`: verify, replay, show, retain, export and copy a record."""

from __future__ import annotations

import json
from pathlib import Path

from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._messages import render_message
from smartrisk.cli._terminal import print_line, print_table
from smartrisk.errors import ArgumentError
from smartrisk.ledger import Ledger
from smartrisk.results import clean_text

#: Characters of a body that one line of `show` holds.
_BODY_CHARACTERS = 100


def open_ledger(ledger: str, key: str | None) -> Ledger:
    """Return a ledger that is there; a mistyped name must not make an intact one."""
    if "://" not in ledger and not Path(ledger).is_file():
        raise ArgumentError(
            "cli.no_ledger",
            "no ledger {path!r}. Pass the file that Ledger(path) wrote.",
            path=ledger,
        )
    return Ledger(ledger, key=key)


def verify_ledger(*, ledger: str, key: str | None, anchor: str | None) -> int:
    """Verify a ledger; return 1 when anything is wrong."""
    with open_ledger(ledger, key) as opened:
        verification = opened.verify(anchor=anchor)
        head = opened.head()
    for message in verification.messages:
        print_line(f"problem: {render_message(message)}")
    for message in verification.doubts:
        print_line(f"doubt: {render_message(message)}")
    state = "intact" if verification.ok else "NOT intact"
    print_line(f"{verification.n_entries} entries, head {head}: {state}")
    return 0 if verification.ok else 1


def replay_decision(
    *,
    ledger: str,
    key: str | None,
    engine: EngineAddress,
    declaration: str,
    item: int,
    top: int,
) -> int:
    """Score a decided item again; return 1 when it does not agree."""
    loaded = load_engine(engine)
    with open_ledger(ledger, key) as opened:
        replay = opened.replay(declaration, loaded, item_number=item, top=top)
    table = replay.frame()
    if len(table):
        print_table(table)
    print_line(f"entry {replay.seq}: {render_message(replay.state)}")
    return 0 if replay.agrees else 1


def show_entries(
    *,
    ledger: str,
    key: str | None,
    kind: str | None,
    declaration: str | None,
    show: int,
) -> int:
    """Show the last entries, of a kind or of a declaration."""
    with open_ledger(ledger, key) as opened:
        table = opened.frame(kind)
    if declaration is not None:
        table = table[table["declaration_id"] == declaration]
    last = table.tail(show).drop(columns="digest")
    texts = [json.dumps(body, sort_keys=True) for body in last["body"]]
    last["body"] = [clean_text(text, _BODY_CHARACTERS) for text in texts]
    print_line(f"{len(table)} entries")
    if len(last):
        print_table(last)
    return 0


def retain_entries(*, ledger: str, key: str | None, since: str, erase: bool) -> int:
    """Erase what was not used since a day, or show what would be."""
    with open_ledger(ledger, key) as opened:
        erasure = opened.retain(since, dry_run=not erase)
    counts = f"{erasure.n_identities} identities, {erasure.n_items} items"
    if erase:
        print_line(f"erased: {counts}")
    else:
        print_line(f"would erase: {counts}. Add --erase to do it.")
    return 0


def export_entries(*, ledger: str, key: str | None, out: str) -> int:
    """Write all entries as JSON lines, with the program that checks them."""
    with open_ledger(ledger, key) as opened:
        path = opened.export(out)
        head = opened.head()
    print_line(f"{path}; keep the head elsewhere: {head}")
    print_line(f"check: python {path.with_name('verify_export.py')} {path} ANCHOR")
    return 0


def copy_ledger(*, ledger: str, key: str | None, out: str) -> int:
    """Write a backup, while others may go on writing."""
    with open_ledger(ledger, key) as opened:
        print_line(f"copied to {opened.copy(out)}")
    return 0
