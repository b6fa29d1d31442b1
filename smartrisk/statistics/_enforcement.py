"""Enforcement statistics: indicators by groups, as of a moment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from smartrisk.errors import (
    ArgumentError,
    check_choice,
    check_number,
    format_values,
    suggest_nearest,
)
from smartrisk.languages import N_
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, HS_LEVELS, TableInput
from smartrisk.statistics._controls import read_controls
from smartrisk.statistics._definitions import Definition, read_definitions
from smartrisk.statistics._events import Events, check_milestones
from smartrisk.statistics._grammar import OWN
from smartrisk.statistics._layout import Layout, make_layout
from smartrisk.statistics._measures import REASONS, Engine, Figures
from smartrisk.statistics._population import PERIODS, TOTAL, Level, Population
from smartrisk.statistics._quantities import Kept
from smartrisk.statistics._reading import OWNER, Cut, Reading, moments_of, read_items
from smartrisk.tables import read_table
from smartrisk.windows import Moment, read_moment

_NUMBERS = ("numerator", "denominator", "value", "low", "high")
#: Figures whose groups add up to their total.
_ADDITIVE = ("amount", "share", "ratio", "split")
#: Most fields that can be crossed: each doubles the number of tables with totals.
_MOST_FIELDS = 4
#: Days in the name of a length of time.
AGE = "90D"


@dataclass(frozen=True, eq=False, repr=False)
class EnforcementStatistics(Result):
    """Indicators of a period by groups, with totals, as of a moment.

    Parameters
    ----------
    _table : DataFrame
        The rows of `frame`.
    _checks : DataFrame
        The rows of `reconcile`.
    _definitions : dict of str to Definition
        What each indicator is.
    _by : tuple of str
        Fields of the groups.
    as_of : Timestamp
        Nothing known at this moment or later counts.
    _kept : Kept
        The units, for `publish`; they are not saved with the result.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import enforcement
    >>> world = make_declarations(2_000, random_state=0)
    >>> figures = enforcement(world.declarations, world.outcomes, world.decisions())
    >>> total = figures.frame().query("month == 'total' and office == 'total'")
    >>> total.set_index("indicator").loc["control_rate", "numerator"] > 0
    np.True_
    """

    _table: pd.DataFrame
    _checks: pd.DataFrame
    _definitions: dict[str, Definition]
    _by: tuple[str, ...]
    as_of: pd.Timestamp
    _kept: Kept

    @property
    def by(self) -> tuple[str, ...]:
        """Fields of the groups."""
        return self._by

    @property
    def definitions(self) -> dict[str, Definition]:
        """What each indicator is, by id; its `unit` is the one that was counted."""
        units = self._table.drop_duplicates("indicator").set_index("indicator")["unit"]
        return {
            name: replace(one, unit=str(units[name]))
            for name, one in self._definitions.items()
        }

    def frame(self) -> pd.DataFrame:
        """Return the figures.

        Returns
        -------
        frame : DataFrame
            One row per indicator, part and group: ``indicator``, ``part``, the fields
            of `by` ("total" where all are together), ``unit``, ``numerator``,
            ``denominator``, ``value``, ``low`` and ``high`` (95 %), ``n`` (units that
            the value rests on), ``pending`` (controls without a result that counts)
            and ``reason``, why there is no value. An indicator whose input is not
            there has one row.
        """
        return self._table.copy()

    def definition(self, id: str, lang: str = "en") -> str:
        """Return what an indicator is, as a text.

        Parameters
        ----------
        id : str
            Name of the indicator.
        lang : {"en", "fr", "es"}, default="en"
            Language.

        Returns
        -------
        text : str
            Name, definition, numerator, denominator, unit, what is left out and the
            public anchor.

        Raises
        ------
        ArgumentError
            If there is no such indicator.
        """
        if id not in self._definitions:
            raise ArgumentError(
                "statistics.indicator_unknown",
                "EnforcementStatistics: there is no indicator {id!r}.{hint}",
                id=id,
                hint=suggest_nearest(id, list(self._definitions)),
            )
        return self.definitions[id].text(lang)

    def reconcile(self) -> pd.DataFrame:
        """Return what was left out, and whether parts add up to their totals.

        Returns
        -------
        checks : DataFrame
            ``check``, ``expected``, ``found`` and ``difference``. For rows that were
            left out, ``found`` is their number and nothing is expected. Months that
            are open are in no total.
        """
        return self._checks.copy()

    def variation(self, indicator: str) -> pd.DataFrame:
        """Return the change of an indicator from one period to the next.

        Parameters
        ----------
        indicator : str
            Name of the indicator.

        Returns
        -------
        frame : DataFrame
            Rows of the indicator by period, with ``before`` and ``variation``: the
            difference as a part of the value before. It is missing where that is 0 or
            missing, as in open months: periods are compared at equal age.

        Raises
        ------
        ArgumentError
            If there is no such indicator, or no period among the groups.
        """
        self.definition(indicator)
        periods = [name for name in self._by if name in PERIODS]
        if len(periods) != 1:
            raise ArgumentError(
                "statistics.no_period",
                "EnforcementStatistics.variation: the groups {by} hold no one period. "
                "Group by 'month', 'quarter' or 'year'.",
                by=format_values(self._by),
            )
        table = self._table[self._table["indicator"] == indicator]
        table = table[table[periods[0]] != TOTAL].copy()
        others = ["part", *(name for name in self._by if name not in periods)]
        table = table.sort_values([*others, periods[0]], kind="stable")
        table["before"] = table.groupby(others, sort=False)["value"].shift()
        base = table["before"].where(table["before"] != 0)
        table["variation"] = (table["value"] - base) / base
        return table.reset_index(drop=True)

    def _layout(self) -> Layout:
        """Return what is written to a file."""
        return make_layout(
            self._table,
            self._by,
            self._definitions,
            as_of=self.as_of,
            left_out=self._checks,
            about=("enforcement", N_("Enforcement statistics")),
            facts=(),
        )

    def __repr__(self) -> str:
        """Return the number of indicators, the groups and the moment."""
        n = self._table["indicator"].nunique()
        return (
            f"EnforcementStatistics({n} indicators by {', '.join(self._by) or 'all'}, "
            f"as of {self.as_of:%Y-%m-%d %H:%M})"
        )


def enforcement(
    declarations: TableInput,
    outcomes: TableInput | None,
    decisions: TableInput | None = None,
    *,
    milestones: TableInput | None = None,
    overrides: TableInput | None = None,
    cases: TableInput | None = None,
    as_of: Moment | None = None,
    by: Sequence[str] = ("month", "office"),
    unit: str = "declaration",
    age: str | None = AGE,
    label_delay: int = 30,
    definitions: str | os.PathLike[str] | None = None,
) -> EnforcementStatistics:
    """Return enforcement statistics: indicators by groups, as of a moment.

    Use it for figures that another administration can compare with its own: each
    indicator carries its definition, its interval, the number of units it rests on and
    the controls that are still pending. Definitions are ours, with public anchors.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS; only those whose `status`, where there is one, is "valid" count.
    outcomes : DataFrame or None
        OUTCOMES of controlled items.
    decisions : DataFrame, default=None
        DECISIONS. A control is a decision for another lane than green; without
        decisions it is a result.
    milestones : DataFrame, default=None
        MILESTONES, for release times, cancellations and audits.
    overrides : DataFrame, default=None
        Key and the ``channel`` that an officer chose instead; ``decided_at`` where it
        is known.
    cases : DataFrame, default=None
        CASES, for the controls that ended in a seizure.
    as_of : Timestamp, date or str, default=None
        Nothing known at this moment or later counts; None for the midnight after the
        last lodgement.
    by : sequence of str, default=("month", "office")
        Fields to cross, at most four: "month", "quarter" or "year" of lodgement,
        fields of DECLARATIONS, "hs2", "hs4", "hs6". Every total is included.
    unit : {"declaration", "item"}, default="declaration"
        What is counted. Estimates from the random draw count items, since items are
        drawn; audits count declarations.
    age : str, default="90D"
        Results of a month count until so long after its end, and later months are
        open, so that months are compared at equal age. None for all that is known.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing; a control
        without a result after it is unresolved.
    definitions : path or str, default=None
        TOML with a country's indicators, as `read_definitions` takes it.

    Returns
    -------
    statistics : EnforcementStatistics
        ``frame()``, ``definition(id, lang=)``, ``reconcile()``, ``variation(id)``.

    Raises
    ------
    TableError
        If a table lacks a column, repeats a key or holds texts for dates.
    ArgumentError
        If an argument is outside what is allowed, or a code is unknown.

    See Also
    --------
    read_definitions : The definitions, and how a country writes its own.

    Notes
    -----
    A declaration has a result when all its controlled items have one. It is random
    only if all its controlled items are; otherwise it belongs to the first of
    mandatory, rule, model and manual. Its group is that of its first item: count items
    where you group by goods or origin. Amounts are added in hundredths, so that the
    order of rows changes nothing.

    `hit_rate_random` weights random controls by the inverse of `draw_probability`;
    where no decision has it, it is the share of the eligible items that were drawn, by
    office and month. `non_compliance` adds items that were claimed before the draw as
    strata of their own. Random and targeted controls are never mixed.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22.

    Kish, L. (1965). Survey Sampling. Wiley.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import enforcement
    >>> world = make_declarations(2_000, random_state=0)
    >>> figures = enforcement(
    ...     world.declarations, world.outcomes, world.decisions(), by=("office",)
    ... )
    >>> print(figures.definition("control_rate").splitlines()[1])
    numerator: count where controlled
    """
    check_choice(OWNER, "unit", unit, ("declaration", "item"))
    check_number(OWNER, "label_delay", label_delay, low=0, integer=True)
    known = read_definitions(definitions)
    items = read_table(OWNER, "'declarations'", declarations)
    events = read_table(OWNER, "'milestones'", milestones)
    if events is not None:
        check_milestones(events)
    cut = Cut(
        as_of=_read_as_of(as_of, items), age=_read_age(age), label_delay=label_delay
    )
    groups = _read_by(by, items)
    # A copy without data: columns that the caller replaces later do not reach it.
    reading = read_items(items.copy(deep=False), events, cut)
    controls = read_controls(
        reading,
        read_table(OWNER, "'outcomes'", outcomes),
        read_table(OWNER, "'decisions'", decisions),
        read_table(OWNER, "'overrides'", overrides),
        cut,
    )
    happened = Events(reading, events)
    happened.add_cases(reading, read_table(OWNER, "'cases'", cases))
    populations = {
        name: Population(name, reading, controls, happened, groups)
        for name in ("item", "declaration")
    }
    populations["asked"] = populations[unit]
    engine = Engine(populations, known)
    table = _make_table(engine, known, groups)
    return EnforcementStatistics(
        table,
        _make_checks(table, known, groups, reading),
        known,
        groups,
        pd.Timestamp(cut.as_of),
        Kept(engine, reading, known, groups),
    )


def _read_as_of(as_of: Moment | None, declarations: pd.DataFrame) -> np.datetime64:
    """Return the moment from which on nothing counts."""
    if as_of is not None:
        at = read_moment(OWNER, "as_of", as_of)
    elif "lodged_at" not in declarations or not len(declarations):
        at = pd.Timestamp(0)
    else:
        last = moments_of("DECLARATIONS", declarations, "lodged_at").max()
        at = pd.Timestamp(last).normalize() + pd.Timedelta(days=1)
    moment: np.datetime64 = at.as_unit("us").to_datetime64()
    return moment


def _read_age(age: str | None) -> np.timedelta64 | None:
    """Return the age at which months are compared."""
    if age is None:
        return None
    try:
        length = pd.Timedelta(age)
    except (TypeError, ValueError):
        length = pd.Timedelta(-1)
    if not length >= pd.Timedelta(0):
        raise ArgumentError(
            "statistics.age_not_readable",
            "{owner}: 'age' must be a length of time from 0 on, or None; got {age}. "
            "Write it as '90D'.",
            owner=OWNER,
            age=repr(age),
        )
    return np.timedelta64(length.value // 1000, "us")


def _read_by(by: Sequence[str], declarations: pd.DataFrame) -> tuple[str, ...]:
    """Return the fields of the groups; raise with all that cannot be one."""
    names = (by,) if isinstance(by, str) else tuple(by)
    allowed = [*PERIODS, *(f.name for f in DECLARATIONS if f.kind != "number")]
    allowed += [name for name in HS_LEVELS if "tariff_code" in declarations]
    wrong = [
        name
        for name in names
        if name not in PERIODS
        and name not in declarations
        and not (name in HS_LEVELS and "tariff_code" in declarations)
    ]
    if wrong or len(set(names)) < len(names) or len(names) > _MOST_FIELDS:
        raise ArgumentError(
            "statistics.groups_unknown",
            "{owner}: 'by' must be up to {most} different fields of the declarations "
            "or periods; got {names}, of which {wrong} cannot be one.{hint}",
            owner=OWNER,
            most=_MOST_FIELDS,
            names=format_values(names),
            wrong=format_values(wrong) if wrong else "repeated or further ones",
            hint=suggest_nearest(wrong[0], allowed) if wrong else "",
        )
    return names


def _make_table(
    engine: Engine, known: Mapping[str, Definition], by: tuple[str, ...]
) -> pd.DataFrame:
    """Return the rows of all indicators."""
    columns: dict[str, list[np.ndarray]] = {}
    for one in known.values():
        why = engine.missing(one)
        unit = engine.population(one).unit
        if why:
            _add_rows(columns, one, unit, None, None, by, f"absent: {why}")
            continue
        for level, figures in engine.figures(one):
            _add_rows(columns, one, unit, level, figures, by, "")
    table = pd.DataFrame({name: np.concatenate(x) for name, x in columns.items()})
    texts = ("indicator", "part", *by, "unit", "reason")
    return table.astype(dict.fromkeys(texts, "str"))


def _add_rows(
    columns: dict[str, list[np.ndarray]],
    one: Definition,
    unit: str,
    level: Level | None,
    figures: Figures | None,
    by: tuple[str, ...],
    why: str,
) -> None:
    """Add the rows of one part of an indicator to the columns."""
    n = 1 if level is None else level.n_groups
    parts = {"indicator": one.id, "part": "" if figures is None else figures.part}
    rows = {name: np.full(n, text, dtype=object) for name, text in parts.items()}
    for place, name in enumerate(by):
        none = np.full(n, TOTAL, dtype=object)
        rows[name] = none if level is None else level.labels[place]
    rows["unit"] = np.full(n, unit, dtype=object)
    for name in _NUMBERS:
        blank = np.full(n, np.nan)
        rows[name] = blank if figures is None else getattr(figures, name)
    for name in ("n", "pending"):
        count = np.zeros(n) if figures is None else getattr(figures, name)
        rows[name] = count.astype(np.int64)
    texts = np.array(REASONS, dtype=object)
    rows["reason"] = (
        np.full(n, why, dtype=object) if figures is None else texts[figures.reason]
    )
    for name, values in rows.items():
        columns.setdefault(name, []).append(values)


def _make_checks(
    table: pd.DataFrame,
    known: Mapping[str, Definition],
    by: tuple[str, ...],
    reading: Reading,
) -> pd.DataFrame:
    """Return what was left out, and the sums of parts against their totals."""
    rows: list[tuple[str, float, float]] = [
        (name, np.nan, float(count)) for name, count in reading.counts.items()
    ]
    rows.append(("items that count", np.nan, float(len(reading.ids))))
    rows.append(("items of open months", np.nan, float((~reading.closed).sum())))
    rows += _mixed_documents(by, reading)
    additive = [one.id for one in known.values() if one.measure in _ADDITIVE]
    if by:
        parts = table[table["indicator"].isin(additive)]
        parts = parts[parts["numerator"].notna()]
        finest = (parts[list(by)] != TOTAL).all(axis=1)
        whole = (parts[list(by)] == TOTAL).all(axis=1)
        keys = ["indicator", "part"]
        found = parts[finest].groupby(keys, sort=False)["numerator"].sum()
        expected = parts[whole].groupby(keys, sort=False)["numerator"].sum()
        for key, total in zip(expected.index.tolist(), expected, strict=True):
            text = " ".join(key).strip()
            rows.append((f"sum of parts: {text}", total, round(found.get(key, 0.0), 2)))
    checks = pd.DataFrame(rows, columns=["check", "expected", "found"])
    return checks.assign(difference=checks["found"] - checks["expected"])


def _mixed_documents(
    by: tuple[str, ...], reading: Reading
) -> list[tuple[str, float, float]]:
    """Return how many declarations have items in several groups of a field."""
    rows = []
    for name in by:
        if name in PERIODS:
            continue
        column = "tariff_code" if name in HS_LEVELS else name.removeprefix(OWN)
        code = pd.factorize(reading.column(column))[0]
        differs = code != code[reading.first][reading.document]
        n = len(np.unique(reading.document[differs]))
        rows.append((f"declarations with several values of {column}", np.nan, float(n)))
    return rows
