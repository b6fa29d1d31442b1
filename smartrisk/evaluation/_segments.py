"""Rates by segment, with intervals, and how much segments differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_number
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Bool,
    Float,
    Segmentation,
    align_rows,
    check_columns,
    match_results,
    match_segments,
    read_controls,
    read_rankings,
    unique_keys,
)
from smartrisk.evaluation._ranking import check_rate, count_at, taken_at
from smartrisk.intervals import wilson_interval
from smartrisk.items import check_unique, item_keys
from smartrisk.results import Result
from smartrisk.schema import KEY, TableInput
from smartrisk.tables import read_table

#: Column of the items that each rate is a share of.
_DENOMINATORS = {
    "base_rate": "n_judged",
    "selection_rate": "n_selectable",
    "precision": "n_selected_judged",
    "recall": "hits",
}
_DEFAULT_RATE = 0.05
#: Last chapters of the sections of the Harmonized System (WCO nomenclature).
_LAST = (5, 14, 15, 24, 27, 38, 40, 43, 46, 49, 63, 67, 70, 71, 83, 85, 89, 92, 93, 96)
_ROMAN = (
    *("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI"),
    *("XII", "XIII", "XIV", "XV", "XVI", "XVII", "XVIII", "XIX", "XX", "XXI"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Segments(Result):
    """Rates of segments with intervals, and the gaps between them.

    Parameters
    ----------
    _table : DataFrame
        One row per segment and value.
    _min_items : int
        Items in the denominator of a rate below which it is not compared.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> scores = world.declarations[["declaration_id", "item_number"]].assign(
    ...     risk_score=world.declarations["duty_rate"])
    >>> mode = {"mode": world.declarations["transport_mode"]}
    >>> result = sr.evaluation.by_segment(scores, world.full_outcomes(), mode)
    >>> result.frame()["segment"].unique().tolist()
    ['mode']
    """

    _table: pd.DataFrame
    _min_items: int

    @property
    def min_items(self) -> int:
        """Items in the denominator of a rate below which it is not compared."""
        return self._min_items

    def frame(self) -> pd.DataFrame:
        """Return one row per segment and value.

        Returns
        -------
        frame : DataFrame
            segment, value, n_items, n_judged (with a result), hits, n_selectable (the
            items that were selected from: the judged ones of a ranking, all of
            decisions), n_selected, n_selected_judged, then base_rate (hits of judged),
            selection_rate (selected of selectable), precision (hits of selected and
            judged) and recall (selected of hits), each with ``_low`` and ``_high``
            (Wilson, 95 %), and a note where a denominator is small.
        """
        return self._table.copy()

    def gaps(self) -> pd.DataFrame:
        """Return how much the rates of the values of a segment differ.

        Returns
        -------
        gaps : DataFrame
            segment, measure, n_values (compared), lowest (value), low, highest (value),
            high, difference, ratio (high to low), and ``clear``: whether the intervals
            of the two do not overlap. Values with few items are not compared.

        Notes
        -----
        The two values are chosen for being extreme, so that with many values some
        differ by chance: `clear` is a hint, not a test.
        """
        rows = []
        for name, part in self._table.groupby("segment", sort=False):
            for measure, size in _DENOMINATORS.items():
                enough = part[(part[size] >= self._min_items) & part[measure].notna()]
                if len(enough) < 2:
                    continue
                ordered = enough.sort_values(measure, kind="stable")
                least, most = ordered.iloc[0], ordered.iloc[-1]
                low, high = float(least[measure]), float(most[measure])
                rows.append(
                    {
                        "segment": name,
                        "measure": measure,
                        "n_values": len(enough),
                        "lowest": least["value"],
                        "low": low,
                        "highest": most["value"],
                        "high": high,
                        "difference": high - low,
                        "ratio": high / low if low > 0 else np.inf,
                        "clear": bool(
                            least[f"{measure}_high"] < most[f"{measure}_low"]
                        ),
                    }
                )
        columns = ["segment", "measure", "n_values", "lowest", "low", "highest", "high"]
        return pd.DataFrame(rows, columns=[*columns, "difference", "ratio", "clear"])

    def __repr__(self) -> str:
        """Return the number of segments and of their values."""
        names = self._table["segment"].nunique()
        return f"Segments({names} segments, {len(self._table)} values)"


def by_segment(
    selection: TableInput,
    outcomes: TableInput,
    segments: Segmentation,
    *,
    rate: float | None = None,
    min_items: int = 30,
) -> Segments:
    """Judge a selection by segment: the share that is selected, and its hit rate.

    The same items are selected as overall: a segment has no capacity of its own.

    Parameters
    ----------
    selection : DataFrame
        SCORES of the items, of which the best by `risk_score` are selected; or
        DECISIONS with a `channel`, of which every item that is not green is selected.
    outcomes : DataFrame
        OUTCOMES, joined by key; items without one are counted and not judged.
    segments : DataFrame, Series or mapping of str to array-like
        Values by which to split: a table with the key, joined by it (such as
        `standard_segments` returns; it may hold other items too), or values in the
        order of `selection`.
    rate : float or int, default=None
        For SCORES: inspection rate among the judged items, or number of them; None for
        0.05. DECISIONS have been made at their own rate.
    min_items : int, default=30
        With fewer items in a denominator a value is marked as small and its gaps are
        not given.

    Returns
    -------
    result : Segments
        Rates with intervals, and gaps.

    Raises
    ------
    TableError
        If columns are missing, a key is repeated, a score or channel is missing, or
        the segments lack an item.
    ArgumentError
        If `rate` is given for DECISIONS, or an argument is outside what is allowed.

    See Also
    --------
    standard_segments : The usual ones.

    Notes
    -----
    Tied items at the edge count by the share that is taken of them, in rates and in
    the denominators of the intervals.

    Where only inspected items have a result, the rates of a ranking are rates among the
    inspected, and `base_rate` and `recall` of decisions refer to the inspected items.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import by_segment
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> scores = key.assign(risk_score=[0.9, 0.8, 0.2, 0.1])
    >>> outcomes = key.assign(illicit=[1, 0, 0, 1])
    >>> office = key.assign(office=["x", "y", "x", "y"])
    >>> by_segment(scores, outcomes, office, rate=2).frame()["precision"].tolist()
    [1.0, 0.0]
    >>> decisions = key.assign(channel=["red", "green", "green", "yellow"])
    >>> by_segment(decisions, outcomes, office).frame()["recall"].tolist()
    [1.0, 1.0]
    """
    selection = read_table("by_segment", "'selection'", selection)
    outcomes = read_table("by_segment", "'outcomes'", outcomes)
    check_number("by_segment", "min_items", min_items, low=1, integer=True)
    if rate is not None:
        check_rate("by_segment", "rate", rate)
    is_decided = "channel" in selection
    table = "DECISIONS" if is_decided else "SCORES"
    keys = unique_keys("by_segment", table, selection)
    results = match_results("by_segment", keys, outcomes)
    known = results.known
    if is_decided:
        if rate is not None:
            raise ArgumentError(
                "evaluation.rate_of_decisions",
                "by_segment: 'rate' is for SCORES; these are DECISIONS, made at their "
                "own rate. Leave it out, or pass scores.",
            )
        taken = read_controls("by_segment", table, selection).astype(np.float64)
        selectable = np.ones(len(keys), np.bool_)
    else:
        ranks = read_rankings("by_segment", table, selection, known)[RANKINGS[0]][known]
        k = count_at(_DEFAULT_RATE if rate is None else rate, len(ranks))
        taken = np.zeros(len(keys))
        taken[known] = taken_at(ranks, k)
        selectable = known
    chosen = _Chosen(known, results.hit, selectable, taken)
    parts = [
        _segment_rates(name, values, chosen, min_items)
        for name, values in match_segments("by_segment", segments, keys).items()
    ]
    if not parts:
        raise TableError(
            "evaluation.no_segment",
            "by_segment: 'segments' has no column or value to split by. Pass at "
            "least one, such as {{'office': declarations['office']}}.",
        )
    return Segments(pd.concat(parts, ignore_index=True), min_items)


@dataclass(frozen=True)
class _Chosen:
    """Which items have a result, which are hits, and how much of each is selected."""

    known: Bool
    hit: Float
    selectable: Bool
    taken: Float


def _segment_rates(
    segment: str, values: pd.Series, chosen: _Chosen, min_items: int
) -> pd.DataFrame:
    """Return the rates of one segment's values."""
    code, names = pd.factorize(values, sort=True)

    def count(weight: NDArray[np.float64 | np.bool_]) -> Float:
        return np.asarray(np.bincount(code, weight, minlength=len(names)), np.float64)

    known, hit, taken = chosen.known, chosen.hit, chosen.taken
    judged, hits, found = count(known), count(hit * known), count(taken * hit)
    selectable, selected = count(chosen.selectable), count(taken)
    selected_judged = count(taken * known)
    out = pd.DataFrame(
        {
            "segment": segment,
            "value": names,
            "n_items": np.bincount(code, minlength=len(names)),
            "n_judged": judged.astype(int),
            "hits": hits.astype(int),
            "n_selectable": selectable.astype(int),
            "n_selected": selected,
            "n_selected_judged": selected_judged,
        }
    )
    shares = {
        "base_rate": (hits, judged),
        "selection_rate": (selected, selectable),
        "precision": (found, selected_judged),
        "recall": (found, hits),
    }
    for measure, (top, below) in shares.items():
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(below > 0, top / below, np.nan)
        low, high = wilson_interval(share, np.where(below > 0, below, np.nan))
        out[measure] = share
        out[f"{measure}_low"], out[f"{measure}_high"] = low, high
    sizes = zip(judged, selected_judged, hits, strict=True)
    out["note"] = [_note(*size, min_items) for size in sizes]
    return out


