"""Statistics of enforcement cases and seizures, by the areas of an edition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import (
    ArgumentError,
    check_choice,
    format_values,
    suggest_nearest,
)
from smartrisk.languages import LANGUAGES, N_, catalogue
from smartrisk.results import Result
from smartrisk.schema import CASES, SEIZURES, TableInput
from smartrisk.settings import read_toml
from smartrisk.statistics._definitions import Definition
from smartrisk.statistics._events import check_cases, known_at
from smartrisk.statistics._layout import Layout, make_layout
from smartrisk.statistics._population import MISSING, PERIODS, TOTAL
from smartrisk.tables import read_table
from smartrisk.windows import Moment, read_moment

_OWNER = "cases"
#: Area of goods that the edition does not have, or whose category it does not know.
OTHER = "other"
_GOODS = ("area", "category", "unit")
#: Most fields of the cases that can be crossed.
_MOST_FIELDS = 3
_CONFIRM = N_("to be confirmed")


@dataclass(frozen=True, eq=False, repr=False)
class CaseStatistics(Result):
    """Cases, seizures, quantities and values by area, category and unit.

    Parameters
    ----------
    _table : DataFrame
        The rows of `frame`.
    _checks : DataFrame
        The rows of `reconcile`.
    _by : tuple of str
        Fields of the cases that group them.
    edition : str
        Edition whose areas are used.
    as_of : Timestamp
        Nothing known at this moment or later counts.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import cases
    >>> world = make_declarations(3_000, random_state=0)
    >>> figures = cases(world.cases(), world.seizures())
    >>> figures
    CaseStatistics(5 cases, 8 seizures, ITR-2024, as of 2024-09-26 00:00)
    >>> drugs = figures.frame().query("area == 'drugs' and unit == 'total'")
    >>> drugs[["indicator", "category", "value"]].head(2).values.tolist()
    [['cases', 'CANNABIS', 1.0], ['cases', 'COCAINE', 1.0]]
    """

    _table: pd.DataFrame
    _checks: pd.DataFrame
    _by: tuple[str, ...]
    edition: str
    as_of: pd.Timestamp

    def frame(self) -> pd.DataFrame:
        """Return the figures.

        Returns
        -------
        frame : DataFrame
            ``indicator`` (cases, seizures, quantity, value), ``area``, ``category``,
            ``unit``, the fields of `by` ("total" where all are together), ``value``
            and ``n`` (cases that the value rests on). Quantities have no total over
            categories or units.
        """
        return self._table.copy()

    def definition(self, id: str, lang: str = "en") -> str:
        """Return what an indicator, an area or a category is, as a text.

        Parameters
        ----------
        id : str
            Name of it.
        lang : {"en", "fr", "es"}, default="en"
            Language.

        Returns
        -------
        text : str
            For an area, its categories. What no public text confirms is marked.

        Raises
        ------
        ArgumentError
            If there is nothing of that name.
        """
        check_choice("CaseStatistics.definition", "lang", lang, LANGUAGES)
        content, place = _content(), LANGUAGES.index(lang)
        doubt = f" ({catalogue('pages', lang).gettext(_CONFIRM)})"
        kinds = {
            name: row[1 + place] + ("" if row[4] else doubt)
            for name, row in content["categories"].items()
        }
        if id in _definitions():
            return _definitions()[id].text(lang)
        if id in kinds:
            return str(kinds[id])
        areas = _areas_of(self.edition)
        if id in areas.values():
            parts = [
                kinds[name]
                for name, row in content["categories"].items()
                if areas.get(row[0]) == id
            ]
            sure = _edition(self.edition)["confirmed"]
            name = content["areas"][id][place] + ("" if sure else doubt)
            return f"{name}: {', '.join(parts)}"
        known = [*_definitions(), *areas.values(), *kinds]
        raise ArgumentError(
            "statistics.case_name_unknown",
            "CaseStatistics: there is no indicator, area or category {id!r}.{hint}",
            id=id,
            hint=suggest_nearest(id, known),
        )

    def reconcile(self) -> pd.DataFrame:
        """Return what was left out.

        Returns
        -------
        checks : DataFrame
            ``check`` and ``found``, the number of rows.
        """
        return self._checks.copy()

    def _layout(self) -> Layout:
        """Return what is written to a file."""
        return make_layout(
            self._table,
            (*_GOODS, *self._by),
            _definitions(),
            as_of=self.as_of,
            left_out=self._checks,
            about=("cases", N_("Cases and seizures")),
            facts=((N_("edition of the areas"), self.edition),),
        )

    def __repr__(self) -> str:
        """Return the number of cases and seizures, and the moment."""
        whole = self._table[(self._table[[*_GOODS, *self._by]] == TOTAL).all(axis=1)]
        value = whole.set_index("indicator")["value"]
        return (
            f"CaseStatistics({value['cases']:.0f} cases, {value['seizures']:.0f} "
            f"seizures, {self.edition}, as of {self.as_of:%Y-%m-%d %H:%M})"
        )


def cases(
    cases: TableInput,
    seizures: TableInput,
    *,
    edition: str = "ITR-2024",
    by: Sequence[str] = (),
    as_of: Moment | None = None,
) -> CaseStatistics:
    """Return statistics of cases and seizures by area, category and unit.

    Use it for a table of illicit trade that keeps its meaning when the areas of the
    report change: seizures name categories, and an edition says to which area each
    belongs.

    Parameters
    ----------
    cases : DataFrame
        CASES, one row per case.
    seizures : DataFrame
        SEIZURES, one row per case, category and unit.
    edition : str, default="ITR-2024"
        Edition of the areas: "ITR-2013", "ITR-2015", "ITR-2022", "ITR-2023" or
        "ITR-2024", by the first year it is about.
    by : sequence of str, default=()
        Up to three fields of CASES, or "month", "quarter", "year" of the date.
    as_of : Timestamp, date or str, default=None
        Nothing known at this moment or later counts; None for the midnight after the
        last case became known.

    Returns
    -------
    statistics : CaseStatistics
        ``frame()``, ``definition(id, lang=)``, ``reconcile()``.

    Raises
    ------
    TableError
        If a table lacks a column or a required value, holds texts for dates or repeats
        a key.
    ArgumentError
        If the edition or a field of `by` is unknown.

    Notes
    -----
    An area given by a seizure counts before that of its category. Goods of an area
    that the edition does not have are "other".

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import cases
    >>> world = make_declarations(3_000, random_state=0)
    >>> figures = cases(world.cases(), world.seizures(), by=("year",))
    >>> print(figures.definition("environment"))
    Environment: Endangered species, Ozone-depleting substances, Waste, Timber
    """
    check_choice(_OWNER, "edition", edition, [x["id"] for x in _content()["edition"]])
    happened = read_table(_OWNER, "'cases'", cases)
    taken = read_table(_OWNER, "'seizures'", seizures)
    check_cases(_OWNER, happened, CASES)
    check_cases(_OWNER, taken, SEIZURES)
    known = known_at(happened)
    cut = _cut(as_of, known)
    in_time = (known < cut).to_numpy(bool)
    fields = _read_by(by, happened)
    kept = pd.DataFrame({"case_id": happened["case_id"][in_time].astype(str)})
    for name in fields:
        kept[name] = _labels(happened[in_time], name)
    value = happened.get("value", pd.Series(np.nan, index=happened.index))
    kept["value"] = value[in_time].astype(float)
    rows = taken.assign(case_id=taken["case_id"].astype(str))
    there = rows["case_id"].isin(kept["case_id"])
    known_case = rows["case_id"].isin(happened["case_id"].astype(str))
    rows = rows[there].assign(area=_area_of(rows[there], edition))
    both = rows[["case_id", *_GOODS, "quantity"]].merge(
        kept.drop(columns="value"), on="case_id"
    )
    checks = pd.DataFrame(
        {
            "check": [
                "cases known at the cut or later",
                "cases without a seizure",
                "seizures whose case is not there",
                "seizures of an area that the edition does not have",
            ],
            "found": [
                int((~in_time).sum()),
                int((~kept["case_id"].isin(rows["case_id"])).sum()),
                int((~known_case).sum()),
                int((rows["area"] == OTHER).sum()),
            ],
        }
    )
    table = _make_table(both, kept, fields)
    return CaseStatistics(table, checks, fields, edition, cut)


def _cut(as_of: Moment | None, known: pd.Series) -> pd.Timestamp:
    """Return the moment from which on nothing counts."""
    if as_of is not None:
        return pd.Timestamp(read_moment(_OWNER, "as_of", as_of))
    if not len(known):
        return pd.Timestamp(0)
    return pd.Timestamp(known.max()).normalize() + pd.Timedelta(days=1)


def _read_by(by: Sequence[str], happened: pd.DataFrame) -> tuple[str, ...]:
    """Return the fields of the groups; raise with all that cannot be one."""
    names = (by,) if isinstance(by, str) else tuple(by)
    codes = [x.name for x in CASES if x.kind == "code" and x.name in happened]
    allowed = [*PERIODS, *codes]
    wrong = [name for name in names if name not in allowed]
    if wrong or len(set(names)) < len(names) or len(names) > _MOST_FIELDS:
        raise ArgumentError(
            "statistics.case_groups_unknown",
            "{owner}: 'by' must be up to {most} different codes of CASES or periods; "
            "got {names}, of which {wrong} cannot be one.{hint}",
            owner=_OWNER,
            most=_MOST_FIELDS,
            names=format_values(names),
            wrong=format_values(wrong) if wrong else "repeated or further ones",
            hint=suggest_nearest(wrong[0], allowed) if wrong else "",
        )
    return names


def _labels(happened: pd.DataFrame, name: str) -> pd.Series:
    """Return the group of each case by a field."""
    if name not in PERIODS:
        return happened[name].astype(object).where(happened[name].notna(), MISSING)
    date = happened["date"].dt
    labels = date.strftime("%Y-%m" if name == "month" else "%Y")
    if name == "quarter":
        labels = labels + "-Q" + date.quarter.astype(str)
    return pd.Series(labels)


def _area_of(rows: pd.DataFrame, edition: str) -> np.ndarray:
    """Return the area of each seizure in an edition."""
    kinds = {name: row[0] for name, row in _content()["categories"].items()}
    area = rows["category"].map(kinds).astype(object)
    if "area" in rows:
        area = rows["area"].astype(object).where(rows["area"].notna(), area)
    named = area.map(_areas_of(edition))
    return named.where(named.notna(), OTHER).to_numpy(object)


def _make_table(
    both: pd.DataFrame, kept: pd.DataFrame, by: tuple[str, ...]
) -> pd.DataFrame:
    """Return the rows of all indicators, at every level."""
    goods = [
        (level, unit)
        for level in (("area", "category"), ("area",), ())
        for unit in (("unit",), ())
    ]
    parts: list[pd.DataFrame] = []
    for (level, unit), kept_by in product(goods, _choices(by)):
        names = [*level, *unit, *kept_by]
        groups = both.assign(all=TOTAL).groupby(["all", *names], sort=True)
        count = groups["case_id"].nunique()
        parts.append(_rows("cases", count, count, names, by))
        parts.append(_rows("seizures", groups.size(), count, names, by))
        if len(level) == 2 and unit:
            parts.append(_rows("quantity", groups["quantity"].sum(), count, names, by))
    for kept_by in _choices(by):
        groups = kept.assign(all=TOTAL).groupby(["all", *kept_by], sort=True)
        valued = groups["value"].sum(min_count=1)
        parts.append(_rows("value", valued, groups["value"].count(), kept_by, by))
    table = pd.concat(parts, ignore_index=True)
    rank = {"cases": 0, "seizures": 1, "quantity": 2, "value": 3}
    table["order"] = table["indicator"].map(rank)
    keys = ["order", *_GOODS, *by]
    table = table.sort_values(keys, kind="stable", ignore_index=True)
    texts = ("indicator", *_GOODS, *by)
    return table.drop(columns="order").astype(dict.fromkeys(texts, "str"))


def _choices(by: tuple[str, ...]) -> list[list[str]]:
    """Return every choice of the fields; the others are taken together."""
    masks = product((True, False), repeat=len(by))
    return [[x for x, keep in zip(by, mask, strict=True) if keep] for mask in masks]


def _rows(
    indicator: str,
    value: pd.Series,
    n: pd.Series,
    names: list[str],
    by: tuple[str, ...],
) -> pd.DataFrame:
    """Return the rows of an indicator at one level; a total of nothing is 0."""
    index = value.index.to_frame(index=False)
    rows = {name: index[name] if name in names else TOTAL for name in (*_GOODS, *by)}
    table = pd.DataFrame({"indicator": indicator, **rows}, index=index.index)
    table["value"], table["n"] = value.to_numpy(float), n.to_numpy(np.int64)
    if not names and not len(table):
        whole = dict.fromkeys((*_GOODS, *by), TOTAL)
        row = {"indicator": indicator, **whole, "value": 0.0, "n": 0}
        return pd.DataFrame([row])
    return table


@cache
def _content() -> dict[str, Any]:
    """Return the library's file of editions."""
    place = files("smartrisk.statistics") / "_editions.toml"
    return read_toml(_OWNER, place.read_text(encoding="utf-8"))


def _edition(name: str) -> Mapping[str, Any]:
    """Return an edition."""
    found: Mapping[str, Any] = next(x for x in _content()["edition"] if x["id"] == name)
    return found


def _areas_of(name: str) -> dict[str, str]:
    """Return the area of an edition that each area of goods belongs to."""
    return {
        part: whole for whole in _edition(name)["areas"] for part in whole.split("+")
    }


@cache
def _definitions() -> dict[str, Definition]:
    """Return what the indicators are."""
    content = _content()
    return {
        name: Definition(
            id=name,
            measure="amount",
            numerator=row["numerator"],
            unit=row["unit"],
            anchor="ITR, CEN",
            name=dict(zip(LANGUAGES, row["name"], strict=True)),
            definition=dict(zip(LANGUAGES, row["definition"], strict=True)),
            excludes=content["excludes"],
        )
        for name, row in content["indicators"].items()
    }


__all__ = ["CaseStatistics", "cases"]
