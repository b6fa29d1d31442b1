"""Scores, decisions, results and segments of the same items, matched by key."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import ArgumentError, LeakageWarning, TableError, format_values
from smartrisk.items import (
    are_learned,
    check_unique,
    clean_amounts,
    item_keys,
    join_by_key,
    positions_of,
)
from smartrisk.schema import KEY
from smartrisk.tables import to_pandas

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
#: Values of groups: a table with the key, or values in the order of the items.
Segmentation: TypeAlias = "pd.DataFrame | pd.Series | Mapping[str, ArrayLike]"

#: Columns of SCORES that rank items: hits by the first, revenue by the last one given.
RANKINGS = ("risk_score", "expected_revenue")


def check_columns(
    owner: str, table: str, frame: pd.DataFrame, columns: Sequence[str]
) -> None:
    """Raise when a table lacks columns, or is none."""
    if not isinstance(frame, pd.DataFrame):
        raise TableError(
            "evaluation.not_a_table",
            "{owner}: {table} must be a data frame; got {type_name}.",
            owner=owner,
            table=table,
            type_name=type(frame).__name__,
        )
    missing = [column for column in columns if column not in frame]
    if missing:
        raise TableError(
            "evaluation.columns_missing",
            "{owner}: columns missing in {table}: {missing}; present: {present}. "
            "Rename or add them.",
            owner=owner,
            table=table,
            missing=format_values(missing),
            present=format_values(map(str, frame.columns), 10),
        )


def unique_keys(owner: str, table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the keys of a table in its order, with a fresh index; raise on repeats."""
    check_columns(owner, table, frame, KEY[:1])
    check_unique(owner, table, frame)
    keys = item_keys(frame).reset_index(drop=True)
    keys.attrs = frame.attrs  # which of the items the scoring model has learned from
    return keys


