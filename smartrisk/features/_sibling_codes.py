"""The declared code among its siblings: how usual it is, and what the others pay."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from smartrisk.features._changes import Change
from smartrisk.features._columns import Columns, Int
from smartrisk.features._duty_incentive import RATE_PARTS, rate_parts
from smartrisk.features._feature_info import FeatureInfo
from smartrisk.features._item_results import ItemResults
from smartrisk.features._one_item import OneItem
from smartrisk.features._pasts import find_sums
from smartrisk.features._sorted_items import ItemSums
from smartrisk.features._sum_tables import SumTable, build_table
from smartrisk.features._transformer import DeclarationTransformer, Matrix

#: A code and the heading that holds its siblings.
_LEVELS = ("hs4", "hs6")


class SiblingCodes(DeclarationTransformer):
    """How often a code is declared within its heading, and what its siblings pay.

    Parameters
    ----------
    label_delay : int, default=30
        Not used: codes and rates are known at lodgement. It is here so that all
        transformers accept it.

    Attributes
    ----------
    rated_ : bool
        Whether items declare a duty rate.
    tables_ : dict of str to SumTable
        Items, and sums of their rates (millionths), of headings and codes by day.
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    Siblings are the other HS6 codes of the heading (HS4). ``heading_share`` is the
    share of the heading's earlier items that declared the item's own code;
    ``sibling_gap`` is the mean rate of those that declared a sibling, each as often as
    it was declared, minus the item's rate: above 0 where siblings pay more. NaN where
    there is none.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import SiblingCodes
    >>> world = make_declarations(n_items=200, random_state=0)
    >>> SiblingCodes().fit_transform(world.declarations).shape
    (200, 2)
    """

    def __init__(self, *, label_delay: int = 30) -> None:
        self.label_delay = label_delay

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Add up counts and rates of headings and codes."""
        self.rated_ = "duty_rate" in columns.names
        self.tables_ = {level: self._table(columns, level) for level in _LEVELS}

    def _table(self, columns: Columns, level: str) -> SumTable:
        """Count items, and add up their rates, by code and day."""
        if not self.rated_:
            return build_table(columns, (level,))
        known, parts = rate_parts(columns.number("duty_rate"))
        counted = None if known.all() else known.astype(np.int64)

        def sums(order: Any) -> dict[str, Int | None]:
            """Return the rated items and their rates in an order."""
            rated = None if counted is None else counted[order]
            return {"rated": rated, "rate": parts[order]}

        return build_table(columns, (level,), ItemSums(sums))

    def _extend(self, change: Change) -> None:
        """Add the items that come, and take out those that go."""
        for level, table in self.tables_.items() if change.touches(_LEVELS) else ():
            build = partial(self._table, level=level)
            self.tables_[level] = change.of_items(table, build)

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history by name."""
        return {f"codes.{level}": table for level, table in self.tables_.items()}

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return the codes and the numbers from which the tables are made."""
        return set(_LEVELS), {"duty_rate"} if self.rated_ else set()

    def _describe(self) -> list[FeatureInfo]:
        """Return the share, and the gap where rates are declared."""
        rate = ("duty_rate",) if self.rated_ else ()
        return [
            FeatureInfo(
                name=f"hs6__{statistic}",
                fields=(*fields, "tariff_code"),
                concept="classification",
                statistic=statistic,
                key=("hs4",),
            )
            for statistic, fields in (("heading_share", ()), ("sibling_gap", rate))
            if self.rated_ or statistic == "heading_share"
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Compare the code of an item with earlier codes of its heading."""
        heading, code = (self._past(columns, level) for level in _LEVELS)
        n = heading["n"]
        out[:, 0] = np.where(n > 0, code["n"] / np.maximum(n, 1), np.nan)
        if self.rated_:
            n = heading["rated"] - code["rated"]
            total = heading["rate"] - code["rate"]
            mean = total / (np.maximum(n, 1) * RATE_PARTS)
            gap = mean - columns.number("duty_rate")
            out[:, 1] = np.where(n > 0, gap, np.nan)

    def _compute_one(self, item: OneItem) -> list[float]:
        """Compare the code of a single item with earlier codes of its heading."""
        heading, code = (item.look_up((n,), self.tables_[n]) for n in _LEVELS)
        n = heading.total("n")
        row = [code.total("n") / max(n, 1) if n else np.nan]
        if self.rated_:
            n = heading.total("rated") - code.total("rated")
            total = heading.total("rate") - code.total("rate")
            gap = total / (max(n, 1) * RATE_PARTS) - item.number("duty_rate")
            row.append(gap if n > 0 else np.nan)
        return row

    def _past(self, columns: Columns, level: str) -> dict[str, Int]:
        """Return the sums of earlier items of a level."""
        return find_sums(columns, (level,), self.tables_[level])
