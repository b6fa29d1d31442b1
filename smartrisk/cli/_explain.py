"""The command ``explain``: the riskiest items and the reasons for their scores."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from smartrisk.artefact import write_file
from smartrisk.cli._chunks import score_in_chunks
from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._files import DataFiles, load_declarations, write_table
from smartrisk.cli._messages import print_message, render_message
from smartrisk.cli._stage import print_stage, score_in_words
from smartrisk.cli._terminal import print_line
from smartrisk.errors import ArgumentError, Message
from smartrisk.explanations import Reasons, Wording


def explain(
    data: DataFiles,
    *,
    engine: EngineAddress,
    show: int,
    top: int,
    lang: str,
    out: str | None,
) -> int:
    """Show why the riskiest items have high scores, and write their reasons."""
    loaded = load_engine(engine)
    items = load_declarations(data)
    scores = score_in_chunks(loaded, items).reset_index(drop=True)
    order = np.argsort(-scores["risk_score"].to_numpy(), kind="stable")[:show]
    reasons = loaded.explain(items.iloc[order], top=top)
    rows = scores.iloc[order].to_dict("records")
    print_stage(loaded)
    for row, sentences in zip(rows, reasons.sentences(lang=lang), strict=True):
        print_item(row, sentences, lang)
    if reasons.until is not None:
        words = Wording(lang)
        day = words.day(reasons.until)
        print_line(f"\n{words.text('page.history', day=day)}")
    if out is not None:
        path = _write_reasons(reasons, out, lang)
        print_message("cli.reasons_written", "reasons: {path}", path=path)
    return 0


def print_item(
    row: Mapping[Hashable, Any], sentences: list[str], lang: str = "en"
) -> None:
    """Show the score of an item and its reasons, which are in the language."""
    key = f"{row['declaration_id']}/{row['item_number']}"
    print_line(f"{key}  {render_message(score_in_words(row), lang)}")
    nothing = Message("cli.no_reason", "nothing raises its score")
    for sentence in sentences or [render_message(nothing, lang)]:
        print_line(f"  - {sentence}")


def _write_reasons(reasons: Reasons, path: str, lang: str) -> Path:
    """Write reasons as a page or as a table, by the ending."""
    if path.lower().endswith((".html", ".htm")):
        page = reasons.to_html(lang=lang)
        return write_file(Path(path), lambda draft: draft.write_text(page, "utf-8"))
    if path.lower().endswith((".csv", ".parquet")):
        return write_table(reasons.frame(lang=lang), path)
    raise ArgumentError(
        "cli.unknown_reasons_kind",
        "{path!r} must end in .csv, .parquet or .html.",
        path=path,
    )
