"""The evidence for each topic: results, activity, routes, tariff, and the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from smartrisk.explanations._evidence import Evidence, evidence_about_key
from smartrisk.explanations._facts import Facts, short_text
from smartrisk.explanations._grouping import Topic
from smartrisk.explanations._item_evidence import (
    feature_evidence,
    item_evidence,
    missing_evidence,
)
from smartrisk.explanations._peer_evidence import market_evidence, peer_evidence
from smartrisk.schema import HS_LEVELS

#: Up to this many earlier items, a sentence writes "only", and calls a route "seldom"
#: seen. A convention: a count of two digits reads as established.
FEW = 10


def make_evidence(facts: Facts) -> Evidence:
    """Return the evidence for a topic of an item."""
    missing = tuple(
        "tariff_code" if name in HS_LEVELS else name
        for name in facts.missing_fields(facts.topic.key)
    )
    seen = facts.statistic("n_items") or facts.statistic("inspections")
    if missing and not seen:
        return Evidence(message="key.missing", values={"fields": missing})
    make = _BY_FAMILY.get(facts.topic.family, item_evidence)
    return make(facts) or feature_evidence(facts)


def add_record_of_code(
    evidence: Evidence, facts: Facts, record: Topic | None
) -> Evidence:
    """Return evidence on a declared code with the results of inspections of it."""
    if record is None or facts.lead.statistic != "code":
        return evidence
    of_code = replace(facts, topic=record, lead=record.infos[0])
    if not of_code.statistic("inspections"):
        return evidence
    return replace(evidence, more=make_evidence(of_code))


def _record_evidence(facts: Facts) -> Evidence | None:
    """State the results of earlier inspections."""
    n, hits = facts.statistic("inspections"), facts.statistic("hits")
    recent = facts.lead_value if facts.lead.statistic == "hit_rate" else None
    rate = facts.statistic("hit_rate") if recent is None else recent
    if n is None:
        if hits is not None:
            return evidence_about_key(facts, "record.hits", n=round(hits))
        if rate is None:
            return None
        return evidence_about_key(facts, "record.rate", rate=rate)
    if n < 1:
        if rate is None:
            return evidence_about_key(facts, "record.unknown")
        return evidence_about_key(facts, "record.none", rate=rate)
    if hits is None:
        return evidence_about_key(facts, "record.count", n=round(n))
    if hits < 1 and rate is not None:
        without_hit = evidence_about_key(facts, "record.clean", n=round(n))
        expected = Evidence(message="record.expected", values={"rate": rate})
        return replace(without_hit, more=expected)
    return evidence_about_key(facts, "record.some", hits=round(hits), n=round(n))


def _activity_evidence(facts: Facts) -> Evidence | None:
    """State how many earlier items there are, or when the last was."""
    total, value, statistic = (
        facts.statistic("n_items"),
        facts.lead_value,
        facts.lead.statistic,
    )
    if total is not None and total < 1:
        return evidence_about_key(facts, "activity.first")
    if value is None:
        return None if total is None else _count_evidence(facts, total)
    if statistic in ("n_items", "near_threshold") and facts.days:
        kind = "near" if statistic == "near_threshold" else "recent"
        if value < 1:
            return evidence_about_key(facts, f"activity.none_{kind}", days=facts.days)
        return evidence_about_key(
            facts, f"activity.{kind}", n=round(value), days=facts.days
        )
    if statistic in _SINCE:
        return evidence_about_key(facts, _SINCE[statistic], n=round(value))
    if statistic == "decayed":
        last = facts.whole_statistic("days_since_last")
        if last is not None:  # a weighted count means little to an officer
            return evidence_about_key(facts, "activity.last", n=round(last))
        return evidence_about_key(facts, "activity.decayed", value=round(value, 1))
    if statistic == "items_per_active_day":
        return evidence_about_key(facts, "activity.per_day", value=round(value, 1))
    return _count_evidence(facts, value) if statistic == "n_items" else None


_SINCE = {"days_since_last": "activity.last", "days_since_first": "activity.since"}


def _count_evidence(facts: Facts, n_items: float) -> Evidence:
    """State how many earlier items there are."""
    message = "activity.few" if n_items <= FEW else "activity.some"
    return evidence_about_key(facts, message, n=round(n_items))


def _route_evidence(facts: Facts) -> Evidence | None:
    """State origin and departure, and how often the pair was seen."""
    missing = facts.missing_fields(("origin", "departure"))
    if missing:
        return missing_evidence(missing)
    origin = short_text(facts.value("origin"))
    departure = short_text(facts.value("departure"))
    if origin == departure:
        return Evidence(message="route.same", values={"origin": origin})
    values = {"origin": origin, "departure": departure}
    n_items = facts.statistic("n_items")
    if n_items is None:
        return Evidence(message="route.differs_only", values=values)
    message = "route.seldom" if n_items <= FEW else "route.differs"
    return Evidence(message=message, values=values | {"n": round(n_items)})


def _tariff_evidence(facts: Facts) -> Evidence | None:
    """State the duty rate next to that of neighbouring codes."""
    rate = facts.number("duty_rate")
    if rate is None:
        return missing_evidence(("duty_rate",))
    gap = facts.lead_value
    if gap is None:
        return evidence_about_key(facts, "tariff.rate", rate=rate)
    # The matrix may be in single precision; and no rate is minus zero.
    other = max(round(rate - gap, 6), 0.0) + 0.0
    if facts.lead.statistic == "rate_gap":
        return evidence_about_key(facts, "tariff.mean", rate=rate, other=other)
    if other >= rate - 1e-6:
        return evidence_about_key(facts, "tariff.lowest", rate=rate)
    return evidence_about_key(facts, "tariff.cheapest", rate=rate, other=other)


def _sibling_evidence(facts: Facts) -> Evidence | None:
    """State how usual the code is in its heading, or what the other codes pay."""
    value = facts.lead_value
    if facts.lead.statistic == "heading_share":
        if value is None:
            return evidence_about_key(facts, "tariff.no_heading")
        return evidence_about_key(facts, "tariff.share", rate=value)
    rate = facts.number("duty_rate")
    if rate is None:
        return missing_evidence(("duty_rate",))
    if value is None:
        return evidence_about_key(facts, "tariff.no_siblings")
    other = max(round(rate + value, 6), 0.0) + 0.0
    return evidence_about_key(facts, "tariff.siblings", rate=rate, other=other)


_BY_FAMILY: Mapping[str, Callable[[Facts], Evidence | None]] = {
    "peers": peer_evidence,
    "market": market_evidence,
    "siblings": _sibling_evidence,
    "record": _record_evidence,
    "activity": _activity_evidence,
    "route": _route_evidence,
    "tariff": _tariff_evidence,
}
