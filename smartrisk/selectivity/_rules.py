"""Rules that people write and read: conditions, channel, rate, validity, owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_choice, check_number, format_values
from smartrisk.schema import CHANNELS, TableInput
from smartrisk.selectivity._conditions import Condition
from smartrisk.tables import read_table

_DATE = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Conditions that must all hold, and the channel that follows.

    Parameters
    ----------
    rule_id : str
        Name of the rule.
    when : tuple of Condition
        Conditions that must all hold.
    channel : str, default="red"
        Channel of the items that match.
    rate : float, default=1.0
        Share of the matching items that get this channel, a fraction from 0 to 1. They
        are drawn by their key.
    valid_from, valid_to : str, default=""
        First and last day, such as "2026-01-31"; empty for no bound.
    owner : str, default=""
        Who is responsible for the rule.
    reason : str, default=""
        Why the rule exists.

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
    when: tuple[Condition, ...]
    channel: str = "red"
    rate: float = 1.0
    valid_from: str = ""
    valid_to: str = ""
    owner: str = ""
    reason: str = ""

    toml_parts: ClassVar[Mapping[str, type[Any]]] = {"when": Condition}

    def __post_init__(self) -> None:
        if not isinstance(self.when, list | tuple) or not all(
            isinstance(part, Condition | Mapping) for part in self.when
        ):
            raise ArgumentError(
                "selectivity.conditions_not_conditions",
                "Rule: 'when' must be a tuple of Condition; got {when}.",
                when=format_values([self.when]),
            )
        when = [c if isinstance(c, Condition) else Condition(**c) for c in self.when]
        object.__setattr__(self, "when", tuple(when))
        if not str(self.rule_id).strip() or not when:
            raise ArgumentError(
                "selectivity.rule_incomplete",
                "Rule: it needs a 'rule_id' and at least one condition.",
            )
        check_choice("Rule", "channel", self.channel, CHANNELS)
        check_number("Rule", "rate", self.rate, low=0.0, high=1.0)
        for name in ("valid_from", "valid_to"):
            if (day := getattr(self, name)) and not re.fullmatch(_DATE, str(day)):
                raise ArgumentError(
                    "selectivity.rule_day_malformed",
                    "Rule: {name!r} must be a day such as '2026-01-31'; got {day!r}.",
                    name=name,
                    day=str(day),
                )

    def __str__(self) -> str:
        """Return the rule as people read it."""
        conditions = " and ".join(map(str, self.when))
        share = f"{100 * self.rate:.0f} %"
        return f"{self.rule_id}: {conditions} -> {self.channel} ({share})"

    def matches(self, declarations: TableInput) -> NDArray[np.bool_]:
        """Return which items meet all conditions on a day when the rule is valid.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.

        Returns
        -------
        matches : ndarray of bool, shape (n_items,)
            True where all conditions hold, whatever the rate.
        """
        declarations = read_table("Rule.matches", "'declarations'", declarations)
        out = np.ones(len(declarations), bool)
        for condition in self.when:
            out &= condition.holds(declarations)
        day = declarations["lodged_at"].dt.normalize()
        if self.valid_from:
            out &= (day >= pd.Timestamp(self.valid_from)).to_numpy()
        if self.valid_to:
            out &= (day <= pd.Timestamp(self.valid_to)).to_numpy()
        return out
