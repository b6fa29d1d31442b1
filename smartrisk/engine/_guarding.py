"""The guard of scoring: a batch that does not fit what the engine learned from."""

from __future__ import annotations

import warnings
from typing import Literal, TypeAlias

import pandas as pd

from smartrisk.engine._state import EngineState
from smartrisk.errors import DataQualityWarning, TableError, check_choice
from smartrisk.monitoring import GuardReport

#: What to do with a batch that does not fit.
Guard: TypeAlias = Literal["warn", "raise", "off"]
_CHOICES = ("warn", "raise", "off")
_TEMPLATE = (
    "RiskEngine.{method}: the batch of {n_items} items does not fit what the engine "
    "learned from. {findings} Scores of such a batch are not reliable. Where the data "
    "are right, fit again, or pass guard='off'."
)


def check_guard(method: str, guard: Guard) -> None:
    """Raise unless `guard` is allowed, and name the method that was called."""
    check_choice(f"RiskEngine.{method}", "guard", guard, _CHOICES)


def guard_batch(
    method: str, state: EngineState, items: pd.DataFrame, guard: Guard
) -> GuardReport | None:
    """Warn, or raise, when a batch does not fit; for a method that the user calls."""
    if guard == "off" or state.profile is None:
        return None
    day = state.features.last_day_
    until = None if day is None else pd.Timestamp(day)
    report = state.profile.check(items, until=until)
    if report.ok:
        return report
    messages = report.messages()
    text = " ".join(map(str, messages))
    if guard == "raise":
        raise TableError(
            "engine.batch_does_not_fit",
            _TEMPLATE,
            method=method,
            n_items=report.n_items,
            findings=text,
            messages=messages,
        )
    warnings.warn(
        DataQualityWarning(
            "engine.batch_does_not_fit",
            _TEMPLATE,
            method=method,
            n_items=report.n_items,
            findings=text,
        ),
        stacklevel=3,
    )
    return report
