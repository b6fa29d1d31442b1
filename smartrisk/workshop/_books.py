"""The closed books of a customs house: a period whose results have arrived."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from smartrisk.schema import KEY
from smartrisk.worlds import World

#: Days after which the results of controls have arrived, audits included.
_SETTLED_DAYS = 275


@dataclass(frozen=True, kw_only=True)
class Books:
    """Items of a period, what was decided on them, and what controls found.

    Parameters
    ----------
    items : DataFrame
        DECLARATIONS of the period.
    decisions : DataFrame
        DECISIONS, a row for each item, with the `office` of the item.
    results : DataFrame
        OUTCOMES of the controls, with `selected_by` and `office` of the item.

    Examples
    --------
    >>> import smartrisk as sr
    >>> books = sr.workshop.Lab(8, sr.workshop.Seat(seed=7)).books
    >>> len(books.items) == len(books.decisions) > len(books.results)
    True
    """

    items: pd.DataFrame
    decisions: pd.DataFrame
    results: pd.DataFrame


def close_books(world: World) -> Books:
    """Return the books of the items whose results have all arrived."""
    lodged = world.declarations["lodged_at"]
    last = lodged.max().normalize() - pd.Timedelta(days=_SETTLED_DAYS)
    items = world.declarations[lodged < last]
    key = list(KEY)
    decisions = world.decisions().merge(items[[*key, "office"]], on=key)
    reasons = decisions.loc[
        decisions["selected_by"].notna(), [*key, "selected_by", "office"]
    ]
    results = world.outcomes.merge(reasons, on=key)
    return Books(items=items, decisions=decisions, results=results)
