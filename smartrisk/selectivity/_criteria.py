"""Rules as selectivity criteria in the manner of ASYCUDA, and back."""

from __future__ import annotations

import re
from typing import Any

from smartrisk.errors import ArgumentError, format_values
from smartrisk.selectivity._rules import Condition, Rule, RuleSet

#: Names of fields in the criteria. Those of goods and origin are ASYCUDA's; for the
#: others its data model has names that differ by country: replace them where needed.
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
_SIGNS = {"=": "=", "!=": "<>", "in": "IN", "not in": "NOT IN", "starts with": "LIKE"}
_BACK = {sign: operator for operator, sign in _SIGNS.items()}


def to_criteria(rules: RuleSet) -> str:
    """Return rules as criteria text in the manner of ASYCUDA.

    Parameters
    ----------
    rules : RuleSet
        Rules; validity, owner and reason are not part of the text. Reference prices
        come first.

    Returns
    -------
    text : str
        One criteria block per rule.

    Raises
    ------
    ArgumentError
        If a field has no name there.

    Notes
    -----
    The shape is that of published examples; the dialect of an administration differs
    by version and country, so have it checked before it is loaded.

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
    strange = sorted({c.field for r in rules for c in r.when} - set(NAMES))
    if strange:
        raise ArgumentError(
            "selectivity.name_fields",
            "to_criteria: no name for the fields {strange}.",
            strange=format_values(strange),
        )
    prices = "\n".join(f'Reference "{c}" IS {price!r};' for c, price in rules.prices)
    return (prices + "\n\n" if prices else "") + "\n\n".join(
        f'Criteria "{rule.rule_id}";\nIf {_joined(rule)}\n'
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
            "selectivity.cannot_read",
            "from_criteria: cannot read {rest!r}.",
            rest=rest[:60],
        )
    channels = {lane: channel for channel, lane in _LANES.items()}
    rules = []
    for found in _RULE.finditer(text):
        if found["lane"] not in channels:
            raise ArgumentError(
                "selectivity.unknown_lane",
                "from_criteria: unknown lane {lane!r}.",
                lane=found["lane"],
            )
        rules.append(
            Rule(
                rule_id=found["name"],
                when=tuple(_parts(found["when"])),
                channel=channels[found["lane"]],
                rate=round(float(found["rate"]) / 100, 10),
            )
        )
    return RuleSet(rules=tuple(rules), prices=prices)


def _joined(rule: Rule) -> str:
    """Return the conditions of a rule as text."""
    return " and ".join(_told(condition) for condition in rule.when)


def _told(condition: Condition) -> str:
    """Return a condition as text."""
    name, operator, value = NAMES[condition.field], condition.operator, condition.value
    if operator == "missing":
        return f"{name} IS MISSING"
    if operator == "starts with":
        texts = value if isinstance(value, tuple) else (value,)
        starred: Any = tuple(f"{text}*" for text in texts)
        if not isinstance(value, tuple):
            starred = starred[0]
        return f"{name} LIKE {_quoted(starred)}"
    return f"{name} {_SIGNS.get(operator, operator)} {_quoted(value)}"


def _quoted(value: Any) -> str:
    """Return a value as text: lists in parentheses, texts in quotes."""
    if isinstance(value, tuple):
        return f"({', '.join(_quoted(v) for v in value)})"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    text = str(value)
    if any(sign in text for sign in '"()'):
        raise ArgumentError(
            "selectivity.quote_parenthesis",
            "to_criteria: {text!r} holds a quote or a parenthesis.",
            text=text,
        )
    return f'"{text}"'


def _parts(text: str) -> list[Condition]:
    """Return the conditions of a block."""
    out, rest = [], text
    while rest:
        found = _PART.match(rest.strip())
        if found is None or found["field"] not in _FIELD:
            raise ArgumentError(
                "selectivity.cannot_read",
                "from_criteria: cannot read {rest!r}.",
                rest=rest.strip()[:60],
            )
        out.append(_condition(found))
        rest = rest.strip()[found.end() :].strip()
        rest = re.sub(r"^and\s+", "", rest)
    return out


def _condition(found: re.Match[str]) -> Condition:
    """Return one condition."""
    sign = found["op"]
    if sign == "IS MISSING":
        return Condition(field=_FIELD[found["field"]], operator="missing")
    operator = _BACK.get(sign, sign)
    value = _read(found["value"] or "")
    if operator == "starts with":
        texts = value if isinstance(value, tuple) else (value,)
        cut = tuple(str(text).removesuffix("*") for text in texts)
        value = cut if isinstance(value, tuple) else cut[0]
    return Condition(field=_FIELD[found["field"]], operator=operator, value=value)


def _read(text: str) -> Any:
    """Return a value from its text."""
    if text.startswith("("):
        parts = re.findall(r'"[^"]*"|-?[\d.eE+-]+', text)
        return tuple(_read(part) for part in parts)
    if text.startswith('"'):
        return text[1:-1]
    number = float(text)
    return int(number) if number.is_integer() and "." not in text else number
