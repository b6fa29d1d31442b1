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
from smartrisk.cli._terminal import print_line
from smartrisk.errors import ArgumentError
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
        print_line(f"{name:<{_WIDTH}} {text}")

    def broken(self, text: str) -> None:
        """Show a link that does not hold."""
        self.n_broken += 1
        self.say("PROBLEM", text)


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
    print_line(
        "the chain is complete"
        if not chain.n_broken
        else f"{chain.n_broken} links are missing or broken"
    )
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
    why = decision.get("selected_by") or "released"
    chain.say("decision", f"{decision['channel']} ({why}), entry {seq} of {at}")
    if score:
        revenue = score.get("expected_revenue")
        is_order = score.get("stage") == "no results"
        name = "score without results," if is_order else "risk"
        amount = "stake by score" if is_order else "expected revenue"
        more = "" if revenue is None else f", {amount} {revenue:,.2f}"
        chain.say("score", f"{name} {score.get('risk_score')!r}{more}")


def _show_engine(
    chain: _Chain, place: EngineAddress | None, body: Mapping[str, Any]
) -> None:
    """Show the engine of the score, and the files that it learned from."""
    version = body.get("versions", {}).get("model")
    chain.say("engine", f"version {version or 'not recorded'}")
    if place is None:
        return
    loaded = load_engine(place)
    if loaded.version_ != version:
        chain.broken(
            f"{place.address} is version {loaded.version_}: it is not the engine of "
            "this score. Pass the one of that time."
        )
        return
    for source in loaded.sources_:
        chain.say("learned", _describe(source))
    if not loaded.sources_:
        chain.say("learned", "from tables whose files are not known")


def _describe(source: Source) -> str:
    """Return a source in a line."""
    parts = [f"{source.table or source.kind} {source.sha256}"]
    if source.rows_in is not None:
        parts.append(f"{source.rows_in} rows read")
    if source.rows_out is not None:
        parts.append(f"{source.rows_out} used, {source.set_aside} set aside")
    if source.repairs:
        parts.append(f"{sum(source.repairs.values())} values repaired")
    if source.map_version is not None:
        parts.append(f"map {source.map_version}")
    return ", ".join(parts)


def _show_map(chain: _Chain, columns: str | None, body: Mapping[str, Any]) -> None:
    """Show the map that was applied, next to the one that is passed."""
    recorded = body.get("versions", {}).get("map")
    chain.say("map", recorded or "none")
    given = load_column_map(columns)
    if given is None or not recorded or map_version(given) == recorded:
        return
    chain.broken(f"{columns} is map {map_version(given)}: it was changed since.")


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
            "the file and line of the item were not recorded. Read files with "
            "smartrisk.intake.read_table, or with the commands, which keep them."
        )
        return
    digests = {path: _digest(path) for path in files}
    for source_id, line in parse_source_row(source_row):
        known = [d for d in sources.values() if d.startswith(source_id)]
        chain.say("source", f"line {line} of SHA-256 {(known or [source_id])[0]}")
        path = next((p for p, d in digests.items() if d.startswith(source_id)), None)
        if path is None:
            _miss_file(chain, digests)
            continue
        chain.say("file", f"{path}: unchanged")
        chain.say("row", _row_text(path, f"{source_id}:{line}", columns))


def _digest(path: str) -> str:
    """Return the SHA-256 of a file that must be there."""
    if not Path(path).exists():
        raise ArgumentError("cli.no_source_file", "no file {path!r}.", path=path)
    return digest_file(path)


def _miss_file(chain: _Chain, digests: Mapping[str, str]) -> None:
    """Show that none of the files is the one that was read."""
    if not digests:
        chain.broken("no file was passed. Add the file to see the line.")
        return
    found = "; ".join(f"{path} has {digest}" for path, digest in digests.items())
    chain.broken(
        f"no file that was passed is the one that was read: {found}. It was changed "
        "since, or is another one."
    )


def _row_text(path: str, place: str, columns: str | None) -> str:
    """Return the cells of a row of a file."""
    given = load_column_map(columns)
    frame = read_table(path, file=None if given is None else given.file)
    found = frame[frame[SOURCE_ROW] == place].drop(columns=SOURCE_ROW)
    if not len(found):
        return "no such row"
    row = found.iloc[0].dropna()
    cells = ", ".join(f"{name}={value}" for name, value in row.items())
    return clean_text(cells, _ROW_CHARACTERS)