def _note(judged: float, selected: float, hits: float, min_items: int) -> str:
    """Return which rates rest on fewer items than are asked for."""
    if judged < min_items:
        return f"fewer than {min_items} items with a result"
    sizes = (("precision", selected), ("recall", hits))
    few = [name for name, n in sizes if n < min_items]
    return f"fewer than {min_items} items for {' and '.join(few)}" if few else ""


def standard_segments(
    declarations: TableInput,
    *,
    past: TableInput | None = None,
    truth: TableInput | None = None,
    max_values: int = 10,
) -> pd.DataFrame:
    """Return the usual segments of items, from the columns that are present.

    Parameters
    ----------
    declarations : DataFrame
        DECLARATIONS of the judged items.
    past : DataFrame, default=None
        DECLARATIONS before them: for the size and the novelty of importers.
    truth : DataFrame, default=None
        Truth of a synthetic world, joined by key; it may hold other items too. Without
        an `item_number` every declaration must have one item. It adds segments by kind
        of irregularity, of which recall is the figure to read. Items without
        one are of kind "none".
    max_values : int, default=10
        Values of a segment that are kept; the rarer ones become "other".

    Returns
    -------
    segments : DataFrame
        The key where `declarations` has it, then office, origin, section (of the
        Harmonized System), month, and importer_size ("new", "1-9", "10-99",
        "100 or more" items before), importer_novelty, typology where they can be
        derived; with the index of `declarations`. What is missing is "missing";
        chapters outside I to XXI (77, 98, 99) are "other".

    Raises
    ------
    TableError
        If `truth` lacks an item of `declarations`, its key or its column `typology`, or
        `declarations` repeat a key while `truth` is given.

    Examples
    --------
    >>> import smartrisk as sr
    >>> items = sr.datasets.make_declarations(500, random_state=0).declarations
    >>> list(sr.evaluation.standard_segments(items))[2:]
    ['office', 'origin', 'section', 'month']
    """
    declarations = read_table("standard_segments", "'declarations'", declarations)
    past = read_table("standard_segments", "'past'", past)
    truth = read_table("standard_segments", "'truth'", truth)
    check_number("standard_segments", "max_values", max_values, low=1, integer=True)
    out: dict[str, object] = {}
    if "declaration_id" in declarations:
        keys = item_keys(declarations)
        out |= {name: keys[name] for name in KEY}
    for name in ("office", "origin"):
        if name in declarations:
            values = declarations[name]
            texts = values.astype("str").mask(values.isna(), "missing")
            common = [*texts.value_counts().index[:max_values], "missing"]
            out[name] = texts.where(texts.isin(common), "other")
    if "tariff_code" in declarations:
        out["section"] = _sections(declarations["tariff_code"])
    if "lodged_at" in declarations:
        out["month"] = declarations["lodged_at"].dt.strftime("%Y-%m")
    if past is not None and "importer_id" in declarations and "importer_id" in past:
        seen = declarations["importer_id"].map(past["importer_id"].value_counts())
        n = seen.fillna(0).to_numpy()
        sizes = np.array(["new", "1-9", "10-99", "100 or more"], dtype=object)
        out["importer_size"] = sizes[np.searchsorted([1, 10, 100], n, side="right")]
        out["importer_novelty"] = np.where(n > 0, "known", "new")
    if truth is not None:
        check_columns("standard_segments", "'truth'", truth, (KEY[0], "typology"))
        check_columns("standard_segments", "DECLARATIONS", declarations, KEY[:1])
        check_unique("standard_segments", "DECLARATIONS", declarations)
        rows = align_rows(
            "standard_segments", "'truth'", truth, item_keys(declarations)
        )
        out["typology"] = rows["typology"].to_numpy()
    return pd.DataFrame(out, index=declarations.index)


def _sections(codes: pd.Series) -> NDArray[np.object_]:
    """Return the section of the Harmonized System by the chapter of a code."""
    text = codes.astype("str").str[:2]
    chapter = pd.to_numeric(text, errors="coerce").fillna(0).to_numpy(np.int64)
    section = np.array(_ROMAN, dtype=object)[np.searchsorted(_LAST, chapter)]
    national = (chapter == 77) | (chapter > 97)
    return np.where(chapter < 1, "missing", np.where(national, "other", section))
