"""Rules as selectivity criteria in the style of ASYCUDA, and back."""

from __future__ import annotations

import re
from typing import Any

from smartrisk.errors import ArgumentError, format_values
from smartrisk.selectivity._conditions import Condition, ConditionValue
from smartrisk.selectivity._rule_sets import RuleSet
from smartrisk.selectivity._rules import Rule

#: Names of fields in the criteria. Those of goods and origin are ASYCUDA's; the names
#: of the others differ by country: replace them where needed.
NAMES = {
    "tariff_code": "ComCod",
    "origin": "CtyOrigCod",
    "departure": "CtyExpCod",
    "importer_id": "CmpConCod",
    "declarant_id": "DecCod",
    "consignor_id": "CmpExpCod",
    "office": "CuoCod",
    "procedure": "ProcCod",
    "preference": "PrefCod",
    "transport_mode": "ModCod",
    "customs_value": "CustVal",
    "net_mass_kg": "NetMass",
    "gross_mass_kg": "GrossMass",
    "quantity": "SupQty",
    "duty_rate": "DutyRate",
    "value_per_kg": "ValPerKg",
    "value_per_unit": "ValPerUnit",
    "price_ratio": "ValPerRef",
    "carrier_id": "CarCod",
    "payment_type": "ModPay",
    "duties_taxes": "TotTax",
}
_LANES = {
    "red": "RedLane",
    "yellow": "YellowLane",
    "blue": "BlueLane",
    "green": "GreenLane",
}
_FIELD = {name: field for field, name in NAMES.items()}
_RULE = re.compile(
    r'Criteria\s+"(?P<name>[^"]+)";\s*If\s+(?P<when>.*?)\s+Then\s+'
    r"(?P<lane>\w+)\s+IS\s+(?P<rate>[\d.]+);\s*Endif;",
    re.DOTALL,
)
_PRICE = re.compile(r'Reference\s+"(?P<code>[^"]+)"\s+IS\s+(?P<price>[\d.eE+-]+);')
_PART = re.compile(
    r"(?P<field>\w+)\s*(?P<op>NOT IN|IN|LIKE|IS MISSING|<>|<=|>=|=|<|>)\s*"
    r'(?P<value>\([^)]*\)|"[^"]*"|-?[\d.eE+-]+)?'
)
#: Characters of a text that an error quotes.
_QUOTED = 60
_NOT_READABLE = (
    "from_criteria: cannot read {text!r}. Write criteria as `to_criteria` does: "
    'Criteria "A"; If CtyOrigCod = "US" Then RedLane IS 50; Endif;'
)
_SIGNS = {"=": "=", "!=": "<>", "in": "IN", "not in": "NOT IN", "starts with": "LIKE"}
_BACK = {sign: operator for operator, sign in _SIGNS.items()}


def to_criteria(rules: RuleSet) -> str:
    """Return rules as criteria text in the style of ASYCUDA.

    Parameters
    ----------
    rules : RuleSet
        Rules; their validity, owner and reason are not part of the text.

    Returns
    -------
    text : str
        Reference prices, then one criteria block per rule.

    Raises
    ------
    ArgumentError
        If the criteria have no name for a field.

    Notes
    -----
    The text follows published examples. Administrations use dialects that differ by
    version and country: have the text checked before it is loaded.

    Examples
    --------
    >>> from smartrisk.selectivity import Condition, Rule, RuleSet, to_criteria
    >>> apples = Condition(field="tariff_code", operator="starts with", value="080810")
    >>> print(to_criteria(RuleSet(rules=(Rule(rule_id="APPLES", when=(apples,)),))))
    Criteria "APPLES";
    If ComCod LIKE "080810*"
    Then RedLane IS 100;
    Endif;
    """
    unnamed = sorted({c.field for r in rules for c in r.when} - set(NAMES))
    if unnamed:
        raise ArgumentError(
            "selectivity.criteria_field_without_name",
            "to_criteria: criteria have no name for the fields {fields}.",
            fields=format_values(unnamed),
        )
    prices = "\n".join(
        f'Reference "{c}" IS {price!r};' for c, price in dict(rules.prices).items()
    )
    return (prices + "\n\n" if prices else "") + "\n\n".join(
        f'Criteria "{rule.rule_id}";\nIf {_conditions_text(rule)}\n'
        f"Then {_LANES[rule.channel]} IS {round(100 * rule.rate, 6):g};\nEndif;"
        for rule in rules
    )


