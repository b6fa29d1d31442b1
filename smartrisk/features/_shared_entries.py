"""Tables of the same key: identities, days and counts are in memory once.

History, prices, market and structuring add up the same items by the same keys. Their
entries are equal, and so is the number of items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from smartrisk.features._sum_tables import SumTable

#: The number of items.
COUNT = "n"
#: What is noted in a level that nobody has read, or that a folder has.
_KNOWN = frozenset({"_make", "_kept"})


class Shares(NamedTuple):
    """What a table has from another one of the same key.

    Parameters
    ----------
    owner : SumTable
        Identities and entries are those of this table.
    counted : tuple of str
        Sums that are its number of items.
    more : bool
        Whether there are other sums.
    """

    owner: SumTable
    counted: tuple[str, ...]
    more: bool

    @property
    def layout(self) -> tuple[str, ...]:
        """What the file of the table leaves out."""
        return ("index", *self.counted)


def share_tables(levels: Sequence[SumTable]) -> dict[int, Shares]:
    """Let levels with the same identities and entries have them once.

    Parameters
    ----------
    levels : sequence of SumTable
        Levels of all tables. Those that nobody has read, and those that a folder has
        whole, stay as they are.

    Returns
    -------
    shares : dict of int to Shares
        `id` of a level to what it has from another one.
    """
    present = {id(level) for level in levels}
    owners = {id(vars(level)["_shares"].owner) for level in levels if _shares(level)}
    found: dict[int, Shares] = {}
    alone: dict[tuple[int, ...], list[SumTable]] = {}
    for level in levels:
        known = _shares(level)
        if known is not None and id(known.owner) in present:
            found[id(level)] = known
        elif id(level) not in owners and _KNOWN.isdisjoint(vars(level)):
            kind = len(level.ids), len(level.packed)
            alone.setdefault(kind, []).append(level)
    for group in alone.values():
        group.sort(key=lambda level: len(level.totals))
        while len(group) > 1:
            owner, others, group = group[0], group[1:], []
            for level in others:
                made = _share(level, owner)
                if made is None:
                    group.append(level)
                else:
                    vars(level)["_shares"] = found[id(level)] = made
    return found


def _shares(level: SumTable) -> Shares | None:
    """Return what is noted that a level has from another one."""
    shares: Shares | None = vars(level).get("_shares")
    return shares


def _share(level: SumTable, owner: SumTable) -> Shares | None:
    """Give a level the arrays of an owner that are equal; None where entries differ."""
    if COUNT not in owner.totals or not all(
        own is other or np.array_equal(own, other)
        for own, other in ((level.packed, owner.packed), (level.ids, owner.ids))
    ):
        return None
    count = owner.totals[COUNT]
    equal = [
        name
        for name, total in level.totals.items()
        if total is count or (total[-1] == count[-1] and np.array_equal(total, count))
    ]
    level.ids, level.packed, level.starts = owner.ids, owner.packed, owner.starts
    level.totals = level.totals | dict.fromkeys(equal, count)
    return Shares(owner, tuple(equal), len(equal) < len(level.totals))
