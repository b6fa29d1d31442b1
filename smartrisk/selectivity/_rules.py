"""Rules that people write and read: conditions, channel, rate, validity, owner."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_choice,
    check_number,
    format_values,
)
from smartrisk.schema import CHANNELS, DECLARATIONS, KEY
from smartrisk.selectivity._random_draws import hashes, lots
from smartrisk.settings import TomlSettings

Bool = NDArray[np.bool_]

#: What a condition may ask.
OPERATORS = ("=", "!=", "in", "not in", "<", "<=", ">", ">=", "starts with", "missing")
#: Fields beside those of DECLARATIONS: value per kg, value per unit of quantity, value
#: per kg relative to the reference price of the code.
DERIVED = ("value_per_kg", "value_per_unit", "price_ratio")
#: The strictest first: where rules differ, the first of these is followed.
PRECEDENCE = ("red", "yellow", "blue", "green")
_DATE = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One thing that must hold of an item.

    Parameters
    ----------
    field : str
        Field of DECLARATIONS, or "value_per_kg", "value_per_unit" or "price_ratio": the
        value per kg relative to the rule set's reference price of the tariff code.
    operator : str
        One of `OPERATORS`. Nothing is equal to, in or above what is missing.
    value : object, default=None
        What is compared with: a text, a number, a list for "in" and "not in"; for
        "starts with" a text or a list of texts.

    Examples
    --------
    >>> from smartrisk.selectivity import Condition
    >>> str(Condition(field="duty_rate", operator=">=", value=0.2))
    'duty_rate >= 0.2'
    """

    field: str
    operator: str
    value: Any = None

    def __post_init__(self) -> None:
        known = [*(f.name for f in DECLARATIONS.fields), *DERIVED]
        check_choice("Condition", "field", self.field, known)
        check_choice("Condition", "operator", self.operator, OPERATORS)
        value = self.value
        if isinstance(value, (list, tuple)):
            value = tuple(value)
            object.__setattr__(self, "value", value)
        wants_list = self.operator in ("in", "not in")
        if wants_list != isinstance(value, tuple) and self.operator != "starts with":
            raise ArgumentError(
                "selectivity.needs_got",
                "Condition: {operator!r} on {field!r} needs {value}; got {value_2!r}.",
                operator=self.operator,
                field=self.field,
                value="a list" if wants_list else "one value",
                value_2=value,
            )
        if self.operator in ("<", "<=", ">", ">="):
            check_number("Condition", "value", value, low=-1e300, high=1e300)

    def __str__(self) -> str:
        if self.operator == "missing":
            return f"{self.field} missing"
        value = self.value
        if not isinstance(value, tuple):
            return f"{self.field} {self.operator} {value!r}"
        more = f" and {len(value) - 5} more" if len(value) > 5 else ""
        return f"{self.field} {self.operator} {list(value[:5])!r}{more}"

    def holds(self, declarations: pd.DataFrame) -> Bool:
        """Return for which items it holds.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.

        Returns
        -------
        holds : ndarray of bool, shape (n_items,)
            False where the field is missing, unless that is what is asked for.

        Raises
        ------
        TableError
            If the field is absent.
        """
        values = _values(declarations, self.field)
        known = values.notna().to_numpy()
        if self.operator == "missing":
            return ~known
        if self.operator in ("in", "=", "not in", "!="):
            wanted = self.value if isinstance(self.value, tuple) else (self.value,)
            inside = values.isin(list(wanted)).to_numpy(bool)
            return inside if self.operator in ("in", "=") else ~inside & known
        if self.operator == "starts with":
            texts = self.value if isinstance(self.value, tuple) else (self.value,)
            text = values.astype("str").fillna("")
            return known & text.str.startswith(tuple(map(str, texts))).to_numpy(bool)
        number = values.to_numpy(np.float64, na_value=np.nan)
        with np.errstate(invalid="ignore"):
            return np.asarray(
                {
                    "<": number < self.value,
                    "<=": number <= self.value,
                    ">": number > self.value,
                    ">=": number >= self.value,
                }[self.operator]
            )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Conditions that must all hold, and what follows.

    Parameters
    ----------
    rule_id : str
        Its name.
    when : tuple of Condition
        All must hold.
    channel : str, default="red"
        Where the items go.
    rate : float, default=1.0
        Share of them that go there, drawn by their key.
    valid_from, valid_to : str, default=""
        First and last day, as "2026-01-31"; empty for no bound.
    owner : str, default=""
        Who answers for it.
    reason : str, default=""
        Why it is there.

    Examples
    --------
    >>> from smartrisk.selectivity import Condition, Rule
    >>> rule = Rule(rule_id="shoes", when=(
    ...     Condition(field="tariff_code", operator="starts with", value="64"),
    ...     Condition(field="origin", operator="=", value="CN")))
    >>> str(rule)
    "shoes: tariff_code starts with '64' and origin = 'CN' -> red (100 %)"
    """

    rule_id: str
    toml_parts: ClassVar[Mapping[str, type[Any]]] = {"when": Condition}

    when: tuple[Condition, ...]
    channel: str = "red"
    rate: float = 1.0
    valid_from: str = ""
    valid_to: str = ""
    owner: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        made = [c if isinstance(c, Condition) else Condition(**c) for c in self.when]
        object.__setattr__(self, "when", tuple(made))
        if not str(self.rule_id).strip() or not made:
            raise ArgumentError(
                "selectivity.needs_rule_id_condition",
                "Rule: it needs a 'rule_id' and at least one condition.",
            )
        check_choice("Rule", "channel", self.channel, CHANNELS)
        check_number("Rule", "rate", self.rate, low=0.0, high=1.0)
        for name in ("valid_from", "valid_to"):
            if (day := getattr(self, name)) and not re.fullmatch(_DATE, str(day)):
                raise ArgumentError(
                    "selectivity.day_got",
                    "Rule: {name!r} must be a day as '2026-01-31'; got {day!r}.",
                    name=name,
                    day=day,
                )

    def __str__(self) -> str:
        told = " and ".join(map(str, self.when))
        return f"{self.rule_id}: {told} -> {self.channel} ({self.rate:.0%})".replace(
            "%)", " %)"
        )

    def matches(self, declarations: pd.DataFrame) -> Bool:
        """Return for which items all conditions hold on a day when the rule is valid.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.

        Returns
        -------
        matches : ndarray of bool, shape (n_items,)
            Whatever the rate.
        """
        out = np.ones(len(declarations), bool)
        for condition in self.when:
            out &= condition.holds(declarations)
        day = declarations["lodged_at"].dt.normalize()
        if self.valid_from:
            out &= (day >= pd.Timestamp(self.valid_from)).to_numpy()
        if self.valid_to:
            out &= (day <= pd.Timestamp(self.valid_to)).to_numpy()
        return out


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RuleDraw:
    """What items draw from rules.

    Parameters
    ----------
    priority : ndarray of shape (n_items,)
        Least draw relative to its rate over the rules that ask for a control: below 1
        a control is asked for; infinite where no rule matches.
    channel : ndarray of str, shape (n_items,)
        Strictest channel that is asked for.
    blue : ndarray of bool, shape (n_items,)
        Asked for after clearance only.
    rule_id : ndarray of str, shape (n_items,)
        Rule that is followed, or None.
    parts : tuple
        Rows and rate of every rule that asks for a control.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import Condition, Rule, RuleSet
    >>> items = make_declarations(500, random_state=0).declarations
    >>> dear = Condition(field="duty_rate", operator=">=", value=0.0)
    >>> rules = RuleSet(rules=(Rule(rule_id="all", when=(dear,), rate=0.5),))
    >>> float(rules.draw(items).chance([1.0] * 500).max())
    0.5
    """

    priority: NDArray[np.float64]
    channel: NDArray[np.object_]
    blue: Bool
    rule_id: NDArray[np.object_]
    parts: tuple[tuple[NDArray[np.intp], float], ...]

    def chance(self, bound: Any) -> NDArray[np.float64]:
        """Return the probability that an item's priority is below a bound.

        Parameters
        ----------
        bound : array-like of shape (n_items,)
            1 where every draw is followed.

        Returns
        -------
        chance : ndarray of shape (n_items,)
            Over the draws of the item itself.
        """
        bound = np.minimum(np.asarray(bound, np.float64), 1.0)
        spared = np.ones(len(bound))
        for rows, rate in self.parts:
            spared[rows] *= 1 - bound[rows] * rate
        return np.asarray(1 - spared)


@dataclass(frozen=True, kw_only=True)
class RuleSet(TomlSettings):
    """Rules that apply together.

    Parameters
    ----------
    rules : tuple of Rule, default=()
        In their order; where several match, the strictest channel is followed.
    prices : mapping of str to float, default=()
        Reference prices: customs value per kg by tariff code, for "price_ratio". It is
        kept as pairs.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import Condition, Rule, RuleSet
    >>> items = make_declarations(500, random_state=0).declarations
    >>> dear = Condition(field="duty_rate", operator=">=", value=0.2)
    >>> rules = RuleSet(rules=(Rule(rule_id="dear", when=(dear,), channel="yellow"),))
    >>> set(rules.decide(items)["channel"]) == {"green", "yellow"}
    True
    """

    rules: tuple[Rule, ...] = ()
    prices: Any = ()

    toml_parts: ClassVar[Mapping[str, type[Any]]] = {"rules": Rule}

    def __post_init__(self) -> None:
        made = tuple(r if isinstance(r, Rule) else Rule(**r) for r in self.rules)
        object.__setattr__(self, "rules", made)
        prices = tuple(sorted((str(c), float(p)) for c, p in dict(self.prices).items()))
        object.__setattr__(self, "prices", prices)
        wrong = [code for code, price in prices if not 0 < price < float("inf")]
        if wrong:
            raise ArgumentError(
                "selectivity.prices_above_those",
                "RuleSet: 'prices' must be above 0; {n_wrong} are not, as those of "
                "{wrong}.",
                n_wrong=len(wrong),
                wrong=format_values(wrong),
            )
        names = [rule.rule_id for rule in made]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ArgumentError(
                "selectivity.names_differ_twice",
                "RuleSet: names must differ; twice: {twice}.",
                twice=format_values(twice),
            )

    def __len__(self) -> int:
        """Return the number of rules."""
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        """Iterate over the rules."""
        return iter(self.rules)

    def decide(
        self, declarations: pd.DataFrame, *, random_state: int = 0
    ) -> pd.DataFrame:
        """Return what the rules decide.

        Parameters
        ----------
        declarations : DataFrame
            DECLARATIONS.
        random_state : int, default=0
            Seed of the rates; an item's lot depends on its key and the rule alone.

        Returns
        -------
        decisions : DataFrame
            DECISIONS: channel, selected_by ("rule" where controlled), propensity (of a
            control before release), rule_id (the rule that was followed).
        """
        made = self.draw(declarations, random_state=random_state)
        n = len(declarations)
        controlled = made.priority < 1
        channel = np.full(n, "green", dtype=object)
        channel[made.blue] = "blue"
        channel[controlled] = made.channel[controlled]
        out = declarations.loc[:, [k for k in KEY if k in declarations]].copy()
        out["channel"] = channel
        by = pd.Series("rule", out.index, dtype="str")
        out["selected_by"] = by.where(pd.Series(controlled, out.index))
        out["propensity"] = made.chance(np.ones(n))
        out["rule_id"] = pd.Series(made.rule_id, out.index, dtype="str")
        return out

    def draw(self, declarations: pd.DataFrame, *, random_state: int = 0) -> RuleDraw:
        """Return what each item draws from the rules, for a policy.

        Parameters
        ----------
        declarations : DataFrame
            DECLARATIONS.
        random_state : int, default=0
            Seed of the rates.

        Returns
        -------
        draw : RuleDraw
            Who is asked for, and how probable that was.
        """
        n = len(declarations)
        best = np.full(n, len(PRECEDENCE) - 1)
        followed = np.full(n, None, dtype=object)
        priority = np.full(n, np.inf)
        parts = []
        declarations = self.priced(declarations)
        for rule in self.rules:
            rows = np.flatnonzero(rule.matches(declarations))
            lot = _lots(declarations.iloc[rows], random_state, rule.rule_id)
            level = PRECEDENCE.index(rule.channel)
            taken = rows[(lot < rule.rate) & (level < best[rows])]
            best[taken] = level
            followed[taken] = rule.rule_id
            if rule.channel in ("red", "yellow") and rule.rate > 0:
                priority[rows] = np.minimum(priority[rows], lot / rule.rate)
                parts.append((rows, rule.rate))
        return RuleDraw(
            priority=priority,
            channel=np.array(PRECEDENCE, dtype=object)[best],
            blue=best == PRECEDENCE.index("blue"),
            rule_id=followed,
            parts=tuple(parts),
        )

    def report(
        self, declarations: pd.DataFrame, outcomes: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Return what each rule covers, where rules conflict, and what they found.

        Parameters
        ----------
        declarations : DataFrame
            DECLARATIONS.
        outcomes : DataFrame, default=None
            OUTCOMES of inspected items, whoever selected them.

        Returns
        -------
        report : DataFrame
            One row per rule: rule_id, channel, n_items, share, n_alone (matched by no
            other rule), n_conflicts (matched by a rule with another channel); with
            outcomes n_known, hits, hit_rate, hit_rate_low, hit_rate_high (Wilson, 95
            %), revenue.
        """
        priced = self.priced(declarations)
        table = np.stack(
            [rule.matches(priced) for rule in self.rules] or [np.zeros(0, bool)]
        )
        found = _found(declarations, outcomes)
        rows = []
        for place, rule in enumerate(self.rules):
            mine = table[place]
            others = np.delete(table, place, axis=0)
            strange = [
                other
                for k, other in enumerate(table)
                if self.rules[k].channel != rule.channel
            ]
            clash = np.any(strange, axis=0) if strange else np.zeros_like(mine)
            row: dict[str, Any] = {
                "rule_id": rule.rule_id,
                "channel": rule.channel,
                "n_items": int(mine.sum()),
                "share": float(mine.mean()) if len(mine) else np.nan,
                "n_alone": int((mine & ~others.any(axis=0)).sum()),
                "n_conflicts": int((mine & clash).sum()),
            }
            if found is not None:
                row |= _performance(mine, *found)
            rows.append(row)
        return pd.DataFrame(rows)

    def priced(self, declarations: pd.DataFrame) -> pd.DataFrame:
        """Return the declarations with their price ratio, where a rule asks for it.

        Parameters
        ----------
        declarations : DataFrame
            DECLARATIONS.

        Returns
        -------
        priced : DataFrame
            With a column ``price_ratio``; as given where no rule asks for it.
        """
        if not any(c.field == "price_ratio" for rule in self.rules for c in rule.when):
            return declarations
        price = declarations["tariff_code"].map(dict(self.prices)).astype(float)
        ratio = _values(declarations, "value_per_kg") / price
        return declarations.assign(price_ratio=ratio)

    def settings(self) -> dict[str, Any]:
        """Return the prices and rules as TOML holds them.

        Returns
        -------
        settings : dict
            "prices" where there are any, and "rules" without their empty texts.
        """
        plain = super().settings()
        rules = [{k: v for k, v in r.items() if v != ""} for r in plain["rules"]]
        prices = {"prices": dict(self.prices)} if self.prices else {}
        return prices | {"rules": rules}


