"""Plausibility: what makes declarations and results doubtful to learn from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, check_number, format_values
from smartrisk.items import (
    are_document_hits,
    check_numbered,
    moments_known,
    positions_of,
)
from smartrisk.quality import _item_checks as of_items
from smartrisk.quality import _result_checks as of_results
from smartrisk.quality._doubts import CheckFunction, Doubt, Severity
from smartrisk.quality._learning_data import LearningData
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, OUTCOMES, RENAMED, TableInput
from smartrisk.validation import OnError, validate

#: Examples of results without an item.
_EXAMPLES = 5
_COLUMNS = ["check", "columns", "severity", "count", "examples", "message", "remedy"]

#: The checks by name, in the order of the frame.
CHECKS: Mapping[str, CheckFunction] = MappingProxyType(
    {
        "few hits": of_results.few_hits,
        "few non-hits": of_results.few_non_hits,
        "one class": of_results.one_class,
        "few days": of_items.few_days,
        "far dates": of_items.far_dates,
        "months without results": of_results.empty_months,
        "results stop": of_results.results_stop,
        "results join to few items": of_results.few_join,
        "everything inspected": of_results.everything_inspected,
        "blanks as zeros": of_results.blanks_as_zeros,
        "dead columns": of_items.dead_columns,
        "unit changes": of_items.unit_changes,
        "one day for all results": of_results.one_day_for_all,
        "results known at once": of_results.known_at_once,
        "contradictions": of_results.contradictions,
        "judged by learned items": of_results.learned_items,
    }
)
#: The checks that need no results.
ITEM_CHECKS = ("few days", "far dates", "dead columns", "unit changes")


class Learner(Protocol):
    """What says from which items it has learned."""

    def has_learned(self, declarations: TableInput) -> NDArray[np.bool_]:
        """Return from the results of which items it learned."""
        ...


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


def judge_items(items: pd.DataFrame) -> Plausibility:
    """Return what is doubtful of items alone, without results.

    Parameters
    ----------
    items : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS, at least one.

    Returns
    -------
    plausibility : Plausibility
        With the checks that need no results.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> sr.quality.judge_items(world.declarations).ok
    True
    """
    none = np.zeros(0, np.int64)
    days = none.astype("datetime64[D]")
    data = LearningData(items=items, rows=none, hits=none, known=days)
    return Plausibility({name: tuple(CHECKS[name](data)) for name in ITEM_CHECKS})


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
    engine: Learner | None = None,
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
    engine : RiskEngine, default=None
        Engine that these results are to judge: results that it learned from are a
        doubt.

    Returns
    -------
    plausibility : Plausibility
        ``frame()`` has one row per check.

    Raises
    ------
    TableError
        If a table is invalid, `declarations` has no row, none of the results has its
        item there, or results without item numbers are of documents with several.
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
    Plausibility(16 checks: nothing doubtful)
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
    label = "illicit"
    if outcomes is not None:
        results = validate(outcomes, OUTCOMES, on_error=on_error)
        label = results.attrs.get(RENAMED, {}).get(label, label)
        check_numbered("plausibility", results, items)
        results = results[~are_document_hits(results)]
    rows = positions_of(results, items, owner="plausibility", name="'declarations'")
    own = rows >= 0
    names = results["declaration_id"][~own].astype(str).tolist()
    if len(own) and not own.any():
        raise TableError(
            "quality.results_of_other_items",
            "plausibility: none of the {n_results} results has its item in "
            "'declarations', such as declaration_id {examples}. Compare how the keys "
            "are written in both tables.",
            n_results=len(own),
            examples=format_values(names),
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
            outcomes=results,
            n_lost=len(names),
            lost=tuple(dict.fromkeys(names))[:_EXAMPLES],
            learned=None if engine is None else engine.has_learned(items),
            label_column=label,
        )
    )
