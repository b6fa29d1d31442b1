"""The shares that make up a set of declarations, and hit rates with their counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smartrisk.items import item_keys, join_by_key
from smartrisk.results import Result
from smartrisk.schema import KEY
from smartrisk.worlds._declaration_sets import DeclarationSet, declarations_of

_KOREA = "Korean declarations of 2020 and 2021, Jeong et al. (2022)"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Most frequent names of a group with a row of their own; the rest is "other".
_N_NAMES = 8
#: First digit of a mode of transport (UN/CEFACT Recommendation 19) -> name.
_MODES = {
    "1": "sea",
    "2": "rail",
    "3": "road",
    "4": "air",
    "5": "post",
    "7": "fixed",
    "8": "inland",
    "9": "unknown",
}

#: Fields that a table must have to be described.
_REQUIRED = (*KEY, "lodged_at")
#: Published shares; groups and names as in the table.
_PUBLISHED = {
    ("duty rate", "0 %"): 0.37,
    ("duty rate", "8 %"): 0.235,
    ("duty rate", "6.5 %"): 0.09,
    ("duty rate", "13 %"): 0.064,
    ("duty rate", "3.2 %"): 0.03,
    ("duty rate", "27 %"): 0.019,
    ("origin", "CN"): 0.51,
    ("origin", "JP"): 0.096,
    ("origin", "US"): 0.084,
    ("origin", "KR"): 0.043,
    ("origin", "DE"): 0.038,
    ("origin", "VN"): 0.035,
    ("mode", "sea"): 0.57,
    ("mode", "air"): 0.41,
    ("mode", "post"): 0.016,
    ("weekday", "Mon"): 0.286,
    ("weekday", "Sat"): 0.033,
    ("weekday", "Sun"): 0.02,
}


class Breakdown(Result):
    """Shares by name and hit rates by quarter and office, with their counts.

    Made by `breakdown`.

    Parameters
    ----------
    table : DataFrame
        One row per group and name.

    Examples
    --------
    >>> from smartrisk.datasets import breakdown, make_declarations
    >>> table = breakdown(make_declarations(3_000, random_state=0)).frame()
    >>> float(table.loc[table["group"] == "weekday", "value"].sum().round(6))
    1.0
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table.copy()

    def frame(self) -> pd.DataFrame:
        """Return one row per group and name.

        Returns
        -------
        frame : DataFrame
            group ("duty rate", "origin", "mode", "weekday", "month", "missing", "hit
            rate by quarter", "hit rate by office"), name, value (share or rate, 0-1),
            base (the items or results that it is a share of), published (missing where
            no figure is), source; and ``reference`` and ``reference_base`` where a
            reference was given.
        """
        return self._table.copy()


def breakdown(
    subject: DeclarationSet | pd.DataFrame,
    *,
    reference: DeclarationSet | pd.DataFrame | None = None,
) -> Breakdown:
    """Return the composition of a world or a data set, name by name.

    Use it together with `realism`, which judges one figure per trait: this table has
    all rates of duty, all days of the week, every column with missing values, and the
    hit rate of each quarter and office with the number of results behind it.

    Parameters
    ----------
    subject : World, PublicSet or DataFrame
        The set to describe; a frame of DECLARATIONS has no hit rates.
    reference : World, PublicSet or DataFrame, default=None
        Another set, in separate columns; names that only it has get rows too.

    Returns
    -------
    breakdown : Breakdown
        Shares and rates.

    Raises
    ------
    ArgumentError
        If `subject` or `reference` has no declarations.

    See Also
    --------
    realism : One figure per trait, with bounds and verdicts.

    Notes
    -----
    A hit rate describes inspected items whose result is known, by the quarter in which
    the item was lodged; the last quarters have fewer results because results arrive
    late. It is not a rate of irregularities among all items. Origins and rates beyond
    the eight most frequent of `subject` and the published ones are "other".

    References
    ----------
    Jeong, C., Kim, S., Park, J., Choi, Y. (2022). Customs import declaration
    datasets. arXiv:2208.02484.

    Examples
    --------
    >>> from smartrisk.datasets import breakdown, make_declarations
    >>> table = breakdown(make_declarations(3_000, random_state=0)).frame()
    >>> table.loc[table["group"] == "mode", "name"].head(2).tolist()
    ['sea', 'air']
    """
    items = declarations_of("breakdown", subject, _REQUIRED)
    listed = {group: _list_names(group, names) for group, names in _name_items(items)}
    table = _make_table(subject, items, listed)
    if reference is not None:
        others = declarations_of("breakdown", reference, _REQUIRED)
        other = _make_table(reference, others, listed)
        other = other.rename(columns={"value": "reference", "base": "reference_base"})
        index = ["group", "name"]
        table, other = table.set_index(index), other.set_index(index)
        both = table.index.append(other.index).unique()
        order = {group: place for place, group in enumerate(both.unique("group"))}
        both = both[np.argsort(both.get_level_values(0).map(order), kind="stable")]
        table = pd.concat([table.reindex(both), other.reindex(both)], axis=1)
        table = table.reset_index()
    pairs = list(zip(table["group"], table["name"], strict=True))
    published = [_PUBLISHED.get(pair, np.nan) for pair in pairs]
    table["published"] = pd.Series(published, dtype="float64")
    source = [_KOREA if pair in _PUBLISHED else "" for pair in pairs]
    table["source"] = pd.Series(source, dtype="str")
    return Breakdown(table)


