"""Plausibility: what makes declarations and results doubtful to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from smartrisk.errors import Message, TableError, check_number, format_values
from smartrisk.items import moments_known, positions_of
from smartrisk.quality._learning_data import LearningData
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, OUTCOMES, TableInput
from smartrisk.validation import OnError, validate
from smartrisk.windows import months_without_results

Severity: TypeAlias = Literal["ok", "note", "warning"]

#: Hits, and inspections without a hit, below which a model hardly learns: the 95 %
#: interval of a count of ten reaches from 5 to 18, and the classifier can neither stop
#: early nor calibrate with fewer.
FEW = 10
#: Days between the first and the last lodgement: features look back 90 days and more,
#: and over less than four weeks a trader has hardly a past.
FEW_DAYS = 28
#: Items without which a column that has one value, or a table in which every item has a
#: result, can be chance.
_SOME = 100
#: Results without which equal days are chance.
_SOME_RESULTS = 30
#: Results expected in a time that has none: chance leaves it empty in less than one
#: case of 10,000 (exp(-9.2)).
_EXPECTED = 9.2
#: How many times the longest earlier pause between results a pause must exceed: many
#: offices send results once a month.
_TIMES_PAUSE = 3.0
#: Share of the results from which impossible days are no typing errors.
_SHARE = 0.01
#: Columns that are never judged: keys, and fields that may well have one value.
_NOT_JUDGED = frozenset(("declaration_id", "item_number"))
_COLUMNS = ["check", "columns", "severity", "count", "examples", "message", "remedy"]


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One reason to doubt the data.

    Parameters
    ----------
    columns : tuple of str
        Fields that it concerns.
    count : int
        Items, results, days, months or columns, as the message says.
    message : Message
        What was found.
    remedy : str
        What to do about it.
    examples : tuple of str, default=()
        Values, such as months.
    severity : {"warning", "note"}, default="warning"
        Whether `RiskEngine.fit` warns of it.

    Examples
    --------
    >>> from smartrisk.errors import Message
    >>> from smartrisk.quality import Doubt
    >>> message = Message("quality.few_hits", "{count} hits.", count=3)
    >>> Doubt(columns=("illicit",), count=3, message=message, remedy="Wait.").severity
    'warning'
    """

    columns: tuple[str, ...]
    count: int
    message: Message
    remedy: str
    examples: tuple[str, ...] = ()
    severity: Severity = "warning"


#: A check yields doubts; none where it has none.
CheckFunction: TypeAlias = Callable[[LearningData], Iterator[Doubt]]


