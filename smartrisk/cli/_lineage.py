"""The command `lineage`: from a decision back to the line of the file it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._files import load_column_map
from smartrisk.cli._ledger import open_ledger
from smartrisk.cli._messages import print_message, render_message
from smartrisk.cli._table_words import LINKS, code_in_words, word
from smartrisk.cli._terminal import localise, print_line
from smartrisk.errors import ArgumentError, Message
from smartrisk.intake import read_table
from smartrisk.lineage import SOURCE_ROW, Source, digest_file, parse_source_row
from smartrisk.results import clean_text
from smartrisk.validation import map_version

#: Characters of a row that are shown: a screen of a terminal.
_ROW_CHARACTERS = 1000
#: Width of the names of the links.
_WIDTH = 9


@dataclass
class _Chain:
    """What is shown, and how many links are broken."""

    n_broken: int = 0

    def say(self, name: str, text: str) -> None:
        """Show a link."""
        width = max(_WIDTH, *map(len, map(word, LINKS)))
        print_line(f"{word(name):<{width}} {text}")

    def broken(self, message_id: str, template: str, /, **values: Any) -> None:
        """Show a link that does not hold."""
        self.n_broken += 1
        self.say("PROBLEM", render_message(Message(message_id, template, **values)))


def lineage(
    *,
    ledger: str,
    key: str | None,
    engine: EngineAddress | None,
    item: str,
    files: Sequence[str],
    columns: str | None,
) -> int:
    """Show the chain of one score; return 1 where a link is missing or broken."""
    with open_ledger(ledger, key) as opened:
        entries = opened.frame("decision")
    entry = _find_decision(entries, item, ledger)
    body, chain = entry["body"], _Chain()
    _show_decision(chain, entry["seq"], entry["at"], body)
    sources = dict(body.get("sources", {}))
    _show_engine(chain, engine, body)
    _show_map(chain, columns, body)
    _show_rows(chain, body.get(SOURCE_ROW), sources, files, columns)
    if chain.n_broken:
        print_message(
            "cli.links_broken", "{n} links are missing or broken", n=chain.n_broken
        )
    else:
        print_message("cli.chain_complete", "the chain is complete")
    return 1 if chain.n_broken else 0


def _find_decision(entries: pd.DataFrame, item: str, ledger: str) -> pd.Series:
    """Return the last decision on an item, ``declaration_id/item_number``.

    Without a number it is item 1; a declaration_id may itself end in ``/2``.
    """
    document, _, number = item.rpartition("/")
    keys = [(item, 1)]
    if document and number.isdecimal():
        keys.append((document, int(number)))
    for name, place in keys:
        own = (entries["declaration_id"] == name) & (entries["item_number"] == place)
        if own.any():
            return entries[own].iloc[-1]
    raise ArgumentError(
        "cli.no_decision_on_item",
        "{ledger}: no decision on {item!r}. Pass declaration_id/item_number as the "
        "decisions show it.",
        ledger=ledger,
        item=item,
    )


def _show_decision(chain: _Chain, seq: int, at: str, body: Mapping[str, Any]) -> None:
    """Show what was decided, and by which score."""
    decision, score = body["decision"], body.get("score", {})
    why = decision.get("selected_by")
    decided = Message(
        "cli.lineage_decision",
        "{channel} ({why}), entry {seq} of {at}",
        channel=code_in_words("channel", decision["channel"]),
        why=code_in_words("selected_by", why) if why else word("released"),
        seq=seq,
        at=at,
    )
    chain.say("decision", render_message(decided))
    if score:
        chain.say("score", _score_in_full(score))


def _score_in_full(score: Mapping[str, Any]) -> str:
    """Return a score with all its digits, and the amount."""
    risk, revenue = repr(score.get("risk_score")), score.get("expected_revenue")
    is_order = score.get("stage") == "no results"
    amount = "" if revenue is None else localise(f"{revenue:,.2f}")
    message = Message("cli.lineage_risk", "risk {risk}", risk=risk)
    if is_order:
        message = Message(
            "cli.lineage_order", "score without results {risk}", risk=risk
        )
    if amount and is_order:
        message = Message(
            "cli.lineage_order_and_stake",
            "score without results {risk}, stake by score {amount}",
            risk=risk,
            amount=amount,
        )
    elif amount:
        message = Message(
            "cli.lineage_risk_and_revenue",
            "risk {risk}, expected revenue {amount}",
            risk=risk,
            amount=amount,
        )
    return render_message(message)


def _show_engine(
    chain: _Chain, place: EngineAddress | None, body: Mapping[str, Any]
) -> None:
    """Show the engine of the score, and the files that it learned from."""
    version = body.get("versions", {}).get("model")
    known = Message("cli.lineage_version", "version {version}", version=version)
    chain.say("engine", render_message(known) if version else word("not recorded"))
    if place is None:
        return
    loaded = load_engine(place)
    if loaded.version_ != version:
        chain.broken(
            "cli.lineage_other_engine",
            "{address} is version {version}: it is not the engine of this score. Pass "
            "the one of that time.",
            address=place.address,
            version=loaded.version_,
        )
        return
    for source in loaded.sources_:
        chain.say("learned", _describe(source))
    if not loaded.sources_:
        unknown = Message(
            "cli.lineage_unknown_files", "from tables whose files are not known"
        )
        chain.say("learned", render_message(unknown))


def _describe(source: Source) -> str:
    """Return a source in a line."""
    parts = [f"{source.table or source.kind} {source.sha256}"]
    if source.rows_in is not None:
        read = Message("cli.lineage_read", "{n} rows read", n=source.rows_in)
        parts.append(render_message(read))
    if source.rows_out is not None:
        used = Message(
            "cli.lineage_used",
            "{n} used, {n_aside} set aside",
            n=source.rows_out,
            n_aside=source.set_aside,
        )
        parts.append(render_message(used))
    if source.repairs:
        n_repaired = sum(source.repairs.values())
        repaired = Message("cli.lineage_repaired", "{n} values repaired", n=n_repaired)
        parts.append(render_message(repaired))
    if source.map_version is not None:
        applied = Message("cli.lineage_map", "map {map}", map=source.map_version)
        parts.append(render_message(applied))
    return ", ".join(parts)


def _show_map(chain: _Chain, columns: str | None, body: Mapping[str, Any]) -> None:
    """Show the map that was applied, next to the one that is passed."""
    recorded = body.get("versions", {}).get("map")
    chain.say("map", recorded or word("none"))
    given = load_column_map(columns)
    if given is None or not recorded or map_version(given) == recorded:
        return
    chain.broken(
        "cli.lineage_map_changed",
        "{columns} is map {map}: it was changed since.",
        columns=columns,
        map=map_version(given),
    )


def _show_rows(
    chain: _Chain,
    source_row: str | None,
    sources: Mapping[str, str],
    files: Sequence[str],
    columns: str | None,
) -> None:
    """Show the lines from which the item came."""
    if source_row is None:
        chain.broken(
            "cli.lineage_no_line",
            "the file and line of the item were not recorded. Read files with "
            "smartrisk.intake.read_table, or with the commands, which keep them.",
        )
        return
    digests = {path: _digest(path) for path in files}
    for source_id, line in parse_source_row(source_row):
        known = [d for d in sources.values() if d.startswith(source_id)]
        place = Message(
            "cli.lineage_line",
            "line {line} of SHA-256 {digest}",
            line=line,
            digest=(known or [source_id])[0],
        )
        chain.say("source", render_message(place))
        path = next((p for p, d in digests.items() if d.startswith(source_id)), None)
        if path is None:
            _miss_file(chain, digests)
            continue
        same = Message("cli.lineage_unchanged", "{path}: unchanged", path=path)
        chain.say("file", render_message(same))
        chain.say("row", _row_text(path, f"{source_id}:{line}", columns))


def _digest(path: str) -> str:
    """Return the SHA-256 of a file that must be there."""
    if not Path(path).exists():
        raise ArgumentError("cli.no_source_file", "no file {path!r}.", path=path)
    return digest_file(path)


def _miss_file(chain: _Chain, digests: Mapping[str, str]) -> None:
    """Show that none of the files is the one that was read."""
    if not digests:
        chain.broken(
            "cli.lineage_no_file", "no file was passed. Add the file to see the line."
        )
        return
    found = "; ".join(
        render_message(
            Message("cli.lineage_has", "{path} has {digest}", path=path, digest=digest)
        )
        for path, digest in digests.items()
    )
    chain.broken(
        "cli.lineage_other_file",
        "no file that was passed is the one that was read: {found}. It was changed "
        "since, or is another one.",
        found=found,
    )


def _row_text(path: str, place: str, columns: str | None) -> str:
    """Return the cells of a row of a file."""
    given = load_column_map(columns)
    frame = read_table(path, file=None if given is None else given.file)
    found = frame[frame[SOURCE_ROW] == place].drop(columns=SOURCE_ROW)
    if not len(found):
        return word("no such row")
    row = found.iloc[0].dropna()
    cells = ", ".join(f"{name}={value}" for name, value in row.items())
    return clean_text(cells, _ROW_CHARACTERS)
