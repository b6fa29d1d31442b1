"""Conditions: what a rule asks of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_choice,
    check_number,
    format_values,
)
from smartrisk.schema import DECLARATIONS, TableInput
from smartrisk.tables import read_table

#: What a condition may ask.
OPERATORS = ("=", "!=", "in", "not in", "<", "<=", ">", ">=", "starts with", "missing")
#: Fields that are the ratio of two fields of DECLARATIONS.
_RATIOS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "value_per_kg": ("customs_value", "net_mass_kg"),
        "value_per_unit": ("customs_value", "quantity"),
    }
)
#: Fields besides those of DECLARATIONS; a rule set computes the price ratio.
DERIVED = (*_RATIOS, "price_ratio")
#: Values listed in the text of a condition; lists of traders can hold thousands.
_MOST_LISTED = 5

#: What a field is compared with.
ConditionValue: TypeAlias = (
    "str | float | bool | tuple[str | float, ...] | list[str | float] | None"
)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition on one field of an item.

    Parameters
    ----------
    field : str
        Field of DECLARATIONS, or "value_per_kg", "value_per_unit" or "price_ratio": the
        value per kg relative to the rule set's reference price of the tariff code.
    operator : str
        One of `OPERATORS`. A missing value is not equal to, in, or above anything.
    value : str, float, or list of these, default=None
        What the field is compared with: a text or a number; a list for "in" and "not
        in"; a text or a list of texts for "starts with"; None for "missing".

    Examples
    --------
    >>> from smartrisk.selectivity import Condition
    >>> str(Condition(field="duty_rate", operator=">=", value=0.2))
    'duty_rate >= 0.2'
    """

    field: str
    operator: str
    value: ConditionValue = None

    def __post_init__(self) -> None:
        known = [*(f.name for f in DECLARATIONS.fields), *DERIVED]
        check_choice("Condition", "field", self.field, known)
        check_choice("Condition", "operator", self.operator, OPERATORS)
        value = self.value
        if isinstance(value, (list, tuple)):
            value = tuple(value)
            object.__setattr__(self, "value", value)
        wants_list = self.operator in ("in", "not in")
        if wants_list and not isinstance(value, tuple):
            raise ArgumentError(
                "selectivity.condition_needs_list",
                "Condition: {operator!r} on {field!r} needs a list; got {value!r}.",
                operator=self.operator,
                field=self.field,
                value=value,
            )
        takes_list = wants_list or self.operator == "starts with"
        if isinstance(value, tuple) and not takes_list:
            raise ArgumentError(
                "selectivity.condition_needs_one_value",
                "Condition: {operator!r} on {field!r} needs one value; got {value!r}.",
                operator=self.operator,
                field=self.field,
                value=list(value),
            )
        if self.operator in ("<", "<=", ">", ">="):
            check_number("Condition", "value", value, low=-1e300, high=1e300)

    def __str__(self) -> str:
        """Return the condition as people read it."""
        if self.operator == "missing":
            return f"{self.field} missing"
        value = self.value
        if not isinstance(value, tuple):
            return f"{self.field} {self.operator} {value!r}"
        rest = len(value) - _MOST_LISTED
        more = f" and {rest} more" if rest > 0 else ""
        return f"{self.field} {self.operator} {list(value[:_MOST_LISTED])!r}{more}"

    def holds(self, declarations: TableInput) -> NDArray[np.bool_]:
        """Return which items meet the condition.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.

        Returns
        -------
        holds : ndarray of bool, shape (n_items,)
            False where the field is missing, unless the operator is "missing".

        Raises
        ------
        TableError
            If the field is absent.
        """
        declarations = read_table("Condition.holds", "'declarations'", declarations)
        values = field_values(declarations, self.field)
        known = values.notna().to_numpy()
        if self.operator == "missing":
            return np.asarray(~known)
        wanted = self.value if isinstance(self.value, tuple) else (self.value,)
        if self.operator in ("in", "=", "not in", "!="):
            inside = values.isin(list(wanted)).to_numpy(bool)
            return inside if self.operator in ("in", "=") else ~inside & known
        if self.operator == "starts with":
            text = values.astype("str").fillna("")
            begins = text.str.startswith(tuple(map(str, wanted))).to_numpy(bool)
            return np.asarray(known & begins)
        return self._compare(values.to_numpy(np.float64, na_value=np.nan))

    def _compare(self, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which numbers lie on the side that the operator asks for."""
        compare = {
            "<": np.less,
            "<=": np.less_equal,
            ">": np.greater,
            ">=": np.greater_equal,
        }[self.operator]
        with np.errstate(invalid="ignore"):
            return np.asarray(compare(numbers, np.float64(self.value)))  # type: ignore[arg-type]


def field_values(declarations: pd.DataFrame, field: str) -> pd.Series:
    """Return the values of a field, computed where it is a ratio of two fields."""
    parts = _RATIOS.get(field, (field,))
    missing = [name for name in parts if name not in declarations]
    if missing:
        raise TableError(
            "selectivity.rule_column_absent",
            "Rule: the column {missing} is absent; {field!r} needs it.",
            missing=format_values(missing),
            field=field,
        )
    if len(parts) == 1:
        return declarations[field]
    top, below = (declarations[name].astype(float) for name in parts)
    return top / below.where(below > 0)
