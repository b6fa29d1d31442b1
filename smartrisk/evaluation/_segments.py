"""How a ranking did by segment, with intervals, and how far segments lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import TableError, check_number
from smartrisk.evaluation._calibration import wilson_interval
from smartrisk.evaluation._logged_decisions import Float, aligned, numbered
from smartrisk.evaluation._ranking import count_at, taken_at
from smartrisk.results import Result
from smartrisk.schema import KEY

_RATES = ("base_rate", "selection_rate", "precision", "recall")
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
    table : DataFrame
        One row per segment and value.
    least : int
        Items (of the rate's denominator) below which a rate is not compared.

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

    table: pd.DataFrame
    least: int

    def frame(self) -> pd.DataFrame:
        """Return one row per segment and value.

        Returns
        -------
        frame : DataFrame
            segment, value, n_items, n_judged (with a result), hits, n_selected, then
            base_rate (hits of judged), selection_rate (selected of judged), precision
            (hits of selected) and recall (selected of hits), each with ``_low`` and
            ``_high`` (Wilson, 95 %), and a note where a denominator is small.
        """
        return self.table.copy()

    def gaps(self) -> pd.DataFrame:
        """Return how far the values of a segment lie apart.

        Returns
        -------
        gaps : DataFrame
            segment, measure, n_values (compared), lowest (value), low, highest (value),
            high, difference, ratio (high to low), and ``clear``: whether the intervals
            of the two are apart. Values with few items are not compared.

        Notes
        -----
        The two values are chosen for being extreme, so that with many values some are
        apart by chance: `clear` is a hint, not a test.
        """
        sizes = {
            "base_rate": "n_judged",
            "selection_rate": "n_judged",
            "precision": "n_selected",
            "recall": "hits",
        }
        rows = []
        for name, part in self.table.groupby("segment", sort=False):
            for measure in _RATES:
                enough = part[part[sizes[measure]] >= self.least]
                enough = enough[enough[measure].notna()]
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
        names = self.table["segment"].nunique()
        return f"Segments({names} segments, {len(self.table)} values)"


def by_segment(
    scores: pd.DataFrame,
    outcomes: pd.DataFrame,
    segments: pd.DataFrame | Mapping[str, Any],
    *,
    rate: float = 0.05,
    least: int = 30,
) -> Segments:
    """Judge one ranking by segment: what it selects of each, and what that finds.

    The same items are selected as overall: a segment has no capacity of its own.

    Parameters
    ----------
    scores : DataFrame
        SCORES of the items.
    outcomes : DataFrame
        OUTCOMES; items without one are counted and not judged.
    segments : DataFrame or mapping of str to array-like
        Values by which to split, aligned with `scores`; see `standard_segments`.
    rate : float or int, default=0.05
        Inspection rate among the judged items, or number of them.
    least : int, default=30
        Below so many items a value is noted as small and its gaps are not told.

    Returns
    -------
    result : Segments
        Rates with intervals, and gaps.

    Raises
    ------
    TableError
        If columns are missing, or a segment is not aligned with the scores.

    See Also
    --------
    standard_segments : The usual ones.

    Notes
    -----
    Tied items at the edge count by the share that is taken of them, in rates and in the
    numbers that the intervals stand on.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import by_segment
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> scores = key.assign(risk_score=[0.9, 0.8, 0.2, 0.1])
    >>> outcomes = key.assign(illicit=[1, 0, 0, 1])
    >>> result = by_segment(scores, outcomes, {"office": ["x", "y", "x", "y"]}, rate=2)
    >>> result.frame()["precision"].tolist()
    [1.0, 0.0]
    """
    check_number("by_segment", "least", least, low=1, integer=True)
    gone = [c for c in ("declaration_id", "risk_score") if c not in scores]
    if gone or "illicit" not in outcomes:
        raise TableError(
            "evaluation.scores_lacks_outcomes_needs",
            "by_segment: SCORES lacks {value}; OUTCOMES needs 'illicit'.",
            value=gone or "nothing",
        )
    keys = numbered(scores)[list(KEY)].reset_index(drop=True)
    kept = numbered(outcomes)[[*KEY, "illicit"]]
    found = keys.merge(kept, on=list(KEY), how="left", validate="one_to_one")
    known = found["illicit"].notna().to_numpy()
    hit = np.nan_to_num(found["illicit"].to_numpy(np.float64))
    told = aligned("by_segment", "SCORES", scores, keys)
    risk = told["risk_score"].to_numpy(np.float64)
    taken = np.zeros(len(keys))
    taken[known] = taken_at(risk[known], count_at(rate, int(known.sum())))
    rows = []
    for name in map(str, segments):
        values = pd.Series(np.asarray(segments[name], dtype=object))
        if len(values) != len(keys):
            raise TableError(
                "evaluation.segment_values_items_align_2",
                "by_segment: segment {name!r} has {n_values} values for {n_keys} "
                "items; align it with the scores.",
                name=name,
                n_values=len(values),
                n_keys=len(keys),
            )
        code, names = pd.factorize(values.astype("str").fillna("missing"), sort=True)
        rows.append(_rates(name, names, code, (known, hit, taken), least))
    return Segments(pd.concat(rows, ignore_index=True), least)


def _rates(
    segment: str, names: Any, code: Any, what: tuple[Any, Float, Float], least: int
) -> pd.DataFrame:
    """Return the rates of one segment's values."""
    known, hit, taken = what

    def count(weight: Float) -> Float:
        return np.asarray(np.bincount(code, weight, minlength=len(names)), float)

    judged, hits = count(known.astype(float)), count(hit * known)
    selected, found = count(taken), count(taken * hit)
    out = pd.DataFrame(
        {
            "segment": segment,
            "value": names,
            "n_items": np.bincount(code, minlength=len(names)),
            "n_judged": judged.astype(int),
            "hits": hits.astype(int),
            "n_selected": selected,
        }
    )
    parts = ((hits, judged), (selected, judged), (found, selected), (found, hits))
    for measure, (top, below) in zip(_RATES, parts, strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(below > 0, top / below, np.nan)
        low, high = wilson_interval(share, np.where(below > 0, below, np.nan))
        out[measure] = share
        out[f"{measure}_low"], out[f"{measure}_high"] = low, high
    out["note"] = [
        _note(*sizes, least) for sizes in zip(judged, selected, hits, strict=True)
    ]
    return out


def _note(judged: float, selected: float, hits: float, least: int) -> str:
    """Say which rates stand on fewer items than are asked for."""
    if judged < least:
        return f"fewer than {least} items with a result"
    few = [name for name, n in (("precision", selected), ("recall", hits)) if n < least]
    return f"fewer than {least} items for {' and '.join(few)}" if few else ""


def standard_segments(
    declarations: pd.DataFrame,
    *,
    past: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    most: int = 10,
) -> pd.DataFrame:
    """Return the usual segments of items, by the columns that are there.

    Parameters
    ----------
    declarations : DataFrame
        DECLARATIONS of the judged items.
    past : DataFrame, default=None
        DECLARATIONS before them: for the size and the novelty of importers.
    truth : DataFrame, default=None
        Truth of a made world for the same items in the same order: for the kind of
        fraud. Recall by kind is what it is for; every honest item is of kind "none".
    most : int, default=10
        Values of a segment that are told apart; the others are "other".

    Returns
    -------
    segments : DataFrame
        Aligned with `declarations`: office, origin, section (of the Harmonized
        System), month, and importer_size ("new", "1-9", "10-99", "100 or more" items
        before), importer_novelty, typology where they can be told. What is missing is
        "missing"; chapters outside I to XXI (77, 98, 99) are "other".

    Raises
    ------
    TableError
        If `truth` has other items than `declarations`.

    Examples
    --------
    >>> import smartrisk as sr
    >>> items = sr.datasets.make_declarations(500, random_state=0).declarations
    >>> list(sr.evaluation.standard_segments(items))
    ['office', 'origin', 'section', 'month']
    """
    out: dict[str, Any] = {}
    for name in ("office", "origin"):
        if name in declarations:
            values = declarations[name].astype("str").fillna("missing")
            common = [*values.value_counts().index[:most], "missing"]
            out[name] = values.where(values.isin(common), "other")
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
        out["typology"] = _typology(declarations, truth)
    return pd.DataFrame(out, index=declarations.index)


def _sections(codes: pd.Series) -> Any:
    """Return the section of the Harmonized System by the chapter of a code."""
    text = codes.astype("str").str[:2]
    chapter = pd.to_numeric(text, errors="coerce").fillna(0).to_numpy(np.int64)
    section = np.array(_ROMAN, dtype=object)[np.searchsorted(_LAST, chapter)]
    national = (chapter == 77) | (chapter > 97)
    return np.where(chapter < 1, "missing", np.where(national, "other", section))


def _typology(declarations: pd.DataFrame, truth: pd.DataFrame) -> Any:
    """Return the kind of fraud of every item, if the truth is that of the items."""
    shared = [c for c in KEY if c in declarations and c in truth]
    if "typology" not in truth or len(truth) != len(declarations):
        raise TableError(
            "evaluation.truth_needs_column_typology",
            "standard_segments: 'truth' needs a column 'typology' and one row "
            "for each of {n_declarations} items; got {n_truth}. Take the same "
            "items.",
            n_declarations=len(declarations),
            n_truth=len(truth),
        )
    other = (truth[shared].to_numpy() != declarations[shared].to_numpy()).any(axis=1)
    if other.any():
        raise TableError(
            "evaluation.rows_truth_other_items",
            "standard_segments: {other} rows of 'truth' are of other items "
            "than 'declarations' at their place. Bring both into one order.",
            other=int(other.sum()),
        )
    return truth["typology"].to_numpy()
