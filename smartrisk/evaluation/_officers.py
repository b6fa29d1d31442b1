"""What officers add to a policy, and whose findings differ from the expected ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import false_discovery_control, norm

from smartrisk.errors import ArgumentError, TableError, check_number, format_values
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Float,
    check_columns,
    match_results,
    numbers_of,
    read_rankings,
    unique_keys,
)
from smartrisk.intervals import wilson_interval
from smartrisk.items import are_among, check_unique, join_by_key
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

#: How strict a channel is: from 2 on, the item is controlled before its release.
_STRICTNESS = {"green": 0, "blue": 1, "yellow": 2, "red": 3}
TYPES = ("added", "released", "stricter", "milder", "agreed")
#: Cases up to which the distribution of hits is computed exactly: the time grows with
#: their square.
_EXACT = 2_000


@dataclass(frozen=True, eq=False, repr=False)
class OfficerReport(Result):
    """A table about officers' decisions or findings.

    Parameters
    ----------
    _table : DataFrame
        One row per type of override, or per officer.
    _summary : dict of str to float
        Overall figures, by name.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import judge_overrides
    >>> decisions = pd.DataFrame({"declaration_id": ["a", "b"],
    ...                           "channel": ["red", "green"]})
    >>> overrides = pd.DataFrame({"declaration_id": ["b"], "channel": ["red"]})
    >>> judge_overrides(decisions, overrides).summary["agreement"]
    0.5
    """

    _table: pd.DataFrame
    _summary: dict[str, float]

    @property
    def summary(self) -> dict[str, float]:
        """Overall figures, by name; a copy."""
        return dict(self._summary)

    def frame(self) -> pd.DataFrame:
        """Return one row per type of override, or per officer.

        Returns
        -------
        frame : DataFrame
            The columns that `judge_overrides` or `inspection_integrity` describes.
        """
        return self._table.copy()

    def __repr__(self) -> str:
        """Return the figures of all."""
        figures = ", ".join(f"{name} {v:.3g}" for name, v in self._summary.items())
        return f"OfficerReport({figures})"


def judge_overrides(
    decisions: TableInput,
    overrides: TableInput,
    outcomes: TableInput | None = None,
    *,
    scores: TableInput | None = None,
) -> OfficerReport:
    """Return how often officers agreed with a policy, and what their changes added.

    Parameters
    ----------
    decisions : DataFrame
        DECISIONS of the policy, one row per item.
    overrides : DataFrame
        Key and the ``channel`` that an officer chose instead, one row per item.
    outcomes : DataFrame, default=None
        OUTCOMES of the items that were inspected in the end, joined by key.
    scores : DataFrame, default=None
        SCORES, joined by key, for what the model expected.

    Returns
    -------
    report : OfficerReport
        ``frame()``: one row per type: "added" (controlled instead of released),
        "released", "stricter", "milder" (another control) and "agreed" (the policy's
        controls that were kept), with n, share (of all decisions), n_known, hits,
        hit_rate and its interval (Wilson, 95 %); with scores n_scored and expected
        (hits that the scores predict among the known) and added_value: hits beyond
        them, per 100 controls. ``summary``: agreement, the share of decisions that
        were kept.

    Raises
    ------
    TableError
        If an override has no decision, or a table repeats a key or lacks a column.
    ArgumentError
        If a channel is unknown.

    Notes
    -----
    What officers released has no result: whether that was right can only be estimated
    from a random share of such items that is inspected nevertheless.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import judge_overrides
    >>> decisions = pd.DataFrame({"declaration_id": ["a", "b"],
    ...                           "channel": ["red", "green"]})
    >>> overrides = pd.DataFrame({"declaration_id": ["b"], "channel": ["red"]})
    >>> outcomes = pd.DataFrame({"declaration_id": ["b"], "illicit": [1]})
    >>> table = judge_overrides(decisions, overrides, outcomes).frame()
    >>> table.set_index("type").loc["added", "hits"]
    np.int64(1)
    """
    decisions = read_table("judge_overrides", "'decisions'", decisions)
    overrides = read_table("judge_overrides", "'overrides'", overrides)
    outcomes = read_table("judge_overrides", "'outcomes'", outcomes)
    scores = read_table("judge_overrides", "'scores'", scores)
    flow = _typed_changes(decisions, overrides)
    keys = unique_keys("judge_overrides", "DECISIONS", decisions)
    flow["known"], flow["hit"] = False, 0.0
    if outcomes is not None:
        results = match_results("judge_overrides", keys, outcomes)
        flow["known"], flow["hit"] = results.known, results.hit
    if scores is not None:
        check_columns("judge_overrides", "SCORES", scores, ("risk_score",))
        joined = join_by_key(
            keys, scores, ["risk_score"], owner="judge_overrides", name="SCORES"
        )
        flow["risk_score"] = numbers_of(
            "judge_overrides", "SCORES", joined["risk_score"]
        )
    rows = [
        _override_row(kind, flow[flow["type"] == kind], len(flow)) for kind in TYPES
    ]
    changed = int(flow["type"].isin(TYPES[:-1]).sum())
    agreement = 1 - changed / len(flow) if len(flow) else math.nan
    return OfficerReport(pd.DataFrame(rows), {"agreement": agreement})


def _override_row(kind: str, part: pd.DataFrame, n_decisions: int) -> dict[str, Any]:
    """Return the figures of one type of override."""
    known = part[part["known"]]
    n, hits = len(known), int(known["hit"].sum())
    low = high = math.nan
    if n:
        bounds = wilson_interval([hits / n], [n])
        low, high = float(bounds[0][0]), float(bounds[1][0])
    row: dict[str, Any] = {
        "type": kind,
        "n": len(part),
        "share": len(part) / n_decisions if n_decisions else math.nan,
        "n_known": n,
        "hits": hits,
        "hit_rate": hits / n if n else math.nan,
        "hit_rate_low": low,
        "hit_rate_high": high,
    }
    if "risk_score" in known:
        scored = known[known["risk_score"].notna()]
        expected = float(scored["risk_score"].sum())
        more = float(scored["hit"].sum()) - expected
        row["n_scored"], row["expected"] = len(scored), expected
        row["added_value"] = 100 * more / len(scored) if len(scored) else math.nan
    return row


def _typed_changes(decisions: pd.DataFrame, overrides: pd.DataFrame) -> pd.DataFrame:
    """Return the type of change of every decision: a column `type`."""
    for table, frame in (("DECISIONS", decisions), ("'overrides'", overrides)):
        check_columns("judge_overrides", table, frame, ("declaration_id", "channel"))
        check_unique("judge_overrides", table, frame)
        unknown = sorted(set(frame["channel"].dropna()) - set(_STRICTNESS))
        if unknown:
            raise ArgumentError(
                "evaluation.channels_unknown",
                "judge_overrides: {table} has the unknown channels {channels}; known "
                "are {allowed}.",
                table=table,
                channels=format_values(unknown),
                allowed=format_values(_STRICTNESS),
            )
    decided = are_among(overrides, decisions)
    if not decided.all():
        undecided = overrides["declaration_id"][~decided].tolist()
        raise TableError(
            "evaluation.overrides_without_decision",
            "judge_overrides: {n_overrides} overrides are of items without a decision, "
            "such as {examples}. Pass the decisions of all items.",
            n_overrides=len(undecided),
            examples=format_values(undecided),
        )
    final = join_by_key(decisions, overrides, ["channel"])["channel"]
    before = decisions["channel"].map(_STRICTNESS).to_numpy(np.float64, na_value=np.nan)
    after = final.map(_STRICTNESS).to_numpy(np.float64, na_value=np.nan)
    after = np.where(np.isnan(after), before, after)
    controlled, now = before >= 2, after >= 2
    kinds = np.select(
        [
            ~controlled & now,
            controlled & ~now,
            after > before,
            after < before,
            controlled,
        ],
        list(TYPES),
        default="",
    )
    return pd.DataFrame({"type": kinds})


def inspection_integrity(
    outcomes: TableInput,
    scores: TableInput,
    *,
    by: str = "officer_id",
    min_cases: int = 20,
    alpha: float = 0.05,
) -> OfficerReport:
    """Return officers or brokers whose hit rate differs from what their cases predict.

    Use it to choose whose files to look at: of officers, of brokers, of pairs of both.
    A difference is a reason to ask, not a finding: skill, posts and chance differ too.

    Parameters
    ----------
    outcomes : DataFrame
        OUTCOMES with the column `by`, one row per item.
    scores : DataFrame
        SCORES of the same items, joined by key, of a model that did not learn from
        these results.
    by : str, default="officer_id"
        Column of `outcomes` that names the person or pair to compare.
    min_cases : int, default=20
        Those with fewer cases are listed and not tested.
    alpha : float, default=0.05
        Share of false alarms among the alarms that is accepted (false discovery rate).

    Returns
    -------
    report : OfficerReport
        ``frame()``: one row each, the smallest p first: name, n_cases, hits, expected
        (after recalibration), ratio, p_value (two-sided), p_adjusted, flagged and
        direction ("fewer" or "more"). ``summary``: n_tested, n_flagged.

    Raises
    ------
    TableError
        If a column is missing, a key is repeated, or no result has a score.
    ArgumentError
        If `min_cases` or `alpha` is outside what is allowed.

    Notes
    -----
    Scores are shifted in log-odds until they sum to the hits of all, so that everyone
    is compared with the others. Given the cases, hits follow a
    Poisson-binomial distribution, computed exactly up to 2,000 cases and by its normal
    approximation above. Many are tested at once: p-values are adjusted to hold the
    false discovery rate (Benjamini and Hochberg 1995).

    References
    ----------
    Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate. Journal of
    the Royal Statistical Society B 57.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.evaluation import inspection_integrity
    >>> outcomes = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(400)],
    ...     "illicit": [int(k % 4 == 0 and k >= 100) for k in range(400)],
    ...     "officer_id": np.repeat(list("abcd"), 100)})
    >>> scores = outcomes[["declaration_id"]].assign(risk_score=0.2)
    >>> report = inspection_integrity(outcomes, scores).frame()
    >>> report.loc[report["flagged"], "officer_id"].tolist()
    ['a']
    """
    outcomes = read_table("inspection_integrity", "'outcomes'", outcomes)
    scores = read_table("inspection_integrity", "'scores'", scores)
    check_number("inspection_integrity", "min_cases", min_cases, low=1, integer=True)
    check_number("inspection_integrity", "alpha", alpha, low=1e-6, high=0.5)
    cases = _scored_cases(outcomes, scores, by)
    hit = cases["hit"].to_numpy(np.float64)
    chance = _recalibrate(cases["risk_score"].to_numpy(np.float64), hit)
    rows = []
    for who, rows_of in cases.groupby(by, sort=True).indices.items():
        p, hits = chance[rows_of], int(hit[rows_of].sum())
        expected = float(p.sum())
        rows.append(
            {
                by: who,
                "n_cases": len(p),
                "hits": hits,
                "expected": expected,
                "ratio": hits / expected if expected else math.nan,
                "p_value": two_sided(p, hits) if len(p) >= min_cases else math.nan,
                "direction": "fewer" if hits < expected else "more",
            }
        )
    table = pd.DataFrame(rows)
    tested = table["p_value"].notna().to_numpy()
    adjusted = np.full(len(table), math.nan)
    if tested.any():
        adjusted[tested] = false_discovery_control(table.loc[tested, "p_value"])
    table["p_adjusted"] = adjusted
    table["flagged"] = adjusted <= alpha
    table = table.sort_values(["p_value", by], ignore_index=True)
    summary = {
        "n_tested": float(tested.sum()),
        "n_flagged": float(table["flagged"].sum()),
    }
    return OfficerReport(table, summary)


def _scored_cases(
    outcomes: pd.DataFrame, scores: pd.DataFrame, by: str
) -> pd.DataFrame:
    """Return name, hit and score of every result that has them."""
    owner = "inspection_integrity"
    check_columns(owner, "OUTCOMES", outcomes, (by, "illicit"))
    check_columns(owner, "SCORES", scores, RANKINGS[:1])
    keys = unique_keys(owner, "OUTCOMES", outcomes)
    results = match_results(owner, keys, outcomes)
    scored = are_among(keys, scores)
    risk = join_by_key(keys, scores, ["risk_score"], owner=owner, name="SCORES")
    kept = scored & results.known & outcomes[by].notna().to_numpy()
    if not kept.any():
        raise TableError(
            "evaluation.no_scored_result",
            "inspection_integrity: no result has a score and a {by!r}. Check that the "
            "keys of both tables are those of the same items.",
            by=by,
        )
    rankings = read_rankings(owner, "SCORES", risk, kept)
    return pd.DataFrame(
        {
            by: outcomes[by].to_numpy()[kept],
            "hit": results.hit[kept],
            "risk_score": rankings[RANKINGS[0]][kept],
        }
    )


def _recalibrate(risk: Float, hit: Float) -> Float:
    """Return scores shifted in log-odds until they sum to the hits."""
    odds = logit(np.clip(risk, 1e-6, 1 - 1e-6))
    hits = float(hit.sum())
    if not 0 < hits < len(hit):
        return np.full(len(hit), hits / len(hit))
    shift = brentq(lambda s: float(expit(odds + s).sum()) - hits, -40.0, 40.0)
    return np.asarray(expit(odds + shift), np.float64)


def two_sided(chance: Float, hits: int) -> float:
    """Return twice the smaller tail of a sum of independent hits, at most 1."""
    if len(chance) > _EXACT:
        mean, spread = chance.sum(), math.sqrt(float((chance * (1 - chance)).sum()))
        gap = max(abs(hits - mean) - 0.5, 0.0) / max(spread, 1e-12)
        return float(min(2 * norm.sf(gap), 1.0))
    mass = np.ones(1)
    for p in chance:
        mass = np.convolve(mass, [1 - p, p])
    below, above = float(mass[: hits + 1].sum()), float(mass[hits:].sum())
    return min(2 * min(below, above), 1.0)
