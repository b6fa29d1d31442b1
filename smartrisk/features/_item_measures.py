"""What the item itself declares: measures, ratios, route and codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from smartrisk.errors import check_number
from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._feature_info import (
    OWN_CONCEPT,
    FeatureInfo,
    is_own,
    source_fields,
)
from smartrisk.features._item_results import ItemResults
from smartrisk.features._one_item import OneItem
from smartrisk.features._peer_prices import MEASURES, log_ratio, log_ratio_one
from smartrisk.features._transformer import DeclarationTransformer, Matrix
from smartrisk.items import UInt
from smartrisk.schema import DECLARATIONS

#: Fields that are codes of a short list, and the chapter of the tariff.
_CODES = (
    *(
        f.name
        for f in DECLARATIONS
        if f.kind == "code" and f.name != "tariff_code" and f.in_features
    ),
    "hs2",
)
#: Role of a field -> the customs concept of its code.
_CONCEPTS = {
    "goods": "classification",
    "measure": "quantity",
    "procedure": "procedure",
    "route": "origin and route",
}


def _info(
    name: str, fields: str, concept: str, statistic: str = "value", **rest: Any
) -> FeatureInfo:
    """Describe a feature of the item; fields are separated by blanks."""
    return FeatureInfo(
        name=name,
        fields=tuple(fields.split()),
        concept=concept,
        statistic=statistic,
        **rest,
    )


class ItemMeasures(DeclarationTransformer):
    """Values, masses, rates and ratios of the item alone.

    Parameters
    ----------
    own_fields : tuple of str, default=()
        Numbers that the administration adds, each a feature as it is.

    Attributes
    ----------
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    A value is round when it has at most two significant digits. Zero and missing
    measures give NaN, never infinity.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import ItemMeasures
    >>> world = make_declarations(n_items=100, random_state=0)
    >>> matrix = ItemMeasures().fit_transform(world.declarations)
    >>> matrix.shape[0]
    100
    """

    def __init__(self, own_fields: tuple[str, ...] = ()) -> None:
        self.own_fields = own_fields

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Note which fields are declared."""
        self.names_ = columns.names

    def _describe(self) -> list[FeatureInfo]:
        """Return the measures whose fields are declared."""
        have = set(self.names_)
        infos = [info for info in _MEASURE_INFO if set(info.fields) <= have]
        infos.append(_info("hs6__code", "tariff_code", "classification", "code"))
        infos.append(_info("weekday", "lodged_at", "procedure"))
        own = (name for name in self.own_fields if name in have)
        return infos + [_info(name, name, OWN_CONCEPT) for name in own]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Fill one column for each measure."""
        with np.errstate(over="ignore"):  # 1e300 is infinite there, and was reported
            for number, info in enumerate(self.feature_info_):
                out[:, number] = _measure(info.name, columns)

    def _compute_one(self, item: OneItem) -> list[float]:
        """Return each measure in plain numbers."""
        with np.errstate(over="ignore"):
            return [_measure_one(info.name, item) for info in self.feature_info_]


_MEASURE_INFO = (
    _info("customs_value__log", "customs_value", "valuation"),
    _info("net_mass_kg__log", "net_mass_kg", "quantity"),
    _info("gross_mass_kg__log", "gross_mass_kg", "quantity"),
    _info("quantity__log", "quantity", "quantity"),
    _info("price_per_kg", "customs_value net_mass_kg", "valuation"),
    _info("price_per_unit", "customs_value quantity", "valuation"),
    _info("kg_per_unit", "net_mass_kg quantity", "quantity"),
    _info("gross_to_net", "gross_mass_kg net_mass_kg", "quantity", "ratio"),
    _info("customs_value__is_round", "customs_value", "valuation", "is_round"),
    _info("net_mass_kg__is_round", "net_mass_kg", "quantity", "is_round"),
    _info("duty_rate", "duty_rate", "classification", "rate"),
    _info("duty_at_stake__log", "customs_value duty_rate", "valuation"),
    _info("tax_ratio", "duties_taxes customs_value", "valuation", "ratio"),
    _info("route_differs", "origin departure", "origin and route", "flag"),
    _info("trusted_trader", "trusted_trader", "trader record", "flag"),
)


#: Field -> identity of a code -> its number.
Places: TypeAlias = dict[str, dict[int | None, int]]
#: Distance from a whole number that rounding of floats explains.
_NEAR = 1e-9


def _log_positive(values: Float) -> Float:
    """Return the log of positive values, NaN else."""
    good = values > 0
    return np.where(good, np.log(np.where(good, values, 1.0)), np.nan)


def _ratio(above: Float, below: Float) -> Float:
    """Return a ratio, NaN where the lower part is not positive."""
    good = below > 0
    return np.where(good, above / np.where(good, below, 1.0), np.nan)


def _is_round(values: Float) -> Float:
    """Return 1 where a value has at most two significant digits, NaN if missing."""
    good = values > 0
    safe = np.where(good, values, 1.0)
    step = 10.0 ** (np.floor(np.log10(safe)) - 1.0)
    parts = safe / step
    near = np.abs(parts - np.rint(parts)) < _NEAR
    return np.where(good, near.astype(np.float64), np.nan)


def _measure(name: str, columns: Columns) -> Float:
    """Compute one feature of the item by its name."""
    if name in MEASURES:
        return log_ratio(columns, name)
    if name.endswith("__log") and name != "duty_at_stake__log":
        return _log_positive(columns.number(name.removesuffix("__log")))
    if name.endswith("__is_round"):
        return _is_round(columns.number(name.removesuffix("__is_round")))
    special = _SPECIAL.get(name)
    return special(columns) if special else columns.number(name)


def _measure_one(name: str, item: OneItem) -> float:
    """Compute one feature of a single item, bit-identical to `_measure`."""
    if name in MEASURES:
        return log_ratio_one(item, name)
    if name.endswith("__log") and name != "duty_at_stake__log":
        value = item.number(name.removesuffix("__log"))
        return float(np.log(value)) if value > 0 else np.nan
    if name.endswith("__is_round"):
        return _is_round_one(item.number(name.removesuffix("__is_round")))
    special = _SPECIAL_ONE.get(name)
    return special(item) if special else item.number(name)


def _is_round_one(value: float) -> float:
    """Return what `_is_round` does for a single value."""
    if not value > 0:
        return np.nan
    step = float(np.power(10.0, np.floor(np.log10(value)) - 1.0))
    parts = value / step if step else np.inf
    return float(abs(parts - np.rint(parts)) < _NEAR)


def _ratio_one(above: float, below: float) -> float:
    """Return what `_ratio` does for a single value."""
    return above / below if below > 0 else np.nan


def _differs_one(item: OneItem) -> float:
    """Return what `_differs` does for a single item."""
    origin, departure = item.base("origin"), item.base("departure")
    if origin is None or departure is None:
        return np.nan
    return float(origin != departure)


def _duty_one(item: OneItem) -> float:
    """Return the log of the duty at stake of a single item."""
    value, rate = item.number("customs_value"), item.number("duty_rate")
    return float(np.log1p(np.maximum(value, 0) * np.maximum(rate, 0)))


_SPECIAL_ONE: dict[str, Callable[[OneItem], float]] = {
    "gross_to_net": lambda i: _ratio_one(
        i.number("gross_mass_kg"), i.number("net_mass_kg")
    ),
    "tax_ratio": lambda i: _ratio_one(
        i.number("duties_taxes"), i.number("customs_value")
    ),
    "duty_at_stake__log": _duty_one,
    "route_differs": _differs_one,
    "hs6__code": lambda i: i.tariff(lambda text: float(text[:6])),
    "weekday": lambda i: float(i.day % 7),
}


def _differs(columns: Columns) -> Float:
    """Return 1 where origin and departure differ, NaN where one is missing."""
    (left, left_ids), (right, right_ids) = (
        columns.base("origin"),
        columns.base("departure"),
    )
    if not len(left_ids) or not len(right_ids):
        return np.full(columns.n, np.nan)
    same = left_ids[left] == right_ids[right]
    return np.where((left < 0) | (right < 0), np.nan, (~same).astype(np.float64))


_SPECIAL: dict[str, Callable[[Columns], Float]] = {
    "gross_to_net": lambda c: _ratio(
        c.number("gross_mass_kg"), c.number("net_mass_kg")
    ),
    "tax_ratio": lambda c: _ratio(c.number("duties_taxes"), c.number("customs_value")),
    "duty_at_stake__log": lambda c: np.log1p(
        np.maximum(c.number("customs_value"), 0) * np.maximum(c.number("duty_rate"), 0)
    ),
    "route_differs": _differs,
    "hs6__code": lambda c: c.map_tariff(lambda text: float(text[:6])),
    "weekday": lambda c: (c.day % 7).astype(np.float64),
}


def code_days(columns: Columns, name: str) -> tuple[UInt, Int]:
    """Return the ids of the codes of a field, and the day of the first item of each."""
    codes, ids = columns.base(name)
    first = np.full(len(ids) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, codes, columns.day)
    return ids, first[:-1]


def first_codes(ids: UInt, day: Int, most: int) -> UInt:
    """Return the ids of the codes that appeared first, the earliest first."""
    chosen: UInt = ids[np.lexsort((ids, day))][:most]
    return chosen


def _concept_of_code(name: str) -> str:
    """Return the customs concept of the code of a field."""
    field = source_fields((name,))[0]
    return OWN_CONCEPT if is_own(field) else _CONCEPTS[DECLARATIONS[field].role]


class CodeColumns(DeclarationTransformer):
    """Codes of few values as numbers, for trees that split on sets of them.

    Parameters
    ----------
    max_codes : int, default=120
        Codes kept per column, the first to appear; later ones count as unseen.
    own_fields : tuple of str, default=()
        Codes that the administration adds.
    label_delay : int, default=30
        Not used; kept so that all transformers accept it.

    Attributes
    ----------
    codes_ : dict of str to ndarray of uint64
        Identities of the codes, in the order in which they first appeared.
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    Numbering by first appearance keeps the numbers of the past when items are added.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import CodeColumns
    >>> world = make_declarations(n_items=100, random_state=0)
    >>> bool(CodeColumns().fit_transform(world.declarations).max() < 120)
    True
    """

    def __init__(
        self,
        max_codes: int = 120,
        *,
        own_fields: tuple[str, ...] = (),
        label_delay: int = 30,
    ) -> None:
        self.max_codes = max_codes
        self.own_fields = own_fields
        self.label_delay = label_delay

    def _check_params(self) -> None:
        """Raise unless `max_codes` is an integer of at least 2."""
        super()._check_params()
        check_number(
            type(self).__name__, "max_codes", self.max_codes, low=2, integer=True
        )

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Give the codes of each field numbers, by the day of their first item."""
        self.codes_ = {
            name: self._by_first_day(columns, name)
            for name in (*_CODES, *self.own_fields)
            if name in columns and self._has_values(columns, name)
        }

    def _has_values(self, columns: Columns, name: str) -> bool:
        """Return whether a field holds any value."""
        return len(columns.base(name)[1]) > 0

    def _by_first_day(self, columns: Columns, name: str) -> Any:
        """Return the ids of the first `max_codes` codes, earliest first."""
        return first_codes(*code_days(columns, name), self.max_codes)

    def _describe(self) -> list[FeatureInfo]:
        """Return one categorical feature for each field of codes."""
        return [
            FeatureInfo(
                name=f"{name}__code",
                fields=source_fields((name,)),
                concept=_concept_of_code(name),
                statistic="code",
                categorical=True,
            )
            for name in self.codes_
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Return the number of each code; NaN for codes that were not learned."""
        for number, (name, known) in enumerate(self.codes_.items()):
            codes, ids = columns.base(name)
            if len(ids) == 1:  # sorting the codes takes longer than looking at each
                found = np.flatnonzero(known == ids[0])
                value = found[:1] if len(found) else np.array([np.nan])
            else:
                order = np.argsort(known)
                place = np.searchsorted(known, ids, sorter=order)
                place[place == len(known)] = 0
                found = order[place]
                value = np.where(known[found] == ids, found.astype(np.float64), np.nan)
            out[:, number] = np.append(value, np.nan)[codes]

    def _compute_one(self, item: OneItem) -> list[float]:
        """Return the number of each code of a single item."""
        return [
            float(places.get(item.base(name), np.nan))
            for name, places in self._places().items()
        ]

    def _places(self) -> Places:
        """Return the number of each code by its identity, made once."""
        known, places = vars(self).get("_made_places", (None, {}))
        if known is self.codes_:
            found: Places = places
            return found
        made: Places = {
            name: {identity: n for n, identity in enumerate(ids.tolist())}
            for name, ids in self.codes_.items()
        }
        self._made_places = (self.codes_, made)
        return made