def align_rows(
    owner: str, table: str, frame: pd.DataFrame, keys: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of a table in the order of the keys; raise when one is absent."""
    check_columns(owner, table, frame, KEY[:1])
    place = positions_of(keys, frame, owner=owner, name=table)
    absent = place < 0
    if absent.any():
        raise TableError(
            "evaluation.items_missing",
            "{owner}: {table} lacks {n_missing} of the {n_items} items, such as "
            "{examples}. Pass one row per item.",
            owner=owner,
            table=table,
            n_missing=int(absent.sum()),
            n_items=len(keys),
            examples=format_values(keys["declaration_id"][absent].tolist()),
        )
    return frame.iloc[place].reset_index(drop=True)


@dataclass(frozen=True)
class KnownResults:
    """What is known about each item.

    Attributes
    ----------
    known : ndarray of bool, shape (n_items,)
        Whether the item has a result.
    hit : ndarray of float64, shape (n_items,)
        1 for a hit, 0 for none or for no result.
    revenue : ndarray of float64, shape (n_items,), or None
        Amount recovered, not negative, 0 for no result; None where no amount is known
        of any item.
    """

    known: Bool
    hit: Float
    revenue: Float | None

    def amounts(self) -> Float:
        """Return the revenue, 0 where amounts are unknown."""
        return np.zeros(len(self.hit)) if self.revenue is None else self.revenue


def match_results(
    owner: str, keys: pd.DataFrame, outcomes: pd.DataFrame, table: str = "OUTCOMES"
) -> KnownResults:
    """Return the results of the items with these keys."""
    check_columns(owner, table, outcomes, (KEY[0], "illicit"))
    columns = [c for c in ("illicit", "revenue_adjustment") if c in outcomes]
    joined = join_by_key(keys, outcomes, columns, owner=owner, name=table)
    hit = numbers_of(owner, table, joined["illicit"])
    known = ~np.isnan(hit)
    strange = known & ~np.isin(hit, (0.0, 1.0))
    if strange.any():
        raise TableError(
            "evaluation.illicit_not_binary",
            "{owner}: column 'illicit' of {table} must be 0 or 1; {n_strange} values "
            "are not, such as {examples}.",
            owner=owner,
            table=table,
            n_strange=int(strange.sum()),
            examples=format_values(np.unique(hit[strange]).tolist()),
        )
    revenue = None
    if "revenue_adjustment" in joined:
        amounts = joined["revenue_adjustment"]
        numbers_of(owner, table, amounts)  # raises on texts
        revenue = clean_amounts(amounts)
    warn_of_learned(owner, known & are_learned(keys), int(known.sum()))
    return KnownResults(known, np.nan_to_num(hit), revenue)


def warn_of_learned(owner: str, learned: Bool, n_judged: int) -> None:
    """Warn where items are judged that the scoring model has learned from."""
    n_learned = int(learned.sum())
    if n_learned:
        warnings.warn(
            LeakageWarning(
                "evaluation.learned_items",
                "{owner}: the model has learned from the results of {n_learned} of the "
                "{n_judged} judged items; figures of such items are too good. Judge "
                "later items: smartrisk.windows.time_split, or backtest.",
                owner=owner,
                n_learned=n_learned,
                n_judged=n_judged,
            ),
            stacklevel=4,
        )


def check_some_known(owner: str, known: Bool) -> None:
    """Raise when no item has a result."""
    if not known.any():
        raise TableError(
            "evaluation.no_results",
            "{owner}: none of the {n_items} items has a result. Check that the keys of "
            "both tables are those of the same items.",
            owner=owner,
            n_items=len(known),
        )


def numbers_of(owner: str, table: str, values: pd.Series) -> Float:
    """Return a column as numbers, NaN where missing; raise when it holds others."""
    try:
        return np.asarray(values.to_numpy(np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise TableError(
            "evaluation.column_not_numeric",
            "{owner}: column {column!r} of {table} must hold numbers; got values such "
            "as {examples}.",
            owner=owner,
            table=table,
            column=str(values.name),
            examples=format_values(values.head(3).tolist()),
        ) from error


def read_rankings(
    owner: str, table: str, rows: pd.DataFrame, judged: Bool
) -> dict[str, Float]:
    """Return the columns that rank items, by name.

    A score that is missing or infinite for a judged item is refused: it would be ranked
    without a warning. An `expected_revenue` without any value is not a ranking.
    """
    check_columns(owner, table, rows, RANKINGS[:1])
    rankings = {}
    for column in RANKINGS:
        if column not in rows:
            continue
        values = numbers_of(owner, table, rows[column])
        absent = judged & ~np.isfinite(values)
        if column != RANKINGS[0] and judged.any() and (absent == judged).all():
            continue
        check_none_missing(owner, table, column, rows, absent)
        rankings[column] = values
    return rankings


def check_none_missing(
    owner: str, table: str, column: str, rows: pd.DataFrame, absent: Bool
) -> None:
    """Raise when a column lacks the value of an item that is judged by it."""
    if absent.any():
        raise TableError(
            "evaluation.values_missing",
            "{owner}: column {column!r} of {table} is missing or not finite for "
            "{n_missing} judged items, such as {examples}. Fill it in, or leave the "
            "items out.",
            owner=owner,
            table=table,
            column=column,
            n_missing=int(absent.sum()),
            examples=format_values(rows["declaration_id"][absent].tolist()),
        )


def read_controls(owner: str, table: str, rows: pd.DataFrame) -> Bool:
    """Return which items a table of decisions controls: any channel but green."""
    absent = rows["channel"].isna().to_numpy()
    if absent.any():
        raise TableError(
            "evaluation.channels_missing",
            "{owner}: items without a channel in {table}: {n_missing}, such as "
            "{examples}. Fill in the column 'channel', or leave the items out.",
            owner=owner,
            table=table,
            n_missing=int(absent.sum()),
            examples=format_values(rows["declaration_id"][absent].tolist()),
        )
    return np.asarray((rows["channel"] != "green").to_numpy(), np.bool_)


def read_propensities(
    owner: str, table: str, rows: pd.DataFrame, column: str = "propensity"
) -> Float:
    """Return probabilities of a table; raise when one is missing or not in [0, 1]."""
    values = numbers_of(owner, table, rows[column])
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        raise TableError(
            "evaluation.not_probabilities",
            "{owner}: column {column!r} of {table} must lie in [0, 1]; {n_wrong} "
            "values are outside or missing, such as {examples}.",
            owner=owner,
            table=table,
            column=column,
            n_wrong=int(wrong.sum()),
            examples=format_values(np.unique(values[wrong]).tolist()),
        )
    return values


def match_segments(
    owner: str, segments: Segmentation, keys: pd.DataFrame
) -> dict[str, pd.Series]:
    """Return the value of every item as text, by the name of the segment.

    A table with the key is joined by it; other values must be one per item in their
    order. A missing value is "missing".
    """
    segments = to_pandas(segments)
    if isinstance(segments, pd.Series):
        name = "segment" if segments.name is None else str(segments.name)
        segments = {name: segments}
    if not isinstance(segments, Mapping | pd.DataFrame):
        raise ArgumentError(
            "evaluation.segments_not_named",
            "{owner}: 'segments' must be a table, a Series or a mapping of names to "
            "values; got {type_name}. Pass {{'office': declarations['office']}}, for "
            "instance.",
            owner=owner,
            type_name=type(segments).__name__,
        )
    if isinstance(segments, pd.DataFrame) and "declaration_id" in segments:
        rows = align_rows(owner, "'segments'", segments, keys)
        segments = rows.drop(columns=[c for c in KEY if c in rows])
    matched = {}
    columns: Iterable[tuple[Hashable, ArrayLike | pd.Series]] = segments.items()
    for label, column in columns:
        values = pd.Series(np.asarray(column, dtype=object))
        check_length(owner, f"segment {str(label)!r}", len(values), len(keys))
        missing = values.isna()
        matched[str(label)] = values.astype("str").mask(missing, "missing")
    return matched


def match_values(
    owner: str,
    argument: str,
    values: pd.DataFrame | pd.Series | ArrayLike,
    keys: pd.DataFrame,
    column: str | None = None,
) -> pd.Series:
    """Return one value per item, from a table with the key or from values in order."""
    values = to_pandas(values)
    if isinstance(values, pd.DataFrame):
        rows = align_rows(owner, f"'{argument}'", values, keys)
        rest = [str(c) for c in rows if c not in KEY] if column is None else [column]
        check_columns(owner, f"'{argument}'", rows, rest)
        if len(rest) != 1:
            raise TableError(
                "evaluation.one_column_needed",
                "{owner}: {argument!r} must have one column besides the key; it has "
                "{columns}.",
                owner=owner,
                argument=argument,
                columns=format_values(rest),
            )
        return rows[rest[0]]
    plain = pd.Series(values).reset_index(drop=True)
    check_length(owner, f"'{argument}'", len(plain), len(keys))
    return plain


def check_length(owner: str, argument: str, n_values: int, n_items: int) -> None:
    """Raise unless there is one value per item."""
    if n_values != n_items:
        raise TableError(
            "evaluation.lengths_differ",
            "{owner}: {argument} has {n_values} values for {n_items} items. Pass one "
            "value per item, in their order, or a table with the key.",
            owner=owner,
            argument=argument,
            n_values=n_values,
            n_items=n_items,
        )
