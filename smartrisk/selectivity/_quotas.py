"""Groups of items that share a capacity, and how many of each can be controlled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_number, format_values

CONTROLS = ("red", "yellow")


@dataclass(frozen=True)
class Quota:
    """Controls of a group: how many, and how many of them are physical."""

    total: int
    red: int | None = None


def check_capacity(capacity: Any, per: tuple[str, ...]) -> None:
    """Refuse a capacity that makes no sense."""
    if not isinstance(capacity, Mapping):
        _check_amount(capacity)
        return
    if not by_channel(capacity) and not per:
        raise ArgumentError(
            "selectivity.mapping_groups_capacity_needs",
            "Policy: a mapping of groups as 'capacity' needs 'per'; without it "
            "the names are channels, {CONTROLS}.",
            CONTROLS=format_values(CONTROLS),
        )
    for value in capacity.values():
        parts = value.values() if isinstance(value, Mapping) else (value,)
        if isinstance(value, Mapping) and not by_channel(value):
            raise ArgumentError(
                "selectivity.capacity_group_may_name",
                "Policy: 'capacity' of a group may name {CONTROLS}; got {value}.",
                CONTROLS=format_values(CONTROLS),
                value=format_values(list(value)),
            )
        for part in parts:
            if by_channel(capacity):
                _check_amount(part)
            else:
                check_number("Policy", "capacity", part, low=0, integer=True)


def by_channel(capacity: Any) -> bool:
    """Return whether a capacity is one of channels."""
    return (
        isinstance(capacity, Mapping)
        and len(capacity) > 0
        and set(capacity) <= {*CONTROLS}
    )


def _check_amount(capacity: Any) -> None:
    whole = isinstance(capacity, (int, np.integer)) and not isinstance(capacity, bool)
    good = whole and capacity >= 0
    if isinstance(capacity, (float, np.floating)):
        good = bool(0.0 <= capacity <= 1.0)
    if not good:
        raise ArgumentError(
            "selectivity.capacity_share_whole_number",
            "Policy: 'capacity' must be a share in [0, 1] or a whole number "
            "not below 0; got {capacity!r}. To inspect everything pass 1.0.",
            capacity=capacity,
        )


def groups(
    capacity: Any, per: tuple[str, ...], n: int, declarations: pd.DataFrame | None
) -> list[tuple[NDArray[np.intp], Quota]]:
    """Return rows and number of controls of every group."""
    whole = (
        _quota(capacity, n) if not per or not isinstance(capacity, Mapping) else None
    )
    if by_channel(capacity):
        whole = _quota(capacity, n)
    if not per:
        return [(np.arange(n), whole or Quota(0))]
    if declarations is None or len(declarations) != n:
        raise ArgumentError(
            "selectivity.per_needs_declarations_items",
            "Policy: 'per' {per!r} needs the declarations of the {n} items, "
            "aligned with the scores.",
            per=per,
            n=n,
        )
    codes, names = pd.factorize(_labels(declarations, per), sort=True)
    rows = (
        [np.flatnonzero(codes == g) for g in range(len(names))]
        if len(names) < 50
        else _split(codes, len(names))
    )
    if whole is None:
        quotas = [
            _quota(capacity.get(g, 0), len(r)) for g, r in zip(names, rows, strict=True)
        ]
        return list(zip(rows, quotas, strict=True))
    sizes = np.array([len(r) for r in rows], np.int64)
    totals = spread(whole.total, sizes)
    reds: list[int | None] = [None] * len(rows)
    if whole.red is not None:
        reds = list(spread(whole.red, np.asarray(totals)))
    made = [Quota(t, r) for t, r in zip(totals, reds, strict=True)]
    return list(zip(rows, made, strict=True))


def _quota(capacity: Any, n: int) -> Quota:
    """Return the controls that a capacity gives for n items."""
    if isinstance(capacity, Mapping):
        red, yellow = (_count(capacity.get(name, 0), n) for name in CONTROLS)
        total = min(red + yellow, n)
        return Quota(total, min(red, total))
    return Quota(_count(capacity, n))


def _count(capacity: Any, n: int) -> int:
    if isinstance(capacity, (float, np.floating)):
        return min(math.floor(float(capacity) * n + 0.5), n)
    return min(int(capacity), n)


def spread(k: int, sizes: NDArray[np.int64]) -> list[int]:
    """Spread k over groups by size, by the largest remainder; the sum is exact."""
    exact = k * sizes / max(sizes.sum(), 1)
    base = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - base), kind="stable")
    base[order[: k - int(base.sum())]] += 1
    return [int(b) for b in base]


def _split(codes: NDArray[np.intp], n: int) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(1, n))
    return list(np.split(order, edges))


def _labels(declarations: pd.DataFrame, per: tuple[str, ...]) -> Any:
    parts = []
    for name in per:
        if name == "day":
            parts.append(declarations["lodged_at"].dt.strftime("%Y-%m-%d"))
        elif name in declarations:
            parts.append(declarations[name].astype("str").fillna(""))
        else:
            raise TableError(
                "selectivity.per_needs_column_absent",
                "Policy: 'per' needs the column {name!r}; it is absent.",
                name=name,
            )
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + " " + part
    return joined.to_numpy(object)
