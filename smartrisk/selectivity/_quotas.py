"""Groups of items that share a capacity, and how many of each can be controlled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_number, format_values

#: Channels of a control before release: they use capacity.
CONTROLS = ("red", "yellow")
#: Groups up to which one pass per group is faster than sorting the rows once; the
#: order of rows within a group is the same either way.
_FEW_GROUPS = 50

#: A share or number of items; by channel; or by group, each a number or by channel.
Capacity: TypeAlias = "float | int | Mapping[str, Any]"


@dataclass(frozen=True)
class Quota:
    """Controls of a group: how many, and how many of them are physical."""

    total: int
    red: int | None = None


def check_capacity(capacity: Capacity, per: tuple[str, ...]) -> None:
    """Raise unless the capacity is one that `Policy` documents."""
    if not isinstance(capacity, Mapping):
        _check_amount(capacity)
        return
    if not is_by_channel(capacity) and not per:
        raise ArgumentError(
            "selectivity.capacity_needs_per",
            "Policy: a mapping of groups as 'capacity' needs 'per'; without it "
            "the names must be channels: {channels}.",
            channels=format_values(CONTROLS),
        )
    for value in capacity.values():
        parts = value.values() if isinstance(value, Mapping) else (value,)
        if isinstance(value, Mapping) and not is_by_channel(value):
            raise ArgumentError(
                "selectivity.capacity_of_group_unknown_channel",
                "Policy: 'capacity' of a group may name {channels}; got {names}.",
                channels=format_values(CONTROLS),
                names=format_values(list(value)),
            )
        for part in parts:
            if is_by_channel(capacity):
                _check_amount(part)
            else:
                check_number("Policy", "capacity", part, low=0, integer=True)


class _FrozenMapping(Mapping[str, Any]):
    """A mapping that cannot be changed, and that can be pickled and copied."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self._parts = MappingProxyType(parts)

    def __getitem__(self, name: str) -> Any:
        """Return the value under a name."""
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._parts)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._parts)

    def __repr__(self) -> str:
        """Return the mapping as a dictionary shows it."""
        return repr(dict(self._parts))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what `pickle` needs: read-only mappings cannot be pickled."""
        return _FrozenMapping, (dict(self._parts),)


def copy_capacity(capacity: Capacity) -> Capacity:
    """Return a capacity that later changes of the caller's mapping do not reach."""
    if not isinstance(capacity, Mapping):
        return capacity
    parts = {name: copy_capacity(part) for name, part in capacity.items()}
    return _FrozenMapping(parts)


