"""Evidence on unit values and masses: what earlier items of the same kind have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from smartrisk.explanations._evidence import Evidence, evidence_about_key
from smartrisk.explanations._facts import Facts
from smartrisk.explanations._grouping import Topic
from smartrisk.schema import HS_LEVELS, TRADERS

#: From this many peers on, the closer ones replace the wider; the features draw a
#: median of fewer towards that of similar goods.
MANY_PEERS = 10
#: From this many on, a party's own earlier items are a habit, not one or two cases.
OWN_PEERS = 3
#: Where earlier items are this many times those with a value, both are stated.
MOSTLY = 1.25
#: Log ratios beyond this overflow the exponential in a sentence.
_LARGEST_LOG_RATIO = 50.0


def peer_evidence(facts: Facts) -> Evidence | None:
    """Return how a unit value or mass compares with that of peers."""
    measure = facts.measure_with_unit(facts.topic.measure or "unknown")
    deviation, z = facts.statistic("deviation"), facts.statistic("z")
    n_peers = facts.statistic("n_peers")
    if deviation is not None:
        return _deviation_evidence(facts, measure, deviation, n_peers)
    if z is not None:
        return evidence_about_key(facts, "peers.z", measure=measure, z=z)
    if ("deviation", None) in facts.topic.place:
        message = "peers.unknown" if facts.unit_value() is None else "peers.unseen"
        return evidence_about_key(facts, message, measure=measure)
    if n_peers is None:
        return None
    return evidence_about_key(facts, "peers.count", measure=measure, n=round(n_peers))


def market_evidence(facts: Facts) -> Evidence | None:
    """Return how a unit value compares with the market at the prices of the day."""
    measure = facts.measure_with_unit(facts.topic.measure or "unknown")
    deviation, z = facts.statistic("market_deviation"), facts.statistic("market_z")
    if deviation is None and z is None:
        message = "peers.unknown" if facts.unit_value() is None else "peers.unseen"
        return evidence_about_key(facts, message, measure=measure)
    if deviation is None:
        return evidence_about_key(facts, "market.z", measure=measure, z=z)
    ratio = math.exp(min(max(deviation, -_LARGEST_LOG_RATIO), _LARGEST_LOG_RATIO))
    values: dict[str, Any] = {"measure": measure, "ratio": ratio}
    declared = facts.unit_value()
    if declared is None:  # made from elsewhere: only the ratio is known
        return evidence_about_key(facts, "market.only", **values)
    values |= {"declared": declared, "typical": declared / ratio}
    return evidence_about_key(facts, "market.ratio", **values)


def _deviation_evidence(
    facts: Facts,
    measure: tuple[str, str | None],
    deviation: float,
    n_peers: float | None,
) -> Evidence:
    """Return evidence on a log ratio to the typical value of peers."""
    bounded = min(max(deviation, -_LARGEST_LOG_RATIO), _LARGEST_LOG_RATIO)
    ratio = math.exp(bounded)
    declared = facts.unit_value()
    values: dict[str, Any] = {"measure": measure, "ratio": ratio}
    if declared is None:  # made from elsewhere: only the ratio is known
        return evidence_about_key(facts, "peers.only", **values)
    values |= {"declared": declared, "typical": declared / ratio}
    if n_peers is None:
        return evidence_about_key(facts, "peers.alone", **values)
    total = facts.whole_statistic("n_items") or 0.0
    kind = "ratio" if n_peers >= MANY_PEERS else "few"
    if n_peers < 1:
        kind = "none" if total < 1 else "silent"
    elif kind == "ratio" and total > MOSTLY * n_peers:
        kind, values["total"] = "part", round(total)
    return evidence_about_key(facts, f"peers.{kind}", **values, n=round(n_peers))


def choose_closest_peers(facts: Facts, topics: Sequence[Topic]) -> Facts:
    """Return the facts about the closest peers that support the reason.

    The model may have compared the price with a whole chapter. When at least
    `MANY_PEERS` earlier items of the heading, of the subheading or of one origin
    deviate in the same direction, and at least half as far, these are the peers that an
    officer can check.
    """
    closest = facts
    if _closeness(facts.topic):
        for other in _agreeing_peers(facts, topics, MANY_PEERS):
            if _closeness(other.topic) > _closeness(closest.topic):
                closest = other
    return closest


def add_other_peers(
    evidence: Evidence, facts: Facts, topics: Sequence[Topic]
) -> Evidence:
    """Return evidence on a unit value together with other peers that support it.

    Evidence that compares with all traders gets the party's own earlier items; evidence
    that compares with the party's own items gets those of all traders.
    """
    if "typical" not in evidence.values:
        return evidence
    market = bool(_closeness(facts.topic))
    others = [
        other
        for other in _agreeing_peers(facts, topics, OWN_PEERS if market else MANY_PEERS)
        if bool(_closeness(other.topic)) != market
    ]
    if not others:
        return evidence
    best = max(
        others, key=lambda o: (_closeness(o.topic), o.statistic("n_peers") or 0.0)
    )
    support = peer_evidence(best)
    if support is None or "typical" not in support.values:
        return evidence
    values = {name: support.values[name] for name in ("ratio", "typical", "n")}
    few = "_few" if support.message == "peers.few" else ""
    more = Evidence(message=f"peers.also{few}", values=values, key=support.key)
    return replace(evidence, more=more)


def _agreeing_peers(
    facts: Facts, topics: Sequence[Topic], at_least: int
) -> Iterator[Facts]:
    """Yield the facts about at least this many other peers, of the same measure.

    They deviate in the same direction as the peers of the facts, at least half as far.
    """
    here = facts.statistic("deviation")
    if facts.topic.family != "peers" or not here:
        return
    for topic in topics:
        if (topic.family, topic.measure) != ("peers", facts.topic.measure):
            continue
        other = replace(facts, topic=topic)
        deviation, n_peers = other.statistic("deviation"), other.statistic("n_peers")
        if deviation is None or deviation / here < 0.5:
            continue
        if (n_peers or 0) >= at_least:
            yield other


def _closeness(topic: Topic) -> int:
    """Return how closely the key singles out goods; 0 for the peers of one party."""
    if any(name in TRADERS for name in topic.key):
        return 0
    digits = max((HS_LEVELS.get(name, 0) for name in topic.key), default=0)
    return 2 * digits + (len(topic.key) > 1)
