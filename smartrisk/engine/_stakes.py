"""What is at stake in an item: the scale of the revenue model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from smartrisk.errors import DataQualityWarning, format_values
from smartrisk.features import DeclarationFeatures, peer_rates, peer_values
from smartrisk.schema import INTERVAL

Float = NDArray[np.float64]

#: Part of the value that is at stake whatever the duty rate: taxes on the value, a duty
#: that the declared code or origin hides, and goods that are not declared at all. With
#: 0 nothing would be at stake where the declared rate is 0.
BASE_RATE = 0.05
#: Ranges of the numbers of a saved engine.
_MOST = 1e300


@dataclass(frozen=True, kw_only=True)
class Stakes:
    """The stake of items: value times (0.05 + duty rate), all of it stated or likely.

    A value that is missing, or not positive, is not a stake of zero: the item takes the
    value that its peers make likely, and the usual one where it has none. So does a
    missing rate.

    Parameters
    ----------
    value : float
        Median customs value of the items that the models learned from.
    rate : float
        Their median duty rate.
    """

    value: float
    rate: float

    def __post_init__(self) -> None:
        for number in (self.value, self.rate):
            if not 0 <= number <= _MOST:
                raise ValueError(f"a stake needs finite numbers from 0; got {number!r}")

    @classmethod
    def learn(cls, items: pd.DataFrame) -> Stakes:
        """Take the medians of items; 1 and 0 where none states a number."""
        value, rate = _numbers(items, "customs_value"), _numbers(items, "duty_rate")
        values, rates = value[value > 0], rate[rate >= 0]
        return cls(
            value=float(np.median(values)) if len(values) else 1.0,
            rate=float(np.median(rates)) if len(rates) else 0.0,
        )

    def of_items(
        self, items: pd.DataFrame | Mapping[str, Any], features: DeclarationFeatures
    ) -> Float:
        """Return the stake of canonical items, 1 where fit had no customs values."""
        fitted = features.feature_names_in_
        if "customs_value" not in fitted:
            return np.ones(len(items["lodged_at"]))
        value = _numbers(items, "customs_value")
        unknown = ~(value > 0)
        if unknown.any():
            likely = peer_values(features, _take(items, unknown))
            value = value.copy()
            value[unknown] = np.where(likely > 0, likely, self.value)
        if "duty_rate" not in fitted:
            return value * (BASE_RATE + self.rate)
        rate = _numbers(items, "duty_rate")
        unknown = ~(rate >= 0)
        if unknown.any():
            likely = peer_rates(features, _take(items, unknown))
            rate = rate.copy()
            rate[unknown] = np.where(np.isfinite(likely), likely, self.rate)
        return np.asarray(value * (BASE_RATE + rate))

    def of_item(self, item: Mapping[str, Any], features: DeclarationFeatures) -> Float:
        """Return the stake of one canonical item as `of_items` does."""
        value, rate = item.get("customs_value"), item.get("duty_rate")
        if _is_positive(value) and _is_positive(rate):  # of nearly all items, quickly
            fitted = features.feature_names_in_
            if "customs_value" in fitted and "duty_rate" in fitted:
                return np.array([value * (BASE_RATE + rate)], np.float64)
        return self.of_items({name: [item[name]] for name in item}, features)

    def to_plain(self) -> dict[str, float]:
        """Return the numbers as plain values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Stakes:
        """Return the stakes that `to_plain` described, or raise a ValueError."""
        if set(plain) != {"value", "rate"}:
            raise ValueError(f"the stakes have the names {sorted(map(str, plain))}")
        for name, number in plain.items():
            if type(number) not in (int, float):
                raise ValueError(f"{name!r} of the stakes is {number!r}")
        return cls(**plain)


def scale_of_items(
    stakes: Stakes | None, items: pd.DataFrame, features: DeclarationFeatures
) -> Float:
    """Return the scale of the revenue model: the stake.

    Engines of earlier versions know no stakes: their scale is the customs value.
    """
    if stakes is not None:
        return stakes.of_items(items, features)
    if "customs_value" not in features.feature_names_in_:
        return np.ones(len(items))
    return items["customs_value"].to_numpy(np.float64)


def scale_of_item(
    stakes: Stakes | None, item: Mapping[str, Any], features: DeclarationFeatures
) -> Float:
    """Return the scale of one canonical item as `scale_of_items` does."""
    if stakes is not None:
        return stakes.of_item(item, features)
    if "customs_value" not in features.feature_names_in_:
        return np.ones(1)
    value = item.get("customs_value")
    return np.array([np.nan if value is None else value], np.float64)


def warn_of_likely_values(
    owner: str, items: pd.DataFrame, features: DeclarationFeatures, *, stacklevel: int
) -> None:
    """Warn of items whose revenue rests on what their peers declared.

    A column that is absent as a whole is not named here: it has a warning of its own.
    """
    for field in ("customs_value", "duty_rate"):
        if field not in items or field not in features.feature_names_in_:
            continue
        numbers = _numbers(items, field)
        unknown = ~(numbers > 0) if field == "customs_value" else ~(numbers >= 0)
        if not unknown.any() or unknown.all():
            continue
        examples = items["declaration_id"].to_numpy()[unknown][:5].tolist()
        warnings.warn(
            DataQualityWarning(
                "engine.values_of_peers",
                "{owner}: {n_unknown} of {n_items} items state no {field}, such as "
                "declaration_id {examples}; their expected revenue rests on what "
                "earlier items of the same goods declared. Complete the column, or "
                "read their expected revenue as a guess.",
                owner=owner,
                n_unknown=int(unknown.sum()),
                n_items=len(items),
                field=repr(field),
                examples=format_values(examples),
            ),
            stacklevel=stacklevel + 1,
        )


def total_interval(classifier: Any, regressor: Any) -> tuple[float, float] | None:
    """Return the factors of a sum of expected revenue between which the truth lies.

    The level of the hit rate, and that of the revenue given a hit, are uncertain by the
    spreads that both models measured between times; None where one of them has not.
    """
    calibration = getattr(classifier, "calibrator_", None)
    spread = getattr(regressor, "spread_", None)
    if calibration is None or spread is None:
        return None
    variance = calibration.variance_intercept + calibration.drift**2 + spread**2
    reach = float(ndtri(0.5 + INTERVAL / 2)) * math.sqrt(variance)
    return math.exp(-reach), math.exp(reach)


def _is_positive(number: Any) -> TypeGuard[float]:
    """Return whether one value is a positive number."""
    return isinstance(number, float) and number > 0 and math.isfinite(number)


def _numbers(items: pd.DataFrame | Mapping[str, Any], name: str) -> Float:
    """Return a column as numbers, NaN where it is missing or absent."""
    if name not in items:
        return np.full(len(items["lodged_at"]), np.nan)
    column = items[name]
    if isinstance(column, pd.Series):
        return column.to_numpy(np.float64, na_value=np.nan)
    return np.array([np.nan if pd.isna(v) else v for v in column], np.float64)


def _take(
    items: pd.DataFrame | Mapping[str, Any], rows: NDArray[np.bool_]
) -> pd.DataFrame | Mapping[str, Any]:
    """Return some items; of a single one, itself."""
    return items[rows] if isinstance(items, pd.DataFrame) else items
