"""What scores rest on, as the command line states it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from smartrisk.cli._messages import render_message
from smartrisk.cli._terminal import localise, print_line
from smartrisk.engine import RiskEngine
from smartrisk.errors import Message
from smartrisk.schema import STAGES


def print_stage(engine: RiskEngine) -> None:
    """Print what the scores of an engine rest on, unless results stand behind them."""
    if engine.stage_ != STAGES[-1] and engine.stage_report_ is not None:
        print_line(render_message(engine.stage_report_.message()))


def score_in_words(row: Mapping[Hashable, Any]) -> Message:
    """Return the score of an item and its amount, as they are called at its stage."""
    risk = localise(f"{row['risk_score']:.3f}")
    amount = localise(f"{row['expected_revenue']:,.0f}")
    if row.get("stage") == "no results":
        return Message(
            "cli.score_without_results",
            "score {risk} (no results yet)  stake by score {amount}",
            risk=risk,
            amount=amount,
        )
    lower, upper = row.get("score_lower"), row.get("score_upper")
    if lower is None or upper is None or lower != lower or upper != upper:
        return Message(
            "cli.score",
            "risk {risk}  expected revenue {amount}",
            risk=risk,
            amount=amount,
        )
    return Message(
        "cli.score_with_interval",
        "risk {risk} ({lower} to {upper})  expected revenue {amount}",
        risk=risk,
        lower=localise(f"{lower:.3f}"),
        upper=localise(f"{upper:.3f}"),
        amount=amount,
    )
