"""The command `ledger`: verify, replay, show, retain, export and copy a record."""

from __future__ import annotations

import json
from pathlib import Path

from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._messages import print_message, render_message
from smartrisk.cli._table_words import print_table
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
        text = render_message(message)
        print_message("cli.ledger_problem", "problem: {text}", text=text)
    for message in verification.doubts:
        text = render_message(message)
        print_message("cli.ledger_doubt", "doubt: {text}", text=text)
    counted = {"n": verification.n_entries, "head": head}
    if verification.ok:
        print_message("cli.intact", "{n} entries, head {head}: intact", **counted)
    else:
        print_message(
            "cli.not_intact", "{n} entries, head {head}: NOT intact", **counted
        )
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
    state = render_message(replay.state)
    print_message("cli.replayed", "entry {seq}: {state}", seq=replay.seq, state=state)
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
    print_message("cli.entries", "{n} entries", n=len(table))
    if len(last):
        print_table(last)
    return 0


def retain_entries(*, ledger: str, key: str | None, since: str, erase: bool) -> int:
    """Erase what was not used since a day, or show what would be."""
    with open_ledger(ledger, key) as opened:
        erasure = opened.retain(since, dry_run=not erase)
    counts = {"n_identities": erasure.n_identities, "n_items": erasure.n_items}
    if erase:
        print_message(
            "cli.erased", "erased: {n_identities} identities, {n_items} items", **counts
        )
    else:
        print_message(
            "cli.would_erase",
            "would erase: {n_identities} identities, {n_items} items. Add --erase to "
            "do it.",
            **counts,
        )
    return 0


def export_entries(*, ledger: str, key: str | None, out: str) -> int:
    """Write all entries as JSON lines, with the program that checks them."""
    with open_ledger(ledger, key) as opened:
        path = opened.export(out)
        head = opened.head()
    print_message(
        "cli.exported", "{path}; keep the head elsewhere: {head}", path=path, head=head
    )
    print_message(
        "cli.check_export",
        "check: python {program} {path} ANCHOR",
        program=path.with_name("verify_export.py"),
        path=path,
    )
    return 0


def copy_ledger(*, ledger: str, key: str | None, out: str) -> int:
    """Write a backup, while others may go on writing."""
    with open_ledger(ledger, key) as opened:
        print_message("cli.copied", "copied to {path}", path=opened.copy(out))
    return 0