def _values(declarations: pd.DataFrame, field: str) -> pd.Series:
    """Return the values of a field, derived ones among them."""
    parts = {
        "value_per_kg": ("customs_value", "net_mass_kg"),
        "value_per_unit": ("customs_value", "quantity"),
    }.get(field, (field,))
    gone = [name for name in parts if name not in declarations]
    if gone:
        raise TableError(
            "selectivity.column_absent_needs",
            "Rule: the column {gone} is absent; {field!r} needs it.",
            gone=format_values(gone),
            field=field,
        )
    if len(parts) == 1:
        return declarations[field]
    top, below = (declarations[name].astype(float) for name in parts)
    return top / below.where(below > 0)


def _lots(declarations: pd.DataFrame, seed: int, rule: str) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each item, by its key, the seed and the rule."""
    return lots(hashes(declarations, seed + zlib.crc32(rule.encode()) * 2**32))


def _found(
    declarations: pd.DataFrame, outcomes: pd.DataFrame | None
) -> tuple[Any, Any] | None:
    """Return hits (NaN where nothing is known) and revenue of items."""
    if outcomes is None:
        return None
    keys = [k for k in KEY if k in declarations and k in outcomes]
    kept = [*keys, *(c for c in ("illicit", "revenue_adjustment") if c in outcomes)]
    joined = declarations[keys].merge(outcomes[kept], on=keys, how="left")
    revenue = joined.get("revenue_adjustment", pd.Series(0.0, joined.index)).fillna(0.0)
    return joined["illicit"].to_numpy(np.float64, na_value=np.nan), revenue.to_numpy()


def _performance(mine: Bool, hit: Any, revenue: Any) -> dict[str, Any]:
    """Return what was found among the items of a rule that were inspected."""
    known = mine & ~np.isnan(hit)
    n, hits = int(known.sum()), float(hit[known].sum())
    rate = hits / n if n else np.nan
    z = float(norm.ppf(0.975))
    low = high = np.nan
    if n:
        middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(rate * (1 - rate) / n + (z / (2 * n)) ** 2)
        low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return {
        "n_known": n,
        "hits": int(hits),
        "hit_rate": rate,
        "hit_rate_low": low,
        "hit_rate_high": high,
        "revenue": float(revenue[known].sum()),
    }


def performance(
    declarations: pd.DataFrame, mine: Bool, outcomes: pd.DataFrame | None
) -> dict[str, Any]:
    """Return what was found among chosen items that were inspected."""
    found = _found(declarations, outcomes)
    return {} if found is None else _performance(mine, *found)
