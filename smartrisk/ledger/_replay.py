"""Comparing a recorded decision with what an engine computes today."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from smartrisk.errors import Message
from smartrisk.ledger._digests import ReasonTable, Record, sentences_by_item
from smartrisk.ledger._values import Replay

#: Figures of a score that must agree.
_FIGURES = ("risk_score", "expected_revenue")
#: Differences below these are rounding: another processor sums in another order.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12


class ScoringEngine(Protocol):
    """The methods of an engine that a replay needs; `RiskEngine` has them."""

    def score_one(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the score of one item."""
        ...

    def explain_one(self, item: Mapping[str, Any], *, top: int) -> ReasonTable:
        """Return the reasons of one item."""
        ...


def replay_decision(
    seq: int, body: Mapping[str, Any], item: Record, engine: ScoringEngine, top: int
) -> Replay:
    """Return how a recorded decision compares with what an engine computes now."""
    score = dict(engine.score_one(item))
    recorded = {"score": dict(body.get("score", {})), "reasons": body.get("reasons")}
    again: dict[str, Any] = {"score": score}
    if recorded["reasons"] is not None:
        sentences = sentences_by_item(engine.explain_one(item, top=top))
        again["reasons"] = next(iter(sentences.values()), [])
    return Replay(
        seq=seq, recorded=recorded, again=again, message=_difference(recorded, again)
    )


def _difference(
    recorded: Mapping[str, Any], again: Mapping[str, Any]
) -> Message | None:
    """Return why two computations differ; None when they agree."""
    version, version_now = (
        part["score"].get("model_version") for part in (recorded, again)
    )
    if version != version_now:
        return Message(
            "ledger.replayed_by_other_version",
            "recorded by version {recorded!r}, replayed by {again!r}: load the engine "
            "of that time",
            recorded=version,
            again=version_now,
        )
    if not _scores_agree(recorded["score"], again["score"]):
        return Message("ledger.score_differs", "the score differs")
    if "reasons" in again and again["reasons"] != recorded["reasons"]:
        return Message("ledger.reasons_differ", "the reasons differ")
    return None


def _scores_agree(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Return whether two scores are equal but for rounding."""
    return all(
        math.isclose(recorded[name], again[name], rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
        for name in _FIGURES
        if name in recorded and name in again
    )
