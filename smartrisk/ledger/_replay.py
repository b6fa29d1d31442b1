"""Comparing a recorded decision with what an engine computes today."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from smartrisk.errors import LedgerError, Message
from smartrisk.ledger._cells import is_missing
from smartrisk.ledger._decisions import current_versions
from smartrisk.ledger._digests import parse_body
from smartrisk.ledger._entries import ReasonTable, Record, sentences_by_item
from smartrisk.ledger._keyring import Keyring
from smartrisk.ledger._stores import Store
from smartrisk.ledger._values import Replay, name_versions

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


def check_engine(engine: Any) -> None:
    """Raise unless something scores single items."""
    if not hasattr(engine, "score_one") or not hasattr(engine, "explain_one"):
        raise LedgerError(
            "ledger.not_an_engine",
            "Ledger.replay: 'engine' must be the fitted engine of that time; got "
            "{type_name}.",
            type_name=type(engine).__name__,
        )


def find_inputs(
    store: Store, keyring: Keyring, decision: tuple[int, str, Mapping[str, Any]]
) -> Record | Message:
    """Return the declared values of a decision, or why there are none."""
    seq, at, body = decision
    digest = body.get("inputs")
    if digest is None:
        raise LedgerError(
            "ledger.inputs_not_recorded",
            "Ledger.replay: the inputs of entry {seq} were not recorded. Pass "
            "'declarations' to Ledger.record.",
            seq=seq,
        )
    statement = "SELECT fields FROM items WHERE digest = :digest"
    rows = store.fetch("aside", statement, digest=digest)
    if not rows:
        return _find_erasure(store, keyring.tag(digest), seq, at)
    if not isinstance(rows[0][0], str) or keyring.digest(rows[0][0]) != digest:
        raise LedgerError(
            "ledger.inputs_changed_aside",
            "Ledger.replay: the inputs of entry {seq} were changed. Restore the second "
            "file from a copy.",
            seq=seq,
        )
    return {k: v for k, v in parse_body(rows[0][0]).items() if v is not None}


def _find_erasure(store: Store, tag: str, seq: int, at: str) -> Message:
    """Return that inputs were erased and by which entry, or that they are missing."""
    statement = (
        "SELECT seq, body FROM entries WHERE kind = 'erasure' AND seq > :seq "
        "ORDER BY seq"
    )
    for erased_by, text in store.fetch("chain", statement, seq=seq):
        body = parse_body(text)
        if tag in body.get("tags", ()) or at[:10] < body.get("before", ""):
            return Message(
                "ledger.inputs_erased",
                "the inputs were erased (entry {erased_by})",
                erased_by=erased_by,
            )
    return Message(
        "ledger.inputs_missing",
        "the inputs are missing, and no entry states that they were erased",
    )


def replay_decision(
    seq: int,
    body: Mapping[str, Any],
    item: Record | Message,
    engine: ScoringEngine,
    top: int,
) -> Replay:
    """Return how a recorded decision compares with what an engine computes now."""
    recorded = {
        "score": dict(body.get("score", {})),
        "reasons": body.get("reasons"),
        "versions": dict(body.get("versions", {})),
    }
    if isinstance(item, Message):
        return Replay(seq=seq, recorded=recorded, again={}, message=item)
    score = dict(engine.score_one(item))
    again: dict[str, Any] = {"score": score, "versions": dict(current_versions())}
    if recorded["reasons"] is not None:
        sentences = sentences_by_item(
            "Ledger.replay", engine.explain_one(item, top=top)
        )
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
        return Message(
            "ledger.score_differs",
            "the score differs (versions that differ: {versions})",
            versions=_other_versions(recorded["versions"], again["versions"]),
        )
    if "reasons" in again and again["reasons"] != recorded["reasons"]:
        return Message(
            "ledger.reasons_differ",
            "the reasons differ (versions that differ: {versions})",
            versions=_other_versions(recorded["versions"], again["versions"]),
        )
    return None


def _other_versions(then: Mapping[str, Any], today: Mapping[str, Any]) -> str:
    """Return which versions differ, in words."""
    names = [name for name in today if then.get(name) != today[name]]
    return name_versions({name: (then.get(name), today[name]) for name in names})


def _scores_agree(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Return whether two scores are equal but for rounding; a missing one is None."""
    for name in _FIGURES:
        if name not in recorded or name not in again:
            continue
        then, today = recorded[name], again[name]
        if then is None or is_missing(today):
            if not (then is None and is_missing(today)):
                return False
        elif not math.isclose(then, today, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE):
            return False
    return True
