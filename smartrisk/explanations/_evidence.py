"""Evidence for a reason: which message, and the numbers that go into it.

Nothing in here depends on a language. Names of persons and firms never enter: a
trader appears by role alone.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.explanations._grouping import MEASURES, Info, Topic
from smartrisk.schema import DECLARATIONS

#: Columns of a history key that name a person or firm.
TRADERS = ("importer_id", "declarant_id", "consignor_id", "carrier_id")
#: Fields whose values are never said: identities, and free text.
PRIVATE = frozenset((*TRADERS, "declaration_id", "description"))
HS_DIGITS = {"hs2": 2, "hs4": 4, "hs6": 6}

#: Up to so many earlier items a thing is "only" or "seldom" seen.
FEW = 10
#: From so many peers on the closer ones speak for the wider; below, the typical value
#: leans on similar goods.
MANY_PEERS = 10
#: From so many on a party's own earlier items are worth a word.
OWN_PEERS = 3
#: Where earlier items are so many times those with a value, both are told.
MOSTLY = 1.25
#: A value within this part of the typical one is ordinary.
ORDINARY = 0.1
#: What is counted over the whole history of a key, so that the period belongs to it.
_OVER_ALL = frozenset(
    (
        "peers.ratio",
        "peers.z",
        "peers.count",
        "record.some",
        "record.clean",
        "record.count",
        "record.hits",
        "activity.few",
        "activity.some",
        "activity.per_day",
    )
)

_LONGEST = 40


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A message by name, with its values.

    Parameters
    ----------
    message : str
        Name of the message in the catalogues.
    values : dict
        What the placeholders stand for: numbers, codes, names of fields.
    key : tuple of (str, str or None), default=()
        Columns of the history key, each with its code; None for an identity.
    since : (int, int), default=None
        Year and month of the first item of the history that is counted.
    more : Evidence, default=None
        What is said besides.
    """

    message: str
    values: Mapping[str, Any]
    key: tuple[tuple[str, str | None], ...] = ()
    since: tuple[int, int] | None = None
    more: Evidence | None = None

    def plain(self) -> dict[str, Any]:
        """Return the values as JSON can hold them."""
        out: dict[str, Any] = {"about": self.message}
        for name, value in self.values.items():
            out[name] = list(value) if isinstance(value, tuple) else value
        if self.key:
            out["key"] = {name: code or "same" for name, code in self.key}
        if self.since is not None:
            out["since"] = "{:04d}-{:02d}".format(*self.since)
        if self.more is not None:
            out["more"] = self.more.plain()
        return out


def clean(text: Any) -> str:
    """Return a text without control, format or private characters, cut short."""
    raw = str(text)[: 4 * _LONGEST]
    kept = "".join(
        " " if unicodedata.category(c)[0] in "CZ" else c
        for c in raw
        if unicodedata.category(c) != "Cf"
    )
    short = " ".join(kept.split())
    return short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"


