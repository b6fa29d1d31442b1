"""What makes data doubtful to learn from, as a block with remedies."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from smartrisk.cli._messages import render_message
from smartrisk.cli._terminal import print_line
from smartrisk.errors import Message, SmartRiskWarning
from smartrisk.quality import Plausibility


def print_doubts(found: Plausibility) -> None:
    """Show every doubt with its remedy; nothing where there is none."""
    doubts = found.doubts()
    if not doubts:
        return
    head = Message(
        "cli.doubts", "doubts about these data ({count}):", count=len(doubts)
    )
    print_line(f"\n{render_message(head)}")
    for doubt in doubts:
        print_line(f"  - {render_message(doubt.message)}")
        remedy = Message("quality.remedy", doubt.remedy)
        named = Message("cli.remedy", "remedy: {text}", text=render_message(remedy))
        print_line(f"    {render_message(named)}")


@contextmanager
def doubts_shown() -> Iterator[None]:
    """Leave out the warning of `fit` about doubts that were shown as a block."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SmartRiskWarning)
        yield
    for warning in caught:
        if getattr(warning.message, "message_id", "") != "engine.doubtful_data":
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