def from_criteria(text: str) -> RuleSet:
    """Read criteria text that `to_criteria` wrote.

    Parameters
    ----------
    text : str
        Criteria blocks.

    Returns
    -------
    rules : RuleSet
        The same rules.

    Raises
    ------
    ArgumentError
        If a part of the text cannot be read; it is quoted.

    Examples
    --------
    >>> from smartrisk.selectivity import from_criteria
    >>> text = 'Criteria "A"; If CtyOrigCod = "US" Then RedLane IS 50; Endif;'
    >>> str(from_criteria(text).rules[0])
    "A: origin = 'US' -> red (50 %)"
    """
    prices = {m["code"]: float(m["price"]) for m in _PRICE.finditer(text)}
    text = _PRICE.sub("", text)
    rest = _RULE.sub("", text).strip()
    if rest:
        raise ArgumentError(
            "selectivity.criteria_not_readable",
            _NOT_READABLE,
            text=rest[:_QUOTED],
        )
    channels = {lane: channel for channel, lane in _LANES.items()}
    rules = []
    for found in _RULE.finditer(text):
        if found["lane"] not in channels:
            raise ArgumentError(
                "selectivity.criteria_unknown_lane",
                "from_criteria: the lane {lane!r} is unknown; known are {known}.",
                lane=found["lane"],
                known=format_values(channels),
            )
        rules.append(
            Rule(
                rule_id=found["name"],
                when=tuple(_read_conditions(found["when"])),
                channel=channels[found["lane"]],
                rate=round(float(found["rate"]) / 100, 10),
            )
        )
    return RuleSet(rules=tuple(rules), prices=prices)


def _conditions_text(rule: Rule) -> str:
    """Return the conditions of a rule as text."""
    return " and ".join(_condition_text(condition) for condition in rule.when)


def _condition_text(condition: Condition) -> str:
    """Return a condition as text."""
    name, operator, value = NAMES[condition.field], condition.operator, condition.value
    if operator == "missing":
        return f"{name} IS MISSING"
    if operator == "starts with":
        texts = value if isinstance(value, tuple) else (value,)
        patterns = tuple(f"{text}*" for text in texts)
        wanted = patterns if isinstance(value, tuple) else patterns[0]
        return f"{name} LIKE {_quote(wanted)}"
    return f"{name} {_SIGNS.get(operator, operator)} {_quote(value)}"


def _quote(value: ConditionValue) -> str:
    """Return a value as text: lists in parentheses, texts in quotes."""
    if isinstance(value, tuple):
        return f"({', '.join(_quote(v) for v in value)})"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    text = str(value)
    if any(sign in text for sign in '"()'):
        raise ArgumentError(
            "selectivity.criteria_text_not_quotable",
            "to_criteria: {text!r} contains a quote or a parenthesis, which criteria "
            "cannot express.",
            text=text,
        )
    return f'"{text}"'


def _read_conditions(text: str) -> list[Condition]:
    """Return the conditions of a block."""
    out, rest = [], text
    while rest:
        found = _PART.match(rest.strip())
        if found is None or found["field"] not in _FIELD:
            raise ArgumentError(
                "selectivity.criteria_not_readable",
                _NOT_READABLE,
                text=rest.strip()[:_QUOTED],
            )
        out.append(_read_condition(found))
        rest = rest.strip()[found.end() :].strip()
        rest = re.sub(r"^and\s+", "", rest)
    return out


def _read_condition(found: re.Match[str]) -> Condition:
    """Return the condition that a part of a block states."""
    sign = found["op"]
    if sign == "IS MISSING":
        return Condition(field=_FIELD[found["field"]], operator="missing")
    operator = _BACK.get(sign, sign)
    value = _read_value(found["value"] or "")
    if operator == "starts with":
        texts = value if isinstance(value, tuple) else (value,)
        cut = tuple(str(text).removesuffix("*") for text in texts)
        value = cut if isinstance(value, tuple) else cut[0]
    return Condition(field=_FIELD[found["field"]], operator=operator, value=value)


def _read_value(text: str) -> Any:
    """Return a value from its text."""
    if text.startswith("("):
        parts = re.findall(r'"[^"]*"|-?[\d.eE+-]+', text)
        return tuple(_read_value(part) for part in parts)
    if text.startswith('"'):
        return text[1:-1]
    number = float(text)
    return int(number) if number.is_integer() and "." not in text else number