def _name_items(items: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Yield groups with the name of every item in them."""
    if "duty_rate" in items:
        percent = (items["duty_rate"] * 100).round(4)
        yield "duty rate", percent.map("{:g} %".format, na_action="ignore")
    if "origin" in items:
        yield "origin", items["origin"]
    if "transport_mode" in items:
        first = items["transport_mode"].astype("str").str[0]
        known = first.map(_MODES)
        yield "mode", known.mask(known.isna() & first.notna(), "other")
    day = items["lodged_at"].dt.day_of_week
    yield "weekday", day.map(dict(enumerate(_DAYS)))
    yield "month", items["lodged_at"].dt.strftime("%m")


def _list_names(group: str, names: pd.Series) -> list[str]:
    """Return the names of a group that have a row of their own, in order."""
    if group == "weekday":
        return list(_DAYS)
    if group == "month":
        return [f"{month:02d}" for month in range(1, 13)]
    counts = names.value_counts()
    frequent = counts.index[:_N_NAMES].tolist() if group != "mode" else counts.index
    published = [name for place, name in _PUBLISHED if place == group]
    return list(dict.fromkeys([*frequent, *published]))


@dataclass(frozen=True)
class _Row:
    """A share or rate, and the number of items or results that it is of."""

    group: str
    name: str
    value: float
    base: int


def _make_table(
    subject: DeclarationSet | pd.DataFrame,
    items: pd.DataFrame,
    listed: dict[str, list[str]],
) -> pd.DataFrame:
    """Return group, name, value and base."""
    rows: list[_Row] = []
    for group, names in _name_items(items):
        known = names.dropna()
        wanted = listed.get(group) or _list_names(group, names)
        counts = known.where(known.isin(wanted), "other").value_counts()
        rest = [] if group in ("weekday", "month") else ["other"]
        for name in dict.fromkeys([*wanted, *rest]):
            share = counts.get(name, 0) / len(known) if len(known) else np.nan
            rows.append(_Row(group, str(name), float(share), len(known)))
    for column in items:
        share = float(items[column].isna().mean())
        if share > 0:
            rows.append(_Row("missing", str(column), share, len(items)))
    rows += _hit_rates(items, getattr(subject, "outcomes", None))
    return pd.DataFrame(rows, columns=["group", "name", "value", "base"])


def _hit_rates(items: pd.DataFrame, outcomes: pd.DataFrame | None) -> list[_Row]:
    """Return hit rates by quarter of lodgement and by office, with the results."""
    if outcomes is None or not len(outcomes):
        return []
    by = {"quarter": items["lodged_at"].dt.to_period("Q").astype("str")}
    if "office" in items:
        by["office"] = items["office"]
    facts = pd.concat([item_keys(items), pd.DataFrame(by)], axis=1)
    results = join_by_key(outcomes, facts, list(by), how="inner", owner="breakdown")
    return [
        _Row(f"hit rate by {word}", str(name), float(hits.mean()), int(hits.count()))
        for word in by
        for name, hits in results.groupby(word)["illicit"]
    ]
