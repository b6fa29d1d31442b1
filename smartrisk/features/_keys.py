"""Keys of a history: columns, the parent to fall back on, how items find their past."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    check_sequence,
    format_values,
    suggest_nearest,
)
from smartrisk.features._columns import Columns, Float, Int
from smartrisk.schema import DECLARATIONS, DERIVED_COLUMNS, HS_LEVELS
from smartrisk.threads import count_jobs
from smartrisk.windows import GOODS_LINE

T = TypeVar("T")
R = TypeVar("R")

#: Up to this many items the queries are not worth sorting: below it, sorting and
#: threads cost more than the searches that they save.
FEW = 2048


@dataclass(frozen=True)
class Key:
    """Columns whose combination has a history.

    Parameters
    ----------
    columns : tuple of str
        Declaration fields, or hs2, hs4, hs6, hs_section, national_code (tariff codes of
        more than six digits), price_per_kg and price_per_unit (to three significant
        digits). An item with one of them missing has no such history, unless the name
        ends in "?": then missing is a value like any other, and where the whole column
        is absent it is left out of the key.
    parent : str, default=None
        Name of the key whose rate this one is drawn towards while it has few results;
        None for the rate of all items.
    name : str, default=None
        Name in the features; None joins the columns with ``_x_``.
    statistics : tuple of str, default=None
        Statistics to compute, by the ends of their feature names: for `EntityHistory`
        such as ``("n_items__30d", "hit_rate")``, for `PeerPrices` such as
        ``("price_per_kg_z",)``; None for their usual ones.

    Examples
    --------
    >>> from smartrisk.features import Key
    >>> Key(("importer_id", "hs4"), parent="importer_id").label
    'importer_id_x_hs4'
    """

    columns: tuple[str, ...]
    parent: str | None = None
    name: str | None = None
    statistics: tuple[str, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields: a key that was used is stored as a new one."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def label(self) -> str:
        """Name of the key in feature names."""
        return self.name or "_x_".join(self.fields)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Columns of the key by their plain names."""
        return tuple(name.removesuffix("?") for name in self.columns)


#: How the columns of a goods line enter its key: the international code instead of the
#: national one, and missing as a value where offices often leave a column empty.
_IN_GOODS_LINE = {
    "tariff_code": "hs6",
    "departure": "departure?",
    "duty_rate": "duty_rate?",
    "preference": "preference?",
}

#: The key of items that repeat in what makes a goods line.
GOODS_LINE_KEY = Key(
    tuple(_IN_GOODS_LINE.get(name, name) for name in GOODS_LINE),
    parent="hs6_x_origin",
    name="goods_line",
)

#: The keys of figures that a trader repeats: the exact value, and the price per kg to
#: three significant digits, as from a list or a template.
REPEAT_KEYS = (
    Key(("importer_id", "customs_value"), statistics=("n_items",)),
    Key(("consignor_id", "hs6", "price_per_kg"), statistics=("n_items",)),
)

#: The keys with a history by default.
DEFAULT_KEYS = (
    Key(("importer_id",)),
    Key(("declarant_id",)),
    Key(("consignor_id",)),
    Key(("office",)),
    Key(("hs2",)),
    Key(("hs4",), parent="hs2"),
    Key(("hs6",), parent="hs4"),
    Key(("origin",)),
    Key(("importer_id", "hs4"), parent="importer_id"),
    Key(("importer_id", "consignor_id"), parent="importer_id"),
    Key(("hs4", "origin"), parent="hs4"),
    Key(("hs6", "origin"), parent="hs6"),
    Key(("consignor_id", "hs4"), parent="consignor_id"),
    Key(("declarant_id", "consignor_id"), parent="declarant_id"),
    Key(("origin", "departure"), parent="origin"),
    Key(("declarant_id", "office"), parent="declarant_id"),
    GOODS_LINE_KEY,
    Key(
        ("national_code",),
        parent="hs6",
        statistics=("n_items", "days_since_last", "hit_rate"),
    ),
)


def usable_keys(keys: Sequence[Key], columns: Columns) -> tuple[Key, ...]:
    """Return the keys whose columns are present, parents before children."""
    kept = [
        replace(key, columns=tuple(name for name in key.columns if name in columns))
        for key in keys
        if all(name in columns for name in key.columns if not name.endswith("?"))
    ]
    labels = {key.label for key in kept}
    placed: list[Key] = []
    while kept:
        done = {key.label for key in placed}
        ready = [
            k
            for k in kept
            if not k.parent or k.parent in done or k.parent not in labels
        ]
        placed += ready or kept
        kept = [k for k in kept if k not in ready] if ready else []
    return tuple(placed)