def _few_hits(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where there are few hits."""
    n_hits = int((data.hits > 0).sum())
    if n_hits < FEW:
        yield Doubt(
            columns=("illicit",),
            count=n_hits,
            message=Message(
                "quality.few_hits",
                "Only {count} hits among {n_results} results.",
                count=n_hits,
                n_results=len(data.hits),
            ),
            remedy=f"Add results until there are {FEW} hits at least.",
        )


def _few_non_hits(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where there are few inspections without a hit."""
    n_others = int((data.hits == 0).sum())
    if n_others < FEW:
        yield Doubt(
            columns=("illicit",),
            count=n_others,
            message=Message(
                "quality.few_non_hits",
                "Only {count} of {n_results} results are without a hit.",
                count=n_others,
                n_results=len(data.hits),
            ),
            remedy="Add the inspections that found nothing: OUTCOMES holds them all.",
        )


def _few_days(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where the items were lodged within few days."""
    lodged = data.lodged.astype("datetime64[D]")
    n_days = int((lodged.max() - lodged.min()) / np.timedelta64(1, "D")) + 1
    if n_days < FEW_DAYS:
        yield Doubt(
            columns=("lodged_at",),
            count=n_days,
            message=Message(
                "quality.few_days",
                "All items were lodged within {count} days, from {first} on.",
                count=n_days,
                first=str(lodged.min()),
            ),
            remedy=f"Pass at least {FEW_DAYS} days: features look back 90 and more.",
        )


def _empty_months(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where months have items but no result."""
    months = months_without_results(
        data.items["lodged_at"], data.inspected, delays=data.delays
    )
    if not len(months):
        return
    names = tuple(f"{month:%Y-%m}" for month in months["month"])
    yield Doubt(
        columns=("lodged_at", "illicit"),
        count=len(names),
        examples=names,
        message=Message(
            "quality.months_without_results",
            "There is no result for any of the {n_items} items lodged in {count} "
            "months: {examples}.",
            n_items=int(months["n_items"].sum()),
            count=len(names),
            examples=format_values(names),
        ),
        remedy="Add the results of these months, set 'label_delay' if they take "
        "longer, or leave the months out if controls stopped: hit rates are out of "
        "date there.",
    )


def _dead_columns(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where columns have no value, or one only."""
    if len(data.items) < _SOME:
        return
    names = [n for n in DECLARATIONS.names if n in data.items and n not in _NOT_JUDGED]
    dead = tuple(name for name in names if _is_constant(data.items[name]))
    if dead:
        yield Doubt(
            columns=dead,
            count=len(dead),
            examples=tuple(_value_text(data.items[name].iloc[0]) for name in dead),
            message=Message(
                "quality.dead_columns",
                "{count} columns have one value or none in all {n_items} items: "
                "{columns}.",
                count=len(dead),
                n_items=len(data.items),
                columns=format_values(dead),
            ),
            remedy="Check the export; leave out columns that are not kept.",
        )


def _is_constant(column: pd.Series) -> bool:
    """Return whether all values are equal, or all are missing."""
    first = column.iloc[0]
    for part in (column.iloc[:_SOME], column):  # most columns differ at once
        same = part.isna() if pd.isna(first) else (part == first).fillna(False)
        if not same.all():
            return False
    return True


def _value_text(value: object) -> str:
    """Return a value as text, empty where it is missing."""
    return "" if value is None or value is pd.NA or value != value else str(value)


def _everything_inspected(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where every item has a result."""
    if len(data.items) >= _SOME and data.inspected.all():
        yield Doubt(
            columns=("illicit",),
            count=len(data.items),
            message=Message(
                "quality.everything_inspected",
                "All {count} items have a result, {share:.1%} of them hits.",
                count=len(data.items),
                share=float((data.hits > 0).mean()),
            ),
            remedy="Leave items that nobody inspected out of OUTCOMES (they are not "
            "compliant, they are unknown), and pass their declarations.",
        )


def _results_stop(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where results stop before the end of the extract."""
    if not len(data.known):
        return
    end = data.lodged.max().astype("datetime64[D]")
    days = np.unique(data.known[data.known <= end])
    if len(days) < 2:
        return
    day = np.timedelta64(1, "D")
    pause = float((end - days[-1]) / day)
    span = float((days[-1] - days[0]) / day)
    longest = float(np.diff(days).max() / day)
    expected = float((data.known <= end).sum()) * pause / span
    if pause > _TIMES_PAUSE * longest and expected > _EXPECTED:
        yield Doubt(
            columns=("known_at",),
            count=int(pause),
            examples=(str(days[-1]),),
            message=Message(
                "quality.results_stop",
                "No result became known in the last {count} days, after {last}, while "
                "items were lodged until {end}; about {expected:.0f} were to be "
                "expected.",
                count=int(pause),
                last=str(days[-1]),
                end=str(end),
                expected=expected,
            ),
            remedy="Extract the results again, or end the items when the results end.",
        )


def _one_day_for_all(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where all results have the same day."""
    many = data.recorded and len(data.known) >= _SOME_RESULTS
    lodged = data.lodged[data.rows]
    if many and (data.known == data.known[0]).all() and np.ptp(lodged.view(np.int64)):
        yield Doubt(
            columns=("known_at",),
            count=len(data.known),
            examples=(str(data.known[0].astype("datetime64[D]")),),
            message=Message(
                "quality.one_day_for_all",
                "All {count} results have the same known_at, {day}.",
                count=len(data.known),
                day=str(data.known[0].astype("datetime64[D]")),
            ),
            remedy="That is the day of an extract: leave 'known_at' out and set "
            "'label_delay'.",
        )


def _known_at_once(data: LearningData) -> Iterator[Doubt]:
    """Yield a note where every result was known on the day of lodgement."""
    many = data.recorded and len(data.known) >= _SOME_RESULTS
    if many and (data.delays <= 0).all():
        yield Doubt(
            columns=("known_at", "lodged_at"),
            count=len(data.known),
            severity="note",
            message=Message(
                "quality.known_at_once",
                "All {count} results were known on the day of lodgement.",
                count=len(data.known),
            ),
            remedy="Make sure that 'known_at' is the day of the result.",
        )


#: The checks by name, in the order of the frame.
CHECKS: Mapping[str, CheckFunction] = MappingProxyType(
    {
        "few hits": _few_hits,
        "few non-hits": _few_non_hits,
        "few days": _few_days,
        "months without results": _empty_months,
        "results stop": _results_stop,
        "everything inspected": _everything_inspected,
        "dead columns": _dead_columns,
        "one day for all results": _one_day_for_all,
        "results known at once": _known_at_once,
    }
)


class Plausibility(Result):
    """What makes declarations and results doubtful to learn from.

    Made by `plausibility`.

    Parameters
    ----------
    doubts : mapping of str to sequence of Doubt
        Name of a check to what it found; empty where it found nothing.

    Examples
    --------
    >>> from smartrisk.quality import Plausibility
    >>> Plausibility({"few hits": ()})
    Plausibility(1 check: nothing doubtful)
    """

    def __init__(self, doubts: Mapping[str, tuple[Doubt, ...]]) -> None:
        self._doubts = dict(doubts)

    @property
    def ok(self) -> bool:
        """Whether nothing is doubtful."""
        return not any(self._doubts.values())

    def doubts(self, severity: Severity | None = None) -> tuple[Doubt, ...]:
        """Return what is doubtful.

        Parameters
        ----------
        severity : {"warning", "note"}, default=None
            Of this severity only; None for both.

        Returns
        -------
        doubts : tuple of Doubt
            In the order of the checks.
        """
        found = (doubt for doubts in self._doubts.values() for doubt in doubts)
        return tuple(d for d in found if severity in (None, d.severity))

    def __repr__(self) -> str:
        """Return the number of checks and the names of those with doubts."""
        n_checks = len(self._doubts)
        named = ", ".join(name for name, doubts in self._doubts.items() if doubts)
        plural = "" if n_checks == 1 else "s"
        return f"Plausibility({n_checks} check{plural}: {named or 'nothing doubtful'})"

    def __str__(self) -> str:
        """Return the messages with their remedies, one per line."""
        lines = [f"{doubt.message} {doubt.remedy}" for doubt in self.doubts()]
        return "\n".join(lines) or repr(self)

    def frame(self) -> pd.DataFrame:
        """Return one row per check, and one more for each further doubt of it.

        Returns
        -------
        frame : DataFrame
            ``check``, ``columns`` and ``examples`` (joined by commas), ``severity``
            ("ok", "note" or "warning"), ``count``, ``message`` and ``remedy``.
        """
        rows: list[tuple[object, ...]] = []
        for name, doubts in self._doubts.items():
            if not doubts:
                rows.append((name, "", "ok", 0, "", "", ""))
            rows += [
                (
                    name,
                    ", ".join(d.columns),
                    d.severity,
                    d.count,
                    ", ".join(d.examples),
                    str(d.message),
                    d.remedy,
                )
                for d in doubts
            ]
        return pd.DataFrame(rows, columns=_COLUMNS)


def judge_plausibility(data: LearningData) -> Plausibility:
    """Return what is doubtful of items and results that were read already.

    Parameters
    ----------
    data : LearningData
        Validated items, and their results by position.

    Returns
    -------
    plausibility : Plausibility
        With every check of `CHECKS`.

    See Also
    --------
    plausibility : The same from two tables.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.quality import LearningData, judge_plausibility
    >>> days = pd.date_range("2024-01-01", periods=90)
    >>> data = LearningData(items=pd.DataFrame({"lodged_at": days}),
    ...                     rows=np.arange(89), hits=np.arange(89) % 2,
    ...                     known=days.to_numpy()[:89].astype("datetime64[D]"))
    >>> judge_plausibility(data).doubts("warning")
    ()
    """
    return Plausibility({name: tuple(check(data)) for name, check in CHECKS.items()})


def plausibility(
    declarations: TableInput,
    outcomes: TableInput | None = None,
    *,
    label_delay: int = 30,
    on_error: OnError = "raise",
) -> Plausibility:
    """Return what makes declarations and results doubtful to learn from.

    `RiskEngine.fit` warns of the same. Each finding is certain or nearly so; the grades
    of `scorecard` say how good data are that are not doubtful.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS, inspected or not.
    outcomes : DataFrame, default=None
        OUTCOMES of the inspected ones; results of other items are left out.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.
    on_error : {"raise", "set_aside"}, default="raise"
        What to do with rows that cannot be read: "raise", or "set_aside" to leave
        them out with a warning.

    Returns
    -------
    plausibility : Plausibility
        ``frame()`` has one row per check.

    Raises
    ------
    TableError
        If a table is invalid, `declarations` has no row, or none of the results has
        its item there.
    ArgumentError
        If `label_delay` is not a whole number of at least 0.

    See Also
    --------
    scorecard : Five graded dimensions.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> sr.quality.plausibility(world.declarations, world.outcomes)
    Plausibility(9 checks: nothing doubtful)
    """
    check_number("plausibility", "label_delay", label_delay, low=0, integer=True)
    items = validate(declarations, DECLARATIONS, on_error=on_error)
    if not len(items):
        raise TableError(
            "quality.no_items",
            "plausibility: 'declarations' has no valid row. Pass the items that you "
            "want to learn from.",
        )
    results = pd.DataFrame({"declaration_id": [], "illicit": []})
    if outcomes is not None:
        results = validate(outcomes, OUTCOMES, on_error=on_error)
    rows = positions_of(results, items, owner="plausibility", name="'declarations'")
    own = rows >= 0
    if len(own) and not own.any():
        raise TableError(
            "quality.results_of_other_items",
            "plausibility: none of the {n_results} results has its item in "
            "'declarations', such as declaration_id {examples}. Compare how the keys "
            "are written in both tables.",
            n_results=len(own),
            examples=format_values(results["declaration_id"].tolist()),
        )
    results, rows = results[own], rows[own]
    given = results["known_at"].to_numpy() if "known_at" in results else None
    known = moments_known(items["lodged_at"].to_numpy()[rows], given, label_delay)
    return judge_plausibility(
        LearningData(
            items=items,
            rows=rows,
            hits=results["illicit"].to_numpy(np.int64),
            known=known.astype("datetime64[D]"),
            recorded=given is not None,
        )
    )
