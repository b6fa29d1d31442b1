"""Trade relations: an importer buys goods of a code and an origin from a consignor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from smartrisk.worlds._tariff import Float, Int

#: Kinds of relations: ordinary trade, phoenix importers, parcels that consumers order
#: (each by another of them), parcels that a reseller orders.
ORDINARY, PHOENIX, PARCELS, RESALE = range(4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Relations:
    """Trade relations, one entry each.

    Attributes
    ----------
    kind : array of int
        ORDINARY, PHOENIX, PARCELS or RESALE.
    importer, consignor, declarant : array of int
        The parties; an importer of -1 is another consumer every time.
    code, origin : array of int
        Usual goods.
    size, weight : array of float
        Log factor on the value of an item; weight in trade.
    first, last : array of int
        Earliest day of an item, and the day after the last.
    ring : array of int
        Ring of a phoenix importer, -1 for the others.
    """

    kind: Int
    importer: Int
    consignor: Int
    declarant: Int
    code: Int
    origin: Int
    size: Float
    weight: Float
    first: Int
    last: Int
    ring: Int

    def __len__(self) -> int:
        """Return the number of relations."""
        return len(self.importer)


def join_relations(parts: Sequence[Relations]) -> Relations:
    """Return the relations of several parts as one."""
    return Relations(
        **{
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(Relations)
        }
    )
