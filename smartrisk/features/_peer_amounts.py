"""Values and rates that peers make likely, for items that state none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.features._columns import Columns, Float
from smartrisk.features._declaration_features import DeclarationFeatures
from smartrisk.features._transformer import DeclarationTransformer

#: Measures of price, and the amount that each is a price of, the better known first:
#: nearly every item states its mass, and units of a quantity differ.
_PRICES = (("price_per_kg", "net_mass_kg"), ("price_per_unit", "quantity"))
#: Peers of the goods, the nearest first.
_PRICE_LEVELS = ("hs6", "hs4", "hs2")
_RATE_LEVELS = ("hs4", "hs2")


def peer_values(
    features: DeclarationFeatures, items: pd.DataFrame | Mapping[str, Any]
) -> Float:
    """Return the customs value that the prices of earlier peers make likely.

    It is the geometric mean price per kg of earlier items of the same goods, times the
    net mass; per unit and times the quantity where there is no mass.

    Parameters
    ----------
    features : DeclarationFeatures
        Fitted features with peer prices.
    items : DataFrame or mapping of str to sequence
        Canonical DECLARATIONS; their own customs values are not looked at.

    Returns
    -------
    values : ndarray of float64, shape (n_items,)
        National currency; NaN where no peer or no amount is known.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures, peer_values
    >>> items = make_declarations(n_items=500, random_state=0).declarations
    >>> features = DeclarationFeatures(parts=("prices",)).fit(items)
    >>> bool((peer_values(features, items.tail(3)) > 0).all())
    True
    """
    source = _columns_of(items)
    values = np.full(len(source["lodged_at"]), np.nan)
    part = features.parts_.get("prices")
    if part is None:
        return values
    for measure, field in _PRICES:
        place = _find(part, tuple(f"{k}__{measure}_deviation" for k in _PRICE_LEVELS))
        if place is None or field not in source:
            continue
        # At a price of 1 per kg the deviation is minus the log of the peers' price.
        priced = Columns(source | {"customs_value": source[field]})
        below = _column(part, priced, place)
        amounts = priced.number(field)
        for row in np.flatnonzero(np.isnan(values) & np.isfinite(below)):
            values[row] = amounts[row] * math.exp(-below[row])
    return values


def peer_rates(
    features: DeclarationFeatures, items: pd.DataFrame | Mapping[str, Any]
) -> Float:
    """Return the mean duty rate of earlier items under the same heading.

    Parameters
    ----------
    features : DeclarationFeatures
        Fitted features with duty incentives.
    items : DataFrame or mapping of str to sequence
        Canonical DECLARATIONS; their own rates are not looked at.

    Returns
    -------
    rates : ndarray of float64, shape (n_items,)
        Fractions; NaN where no earlier item of the heading or chapter states one.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures, peer_rates
    >>> items = make_declarations(n_items=500, random_state=0).declarations
    >>> features = DeclarationFeatures(parts=("incentive",)).fit(items)
    >>> bool((peer_rates(features, items.tail(3)) >= 0).all())
    True
    """
    source = _columns_of(items)
    n_items = len(source["lodged_at"])
    rates = np.full(n_items, np.nan)
    part = features.parts_.get("incentive")
    if part is None:
        return rates
    free = Columns(source | {"duty_rate": [0.0] * n_items})
    for level in _RATE_LEVELS:
        place = _find(part, (f"{level}__rate_gap",))
        if place is not None:
            rates = np.where(np.isnan(rates), -_column(part, free, place), rates)
    return np.asarray(np.maximum(rates, 0.0))


def _columns_of(items: pd.DataFrame | Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of items by name."""
    if isinstance(items, pd.DataFrame):
        return {str(name): column for name, column in items.items()}
    return dict(items)


def _find(part: DeclarationTransformer, wanted: tuple[str, ...]) -> int | None:
    """Return the position of the first of some features that a part has."""
    names = [info.name for info in part.feature_info_]
    return next((names.index(name) for name in wanted if name in names), None)


def _column(part: DeclarationTransformer, columns: Columns, place: int) -> Float:
    """Return one feature of items."""
    return np.asarray(part._matrix(columns)[:, place], np.float64)