class Declared:
    """Declared values by position, as plain Python values; None when missing."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._columns: dict[str, Any] = {}

    def __call__(self, field: str, row: int) -> Any:
        """Return one declared value."""
        name = "tariff_code" if field in HS_DIGITS else field
        if name not in self._columns:
            known = name in self._frame.columns
            self._columns[name] = self._frame[name] if known else None
        column = self._columns[name]
        value = None if column is None else column.iat[row]
        if value is None or value is pd.NA or value is pd.NaT or value != value:
            return None
        return str(value)[: HS_DIGITS[field]] if field in HS_DIGITS else value


@dataclass(frozen=True)
class Facts:
    """What is known of one item on one topic."""

    declared: Declared
    row: int
    values: NDArray[np.floating[Any]]  # the item's row of the matrix
    topic: Topic
    lead: Info
    wholes: Mapping[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)

    def value(self, field: str) -> Any:
        """Return a declared value, None when missing."""
        return self.declared(field, self.row)

    def number(self, field: str) -> float | None:
        """Return a declared number, None when missing or not a number."""
        return _finite(self.value(field))

    def statistic(self, name: str, window: str | None = None) -> float | None:
        """Return a statistic of the topic, None when absent or missing."""
        column = self.topic.place.get((name, window))
        return None if column is None else _finite(self.values[column])

    @property
    def lead_value(self) -> float | None:
        """Value of the feature that contributed most."""
        return self.statistic(self.lead.statistic, self.lead.window)

    @property
    def days(self) -> int:
        """Days of the leading feature's window; 0 when it has none."""
        digits = "".join(c for c in self.lead.window or "" if c.isdigit())
        return int(digits or 0)

    def key(self) -> tuple[tuple[str, str | None], ...]:
        """Return the columns of the history key with their codes."""
        return tuple(
            (name, None if name in PRIVATE else self._code(name))
            for name in self.topic.key
        )

    @property
    def since(self) -> tuple[int, int] | None:
        """Year and month of the first earlier item under the key, where it is known."""
        days, lodged = self.whole("days_since_first"), self.value("lodged_at")
        if days is None or not isinstance(lodged, date):
            return None
        first = lodged - timedelta(days=count(days))
        return first.year, first.month

    def whole(self, statistic: str) -> float | None:
        """Return a statistic of the topic's key over all history."""
        column = self.wholes.get((statistic, self.topic.key))
        return None if column is None else _finite(self.values[column])

    def measured(self) -> float | None:
        """Return the unit value or mass that the topic speaks of."""
        parts = MEASURES.get(self.topic.measure or "", ())
        values = [self.number(name) or 0.0 for name in parts]
        if len(values) != 2 or not (values[0] > 0 and values[1] > 0):
            return None
        return values[0] / values[1]

    def _code(self, name: str) -> str | None:
        value = self.value(name)
        if name in HS_DIGITS or name == "tariff_code":
            return tariff(value)
        return None if value is None else clean(value)

    def say(self, message: str, **values: Any) -> Evidence:
        """Make evidence about this topic's key."""
        told = message in _OVER_ALL and values.get("n", FEW) > 1
        since = self.since if told else None
        return Evidence(message=message, values=values, key=self.key(), since=since)


