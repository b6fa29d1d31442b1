"""Evidence on what an item itself declares: values, flags, round figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from smartrisk.explanations._evidence import Evidence
from smartrisk.explanations._facts import Facts
from smartrisk.schema import DECLARATIONS


def item_evidence(facts: Facts) -> Evidence | None:
    """Return evidence on a feature of the item alone, None without a message for it."""
    make = _BY_STATISTIC.get(facts.lead.statistic)
    return make(facts) if make else None


def feature_evidence(facts: Facts) -> Evidence:
    """State a feature by its name: for statistics that have no message of their own."""
    values: dict[str, Any] = {"feature": facts.lead.name}
    if facts.lead_value is None:
        missing = facts.missing_fields(facts.lead.fields)
        if missing:
            return missing_evidence(missing)
        return Evidence(message="item.feature_missing", values=values)
    return Evidence(message="item.feature", values=values | {"value": facts.lead_value})


def missing_evidence(fields: tuple[str, ...]) -> Evidence:
    """State that some fields are not declared."""
    return Evidence(message="item.missing", values={"fields": fields})


def _threshold_evidence(facts: Facts) -> Evidence | None:
    """State whether the value is just below a threshold."""
    value, near = facts.number("customs_value"), facts.lead_value
    if value is None or near is None:
        return None
    message = "item.near" if near > 0 else "item.not_near"
    return Evidence(message=message, values={"value": value})


def _round_figure_evidence(facts: Facts) -> Evidence | None:
    """State whether a figure is round."""
    field = facts.lead.fields[0] if facts.lead.fields else ""
    value, is_round = facts.number(field), facts.lead_value
    if value is None or is_round is None:
        return _declared_evidence(facts)
    message = "item.round" if is_round > 0 else "item.not_round"
    return Evidence(message=message, values={"field": field, "value": value})


def _digits_evidence(facts: Facts) -> Evidence | None:
    """State the trailing zeros of a figure, or its significant digits."""
    field = facts.lead.fields[0] if facts.lead.fields else ""
    value, n = facts.number(field), facts.lead_value
    if value is None or n is None:  # not declared, or zero, which has no digits
        return _declared_evidence(facts)
    if facts.lead.statistic == "significant_digits":
        return Evidence(message="item.digits", values={"field": field, "n": round(n)})
    if n < 1:  # a value with decimals is shown rounded, so it is not shown here
        return Evidence(message="item.no_zeros", values={"field": field})
    values = {"field": field, "value": value, "n": round(n)}
    return Evidence(message="item.zeros", values=values)


def _ratio_evidence(facts: Facts) -> Evidence | None:
    """State the ratio of two fields."""
    ratio, fields = facts.lead_value, facts.lead.fields
    missing = facts.missing_fields(fields)
    if ratio is None and missing:
        return missing_evidence(missing)
    if ratio is None or len(fields) != 2:
        return None
    values = {"field": fields[0], "ratio": ratio, "other": fields[1]}
    return Evidence(message="item.ratio", values=values)


def _flag_evidence(facts: Facts) -> Evidence | None:
    """State whether a flag is set."""
    value = facts.lead_value
    if value is None:
        return None
    if facts.lead.name == "trusted_trader":
        message = "item.trusted" if value > 0 else "item.not_trusted"
        return Evidence(message=message, values={})
    message = "item.flag" if value > 0 else "item.no_flag"
    return Evidence(message=message, values={"feature": facts.lead.name})


def _value_evidence(facts: Facts) -> Evidence | None:
    """State the declared values that a feature of the item alone reads."""
    measure = getattr(facts.lead, "measure", None) or facts.lead.name
    value = facts.measure_value(measure)
    if value is not None:
        values = {"measure": facts.measure_with_unit(measure), "value": value}
        return Evidence(message="item.measure", values=values)
    lodged = facts.value("lodged_at") if facts.lead.fields == ("lodged_at",) else None
    if isinstance(lodged, date):
        values = {"weekday": lodged.weekday()}
        return Evidence(message="item.weekday", values=values)
    return _declared_evidence(facts)


def _declared_evidence(facts: Facts) -> Evidence | None:
    """List the declared fields of the leading feature with their values."""
    own = facts.declared.own_kinds
    fields = tuple(f for f in facts.lead.fields if f in DECLARATIONS or f in own)
    missing = facts.missing_fields(fields)
    if missing:
        return missing_evidence(missing)
    pairs = tuple((field, facts.stated_value(field)) for field in fields)
    return Evidence(message="item.declared", values={"pairs": pairs}) if pairs else None


_BY_STATISTIC: Mapping[str, Callable[[Facts], Evidence | None]] = {
    "near_threshold": _threshold_evidence,
    "is_round": _round_figure_evidence,
    "trailing_zeros": _digits_evidence,
    "significant_digits": _digits_evidence,
    "ratio": _ratio_evidence,
    "flag": _flag_evidence,
    "value": _value_evidence,
    "rate": _value_evidence,
    "code": _declared_evidence,
}