def report_absent_keys(
    owner: str, keys: Sequence[Key], usual: Sequence[Key], columns: Columns
) -> None:
    """Raise or warn where keys that were asked for by name lack a column.

    Usual keys are left out without a word where an administration lacks the field.
    """
    derived = {name for name in DERIVED_COLUMNS if name in columns}
    there = {*columns.names, *HS_LEVELS, *derived}
    known = {*DECLARATIONS.names, *HS_LEVELS, *DERIVED_COLUMNS}
    absent = {
        name.removesuffix("?"): key.label
        for key in keys
        if key not in usual
        for name in key.columns
        if name not in there and not (name.endswith("?") and name[:-1] in known | there)
    }
    unknown = [name for name in absent if name not in known]
    if unknown:
        raise ArgumentError(
            "features.key_of_unknown_column",
            "{owner}: the key {key!r} names {columns}, which the items do not "
            "have.{hint} Correct the name, or declare your own column as an own "
            "field.",
            owner=owner,
            key=absent[unknown[0]],
            columns=format_values(unknown),
            hint=suggest_nearest(unknown[0], sorted(there | known)),
        )
    if absent:
        warnings.warn(
            DataQualityWarning(
                "features.keys_left_out",
                "{owner}: keys were left out, because the items lack {columns}. Add "
                "these fields, or leave the keys out.",
                owner=owner,
                columns=format_values(absent),
            ),
            stacklevel=4,
        )


def encode_keys(columns: Columns, keys: Sequence[Key], n_jobs: int | None) -> None:
    """Encode the columns of keys once, before threads share them."""
    names = list(dict.fromkeys(name for key in keys for name in key.columns))
    goods = [name for name in names if name in HS_LEVELS]
    map_parallel(
        lambda part: [columns.base(name) for name in part],
        [goods, *([name] for name in names if name not in goods)],
        1 if columns.n <= FEW else n_jobs,
    )


def check_keys(owner: str, name: str, keys: object) -> None:
    """Raise unless `keys` is a sequence of `Key` that have columns."""
    check_sequence(owner, name, keys, content="Key")
    wrong = [key for key in cast(Sequence[object], keys) if not isinstance(key, Key)]
    if wrong:
        raise ArgumentError(
            "features.not_a_key",
            "{owner}: {name!r} must hold instances of Key; got {entries}. Write "
            "Key(('importer_id',)) for the history of a column.",
            owner=owner,
            name=name,
            entries=format_values(wrong),
        )
    for key in cast(Sequence[Key], keys):
        check_sequence("Key", "columns", key.columns, content="column names")


def depth_levels(keys: Sequence[Key]) -> list[list[int]]:
    """Group key numbers by depth, so that a level needs only earlier levels."""
    place = {key.label: number for number, key in enumerate(keys)}
    depth: list[int] = []
    for key in keys:
        parent = place.get(key.parent) if key.parent else None
        depth.append(0 if parent is None else depth[parent] + 1)
    return [
        [number for number, d in enumerate(depth) if d == level]
        for level in range(max(depth, default=-1) + 1)
    ]


def parents_of(keys: Sequence[Key]) -> set[str]:
    """Return the labels of the keys that others fall back on."""
    labels = {key.label for key in keys}
    return {key.parent for key in keys if key.parent in labels and key.parent}


#: The levels of a tariff code, each the beginning of the one before.
_LEVELS = ("tariff_code", "hs6", "hs4", "hs2")


def determines(key: Key, parent: Key) -> bool:
    """Return whether items of one value of a key share one value of its parent."""
    fields = set(key.fields)
    level = min((_LEVELS.index(name) for name in fields if name in _LEVELS), default=4)
    return fields.union(_LEVELS[level:]).issuperset(parent.fields)


def followers(keys: Sequence[Key]) -> list[bool]:
    """Return which keys draw towards rates that their own values determine."""
    by_label = {key.label: key for key in keys}
    parents = [by_label.get(key.parent) if key.parent else None for key in keys]
    return [
        parent is None or determines(key, parent)
        for key, parent in zip(keys, parents, strict=True)
    ]


def shrink(
    total: NDArray[Any], n: NDArray[Any], prior: Float, strength: float
) -> Float:
    """Return the mean drawn towards a prior worth `strength` observations."""
    mean: Float = (total + strength * prior) / (n + strength)
    return mean


def map_parallel(
    function: Callable[[T], R], work: Sequence[T], n_jobs: int | None
) -> list[R]:
    """Apply a function to each part of the work, in threads when there are several.

    The last parts start first: keys of several columns, which take longest, come last.
    """
    n_threads = min(count_jobs(n_jobs), len(work))
    if n_threads < 2:
        return [function(part) for part in work]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, work[::-1]))[::-1]


@dataclass(frozen=True)
class ByDay:
    """A value for every day from a first one on."""

    first: int
    values: Float


def day_range(columns: Columns) -> Int:
    """Return every day from the first to the last of the items."""
    return np.arange(int(columns.day.min()), int(columns.day.max()) + 1)