def is_by_channel(capacity: Capacity) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a capacity names channels."""
    return (
        isinstance(capacity, Mapping)
        and len(capacity) > 0
        and set(capacity) <= {*CONTROLS}
    )


def _check_amount(capacity: Any) -> None:
    """Raise unless the capacity is a share or a number of items."""
    whole = isinstance(capacity, (int, np.integer)) and not isinstance(capacity, bool)
    is_valid = whole and capacity >= 0
    if isinstance(capacity, (float, np.floating)):
        is_valid = bool(0.0 <= capacity <= 1.0)
    if not is_valid:
        raise ArgumentError(
            "selectivity.capacity_out_of_range",
            "Policy: 'capacity' must be a share in [0, 1] or a whole number of at "
            "least 0; got {capacity!r}. To inspect every item pass 1.0.",
            capacity=capacity,
        )


@dataclass(frozen=True, eq=False)
class Group:
    """Items that share a quota, as positions."""

    rows: NDArray[np.intp]
    quota: Quota


def make_groups(
    capacity: Capacity,
    per: tuple[str, ...],
    n: int,
    declarations: pd.DataFrame | None,
) -> list[Group]:
    """Return the groups of items and their quotas."""
    by_group = bool(per) and isinstance(capacity, Mapping)
    by_group = by_group and not is_by_channel(capacity)
    whole = Quota(0) if by_group else _make_quota(capacity, n)
    if not per:
        return [Group(np.arange(n), whole)]
    if declarations is None or len(declarations) != n:
        raise ArgumentError(
            "selectivity.per_needs_declarations",
            "Policy: 'per' {per} needs the declarations of the {n} items, "
            "aligned with the scores.",
            per=format_values(per),
            n=n,
        )
    codes, names = _name_groups(declarations, per)
    rows = _rows_by_group(codes, len(names))
    if by_group and isinstance(capacity, Mapping):
        quotas = [
            _make_quota(capacity.get(name, 0), len(part))
            for name, part in zip(names, rows, strict=True)
        ]
    else:
        quotas = _spread_quota(whole, [len(part) for part in rows])
    return [Group(part, quota) for part, quota in zip(rows, quotas, strict=True)]


def _spread_quota(whole: Quota, sizes: list[int]) -> list[Quota]:
    """Return the quota of each group, by the sizes of the groups."""
    totals = spread(whole.total, np.array(sizes, np.int64))
    if whole.red is None:
        return [Quota(total) for total in totals]
    reds = spread(whole.red, np.asarray(totals))
    return [Quota(total, red) for total, red in zip(totals, reds, strict=True)]


def _make_quota(capacity: Capacity, n: int) -> Quota:
    """Return the controls that a capacity gives for n items."""
    if isinstance(capacity, Mapping):
        red, yellow = (_count(capacity.get(name, 0), n) for name in CONTROLS)
        total = min(red + yellow, n)
        return Quota(total, min(red, total))
    return Quota(_count(capacity, n))


def _count(capacity: float, n: int) -> int:
    """Return a share or number as a number of items, halves rounded up."""
    if isinstance(capacity, (float, np.floating)):
        return min(math.floor(float(capacity) * n + 0.5), n)
    return min(int(capacity), n)


def spread(k: int, sizes: NDArray[np.int64]) -> list[int]:
    """Return k spread over groups by size; largest remainders make the sum exact."""
    exact = k * sizes / max(sizes.sum(), 1)
    base = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - base), kind="stable")
    base[order[: k - int(base.sum())]] += 1
    return [int(b) for b in base]


def _rows_by_group(codes: NDArray[np.intp], n: int) -> list[NDArray[np.intp]]:
    """Return the rows of each of n groups."""
    if n < _FEW_GROUPS:
        return [np.flatnonzero(codes == group) for group in range(n)]
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(1, n))
    return list(np.split(order, edges))


def _name_groups(
    declarations: pd.DataFrame, per: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Return the group of each item, -1 without a day, and the sorted names of groups.

    Only values that differ become texts: those of ten million items take gigabytes.
    """
    columns = [_number_values(declarations, name) for name in per]
    numbers = pd.DataFrame({k: own for k, (own, _) in enumerate(columns)})
    group = numbers.groupby(list(numbers), sort=False).ngroup()
    texts = [found for _, found in columns]
    joined = [
        " ".join(part[value] for part, value in zip(texts, values, strict=True))
        if min(values) >= 0
        else None
        for values in numbers.drop_duplicates().itertuples(index=False, name=None)
    ]
    codes, names = pd.factorize(np.array(joined, object), sort=True)
    return codes[group.to_numpy()], names


def _number_values(
    declarations: pd.DataFrame, name: str
) -> tuple[NDArray[np.int32], list[str]]:
    """Return the number of each item's value in a column, and the values as texts."""
    if name == "day":
        days = declarations["lodged_at"].dt.normalize()
        codes, found = pd.factorize(days)
        return codes.astype(np.int32), found.strftime("%Y-%m-%d").tolist()
    if name not in declarations:
        raise TableError(
            "selectivity.per_column_absent",
            "Policy: 'per' needs the column {column!r}, which the declarations do "
            "not have. Add it, or leave it out of 'per'.",
            column=name,
        )
    values = declarations[name]
    if values.dtype == object:  # 1 and True are equal, and have other texts
        values = values.astype("str").fillna("")
    codes, found = pd.factorize(values, use_na_sentinel=False)
    return codes.astype(np.int32), pd.Series(found).astype("str").fillna("").tolist()