def _finite(value: Any) -> float | None:
    """Return a finite float or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def tariff(code: Any) -> str | None:
    """Return a tariff code with its dots: 6403.99.1000."""
    if code is None:
        return None
    text = clean(code)
    parts = [text[:4], text[4:6], text[6:]]
    return ".".join(part for part in parts if part)


def count(value: float) -> int:
    """Return a count as an integer."""
    return round(value)


def evidence_of(facts: Facts) -> Evidence:
    """Return the evidence for a topic of an item."""
    gone = tuple(
        "tariff_code" if name in HS_DIGITS else name
        for name in facts.topic.key
        if facts.value(name) is None
    )
    seen = facts.statistic("n_items") or facts.statistic("inspections")
    if gone and not seen:
        return Evidence(message="key.missing", values={"fields": gone})
    return _BY_FAMILY.get(facts.topic.family, _item)(facts) or _plain(facts)


def with_record(evidence: Evidence, facts: Facts, record: Topic | None) -> Evidence:
    """Return evidence on a declared code with what inspections of that code found."""
    if record is None or facts.lead.statistic != "code":
        return evidence
    of_code = replace(facts, topic=record, lead=record.infos[0])
    if not of_code.statistic("inspections"):
        return evidence
    return replace(evidence, more=evidence_of(of_code))


def closest_peers(facts: Facts, topics: Sequence[Topic]) -> Facts:
    """Return the same facts about closer peers that bear the reason out.

    The model may have met the price in a whole chapter; when at least `MANY_PEERS`
    earlier items of the heading, of the subheading or of one origin deviate to the same
    side, and at least half as far, they are what an officer can check.
    """
    found = facts
    if _closeness(facts.topic):
        for close in _agreeing(facts, topics, MANY_PEERS):
            if _closeness(close.topic) > _closeness(found.topic):
                found = close
    return found


def with_others(evidence: Evidence, facts: Facts, topics: Sequence[Topic]) -> Evidence:
    """Return evidence on a unit value with what else bears it out.

    Where it was set against everybody's, that is the party's own earlier items; where
    it was set against the party's own, everybody's.
    """
    if "typical" not in evidence.values:
        return evidence
    market = bool(_closeness(facts.topic))
    others = [
        other
        for other in _agreeing(facts, topics, OWN_PEERS if market else MANY_PEERS)
        if bool(_closeness(other.topic)) != market
    ]
    if not others:
        return evidence
    best = max(
        others, key=lambda o: (_closeness(o.topic), o.statistic("n_peers") or 0.0)
    )
    told = _peers(best)
    if told is None or "typical" not in told.values:
        return evidence
    values = {name: told.values[name] for name in ("ratio", "typical", "n")}
    few = "_few" if told.message == "peers.few" else ""
    also = Evidence(message=f"peers.also{few}", values=values, key=told.key)
    return replace(evidence, more=also)


def _agreeing(facts: Facts, topics: Sequence[Topic], least: int) -> Iterator[Facts]:
    """Give the facts about at least so many other peers, of the same measure.

    They deviate to the same side as the peers of the facts, and at least half as far.
    """
    here = facts.statistic("deviation")
    if facts.topic.family != "peers" or not here:
        return
    for topic in topics:
        if (topic.family, topic.measure) != ("peers", facts.topic.measure):
            continue
        other = replace(facts, topic=topic)
        deviation, n = other.statistic("deviation"), other.statistic("n_peers")
        if deviation is not None and deviation / here >= 0.5 and (n or 0) >= least:
            yield other


def _closeness(topic: Topic) -> int:
    """Return how closely the key singles out goods; 0 for the peers of one party."""
    if any(name in TRADERS for name in topic.key):
        return 0
    digits = max((HS_DIGITS.get(name, 0) for name in topic.key), default=0)
    return 2 * digits + (len(topic.key) > 1)


def _peers(facts: Facts) -> Evidence | None:
    measure = facts.topic.measure or "unknown"
    deviation, z = facts.statistic("deviation"), facts.statistic("z")
    n = facts.statistic("n_peers")
    if deviation is not None:
        ratio = math.exp(min(max(deviation, -50.0), 50.0))
        here = facts.measured()
        values: dict[str, Any] = {"measure": _with_unit(facts, measure), "ratio": ratio}
        if here is None:  # made from elsewhere: only the ratio is known
            return facts.say("peers.only", **values)
        values |= {"declared": here, "typical": here / ratio}
        if n is None:
            return facts.say("peers.alone", **values)
        total = facts.whole("n_items") or 0.0
        name = "ratio" if n >= MANY_PEERS else "few"
        if n < 1:
            name = "none" if total < 1 else "silent"
        elif name == "ratio" and total > MOSTLY * n:
            name, values["total"] = "part", count(total)
        return facts.say(f"peers.{name}", **values, n=count(n))
    if z is not None:
        return facts.say("peers.z", measure=_with_unit(facts, measure), z=z)
    if ("deviation", None) in facts.topic.place:
        name = "peers.unknown" if facts.measured() is None else "peers.unseen"
        return facts.say(name, measure=_with_unit(facts, measure))
    if n is None:
        return None
    return facts.say("peers.count", measure=_with_unit(facts, measure), n=count(n))


def _with_unit(facts: Facts, measure: str) -> tuple[str, str | None]:
    """Return a measure with the declared unit that it is by."""
    by_unit = MEASURES.get(measure, ("", ""))[1] == "quantity"
    unit = facts.value("quantity_unit") if by_unit else None
    return measure, None if unit is None else clean(unit)


def says_again(evidence: Evidence, other: Evidence) -> bool:
    """Return whether two say the same: alike, or the same figures by another unit."""
    if evidence == other:
        return True
    figures = [
        tuple(round(math.log(e.values[name]), 2) for name in ("declared", "typical"))
        for e in (evidence, other)
        if "typical" in e.values and e.values["typical"] > 0
    ]
    return len(figures) == 2 and figures[0] == figures[1]


def speaks_against(evidence: Evidence, sign: float, base: float) -> bool:
    """Return whether the evidence, read alone, points the other way than its reason.

    A model may lower a score for what it has seen with other things. An officer who
    reads a record worse than usual as a reason to release, or an ordinary value as a
    reason to look, is not helped.
    """
    if evidence.message == "record.some":
        rate = evidence.values["hits"] / max(evidence.values["n"], 1)
        return bool(sign * (rate - base) < 0.0)
    if evidence.message == "record.clean":
        return sign > 0
    ratio = evidence.values.get("ratio")
    if sign > 0 and ratio is not None and evidence.message.startswith("peers."):
        return bool(abs(ratio - 1.0) < ORDINARY)
    return False


def _record(facts: Facts) -> Evidence | None:
    n, hits = facts.statistic("inspections"), facts.statistic("hits")
    recent = facts.lead_value if facts.lead.statistic == "hit_rate" else None
    rate = facts.statistic("hit_rate") if recent is None else recent
    if n is None:
        if hits is not None:
            return facts.say("record.hits", n=count(hits))
        return None if rate is None else facts.say("record.rate", rate=rate)
    if n < 1:
        if rate is None:
            return facts.say("record.unknown")
        return facts.say("record.none", rate=rate)
    if hits is None:
        return facts.say("record.count", n=count(n))
    if hits < 1 and rate is not None:
        clean_record = facts.say("record.clean", n=count(n))
        expected = Evidence(message="record.expected", values={"rate": rate})
        return replace(clean_record, more=expected)
    return facts.say("record.some", hits=count(hits), n=count(n))


def _activity(facts: Facts) -> Evidence | None:
    total, statistic, value = facts.statistic("n_items"), facts.lead, facts.lead_value
    if total is not None and total < 1:
        return facts.say("activity.first")
    name = statistic.statistic
    if value is None:
        return None if total is None else _so_far(facts, total)
    if name in ("n_items", "near_threshold") and facts.days:
        what = "near" if name == "near_threshold" else "recent"
        if value < 1:
            return facts.say(f"activity.none_{what}", days=facts.days)
        return facts.say(f"activity.{what}", n=count(value), days=facts.days)
    if name in ("days_since_last", "days_since_first"):
        return facts.say(f"activity.{_SINCE[name]}", n=count(value))
    if name == "decayed":
        last = facts.whole("days_since_last")
        if last is not None:  # what a weighted count says, in words of the office
            return facts.say("activity.last", n=count(last))
    if name in ("decayed", "items_per_active_day"):
        message = "activity.decayed" if name == "decayed" else "activity.per_day"
        return facts.say(message, value=round(value, 1))
    return _so_far(facts, value) if name == "n_items" else None


_SINCE = {"days_since_last": "last", "days_since_first": "since"}


def _so_far(facts: Facts, n: float) -> Evidence:
    """Say how many earlier consignments there are."""
    name = "activity.few" if n <= FEW else "activity.some"
    return facts.say(name, n=count(n))


def _route(facts: Facts) -> Evidence | None:
    origin, departure = (facts.value(name) for name in ("origin", "departure"))
    n = facts.statistic("n_items")
    if origin is None or departure is None:
        gone = tuple(f for f in ("origin", "departure") if facts.value(f) is None)
        return Evidence(message="item.missing", values={"fields": gone})
    values: dict[str, Any] = {"origin": clean(origin), "departure": clean(departure)}
    if values["origin"] == values["departure"]:
        return Evidence(message="route.same", values={"origin": values["origin"]})
    if n is None:
        return Evidence(message="route.differs_only", values=values)
    name = "route.seldom" if n <= FEW else "route.differs"
    return Evidence(message=name, values=values | {"n": count(n)})


def _tariff(facts: Facts) -> Evidence | None:
    rate = facts.number("duty_rate")
    if rate is None:
        return Evidence(message="item.missing", values={"fields": ("duty_rate",)})
    gap = facts.lead_value
    if gap is None:
        return facts.say("tariff.rate", rate=rate)
    # The matrix may be in single precision; and no rate is minus zero.
    other = max(round(rate - gap, 6), 0.0) + 0.0
    if facts.lead.statistic == "rate_gap":
        return facts.say("tariff.mean", rate=rate, other=other)
    if other >= rate - 1e-6:
        return facts.say("tariff.lowest", rate=rate)
    return facts.say("tariff.cheapest", rate=rate, other=other)


def _item(facts: Facts) -> Evidence | None:
    maker = _BY_STATISTIC.get(facts.lead.statistic)
    return maker(facts) if maker else None


def _near(facts: Facts) -> Evidence | None:
    value, near = facts.number("customs_value"), facts.lead_value
    if value is None or near is None:
        return None
    name = "item.near" if near > 0 else "item.not_near"
    return Evidence(message=name, values={"value": value})


def _round(facts: Facts) -> Evidence | None:
    field = facts.lead.fields[0] if facts.lead.fields else ""
    value, is_round = facts.number(field), facts.lead_value
    if value is None or is_round is None:
        return None
    name = "item.round" if is_round > 0 else "item.not_round"
    return Evidence(message=name, values={"field": field, "value": value})


def _ratio(facts: Facts) -> Evidence | None:
    ratio, fields = facts.lead_value, facts.lead.fields
    gone = tuple(name for name in fields if facts.value(name) is None)
    if ratio is None and gone:
        return Evidence(message="item.missing", values={"fields": gone})
    if ratio is None or len(fields) != 2:
        return None
    values = {"field": fields[0], "ratio": ratio, "other": fields[1]}
    return Evidence(message="item.ratio", values=values)


def _flag(facts: Facts) -> Evidence | None:
    value = facts.lead_value
    if value is None:
        return None
    if facts.lead.name == "trusted_trader":
        return Evidence(
            message="item.trusted" if value > 0 else "item.not_trusted", values={}
        )
    name = "item.flag" if value > 0 else "item.no_flag"
    return Evidence(message=name, values={"feature": facts.lead.name})


def _value(facts: Facts) -> Evidence | None:
    """Say the declared values that a feature of the item alone reads."""
    measure = getattr(facts.lead, "measure", None) or facts.lead.name
    here = replace(facts, topic=replace(facts.topic, measure=measure)).measured()
    if here is not None:
        values = {"measure": _with_unit(facts, measure), "value": here}
        return Evidence(message="item.measure", values=values)
    lodged = facts.value("lodged_at") if facts.lead.fields == ("lodged_at",) else None
    if isinstance(lodged, date):
        values = {"weekday": lodged.weekday()}
        return Evidence(message="item.weekday", values=values)
    return _declared(facts)


def _declared(facts: Facts) -> Evidence | None:
    """List the declared fields of the leading feature with their values."""
    fields = [f for f in facts.lead.fields if f in DECLARATIONS]
    pairs = tuple((field, _shown(facts, field)) for field in fields)
    gone = tuple(field for field in fields if facts.value(field) is None)
    if gone:
        return Evidence(message="item.missing", values={"fields": gone})
    return Evidence(message="item.declared", values={"pairs": pairs}) if pairs else None


def _shown(facts: Facts, field: str) -> Any:
    """Return a declared value fit to be said; None for an identity or a text."""
    if field in PRIVATE:
        return None
    value = facts.value(field)
    if field == "tariff_code":
        return tariff(value)
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if DECLARATIONS[field].kind in ("number", "integer"):
        return _finite(value)
    return None if value is None else clean(value)


def _plain(facts: Facts) -> Evidence:
    """Say a feature by its name: for statistics that have no message of their own."""
    values: dict[str, Any] = {"feature": facts.lead.name}
    if facts.lead_value is None:
        return Evidence(message="item.feature_missing", values=values)
    return Evidence(message="item.feature", values=values | {"value": facts.lead_value})


_BY_FAMILY: Mapping[str, Callable[[Facts], Evidence | None]] = {
    "peers": _peers,
    "record": _record,
    "activity": _activity,
    "route": _route,
    "tariff": _tariff,
}

_BY_STATISTIC: Mapping[str, Callable[[Facts], Evidence | None]] = {
    "near_threshold": _near,
    "is_round": _round,
    "ratio": _ratio,
    "flag": _flag,
    "value": _value,
    "rate": _value,
    "code": _declared,
}
