"""Heads and codes of printed tables in words; English keeps the names of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smartrisk.cli._terminal import current_language, format_table, print_line
from smartrisk.languages import catalogue, language_of

if TYPE_CHECKING:
    import pandas as pd

#: Contexts in the catalogue ``help``.
HEAD, CELL, WORD = "head of a table", "cell of a table", "word of a line"
#: Columns of the tables that commands print.
HEADS: tuple[str, ...] = (
    *("declaration_id", "item_number", "risk_score", "score_lower", "score_upper"),
    *("expected_revenue", "model_version", "scored_at", "stage", "source_row"),
    *("channel", "selected_by", "propensity", "draw_probability", "rank"),
    *("policy_version", "decided_at", "inspected", "items", "precision", "recall"),
    *("lift", "revenue", "column", "field", "kind", "format", "filled", "distinct"),
    *("examples", "reason", "severity", "count", "seq", "at", "body", "name"),
    *("recorded", "again", "version", "alias", "by", "previous", "run_id", "action"),
    *("task", "contender", "fit_seconds", "score_seconds", "roc_auc"),
    *("average_precision", "precision_at_05pct", "recall_at_05pct"),
    *("revenue_share_at_05pct", "metric", "challenger", "champion", "gain"),
    *("gain_low", "gain_high", "n_items", "n_hits", "gap", "low", "high", "since"),
)
#: Codes by their column.
CELLS: dict[str, tuple[str, ...]] = {
    "channel": ("green", "yellow", "red", "blue"),
    "selected_by": (
        *("model", "rule", "random", "exploration", "mandatory", "manual"),
    ),
    "stage": ("no results", "few results", "model"),
    "severity": ("error", "warning"),
    "kind": (
        *("code", "number", "date", "text", "empty", "decision", "override", "result"),
        *("open", "engine", "key"),
    ),
}
#: What the lines of `lineage` begin with.
LINKS: tuple[str, ...] = (
    *("decision", "score", "engine", "learned", "map", "source", "file", "row"),
    "PROBLEM",
)
#: Short words that stand alone in a line.
WORDS: tuple[str, ...] = (
    *LINKS,
    *("released", "none", "no such row", "not recorded", "seen", "unseen"),
    *("goods line", "items", "hit rate", "precision", "average precision"),
    *("calibration error", "Brier", "ROC AUC"),
)


def word(text: str) -> str:
    """Return one of `WORDS` in the current language."""
    return _say(WORD, text) if text in WORDS else text


def code_in_words(column: str, code: str) -> str:
    """Return a code of a column in the current language."""
    return _say(f"{CELL}: {column}", code) if code in CELLS[column] else code


def print_table(frame: pd.DataFrame) -> None:
    """Write a frame as a table to standard output, in the current language."""
    names = [str(name) for name in frame.columns]
    rows = [
        [_cell_in_words(name, value) for name, value in zip(names, row, strict=True)]
        for row in frame.to_numpy(dtype=object).tolist()
    ]
    heads = [_say(HEAD, name) if name in HEADS else name for name in names]
    print_line(format_table(rows, heads))


def entries() -> set[tuple[str, str]]:
    """Return what the catalogue needs: contexts and texts."""
    found = {(HEAD, name) for name in HEADS} | {(WORD, text) for text in WORDS}
    found |= {(f"{CELL}: {column}", c) for column in CELLS for c in CELLS[column]}
    return found


def _cell_in_words(column: str, value: Any) -> Any:
    """Return a cell, a code in words."""
    is_code = isinstance(value, str) and column in CELLS
    return code_in_words(column, value) if is_code else value


def _say(context: str, text: str) -> str:
    """Return a text in the current language."""
    lang = language_of(current_language.get())
    return catalogue("help", lang).pgettext(context, text)
