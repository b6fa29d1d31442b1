"""What officers add to a policy, and whose findings depart from what cases predict."""

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
from smartrisk.evaluation._calibration import wilson_interval
from smartrisk.evaluation._logged_decisions import Float, numbered
from smartrisk.results import Result
from smartrisk.schema import KEY

#: How strict a channel is.
_LEVEL = {"green": 0, "blue": 1, "yellow": 2, "red": 3}
TYPES = ("added", "released", "stricter", "milder", "agreed")
#: Cases up to which the distribution of hits is computed exactly.
_EXACT = 2_000


@dataclass(frozen=True, eq=False, repr=False)
class OfficerReport(Result):
    """A table about officers' decisions or findings.

    Parameters
    ----------
    table : DataFrame
        One row per type of override, or per officer.
    summary : dict
        Figures of all.

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

    table: pd.DataFrame
    summary: dict[str, float]

    def frame(self) -> pd.DataFrame:
        """Return the table.

        Returns
        -------
        frame : DataFrame
            As the function that made it says.
        """
        return self.table.copy()

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {value:.3g}" for name, value in self.summary.items())
        return f"OfficerReport({told})"


def judge_overrides(
    decisions: pd.DataFrame,
    overrides: pd.DataFrame,
    outcomes: pd.DataFrame | None = None,
    *,
    scores: pd.DataFrame | None = None,
) -> OfficerReport:
    """Return how often officers agreed with a policy, and what their changes added.

    Parameters
    ----------
    decisions : DataFrame
        DECISIONS of the policy.
    overrides : DataFrame
        Key and the ``channel`` that an officer chose instead, one row per item.
    outcomes : DataFrame, default=None
        OUTCOMES of what was inspected in the end.
    scores : DataFrame, default=None
        SCORES, for what the model expected.

    Returns
    -------
    report : OfficerReport
        ``frame()``: one row per type: "added" (controlled instead of released),
        "released", "stricter", "milder" (another control) and "agreed" (the policy's
        controls that stood), with n, share (of all decisions), n_known, hits,
        hit_rate and its interval (Wilson, 95 %); with scores n_scored and expected
        (hits that the scores foresaw among the known) and added_value: hits beyond
        them, per 100 controls. ``summary``: agreement, the share of decisions that
        stood.

    Raises
    ------
    TableError
        If an override is of no decision, or of an item twice.
    ArgumentError
        If a channel is unknown.

    Notes
    -----
    What officers released has no result: whether that was right can only be told from
    a random share of such items that is inspected all the same.

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
    flow = _changed(numbered(decisions), numbered(overrides))
    flow = _with(flow, outcomes, "illicit")
    flow = _with(flow, scores, "risk_score")
    rows = []
    for kind in TYPES:
        part = flow[flow["type"] == kind]
        known = part[part["illicit"].notna()]
        n, hits = len(known), int(known["illicit"].sum())
        low = high = math.nan
        if n:
            bounds = wilson_interval([hits / n], [n])
            low, high = float(bounds[0][0]), float(bounds[1][0])
        row: dict[str, Any] = {
            "type": kind,
            "n": len(part),
            "share": len(part) / len(flow) if len(flow) else math.nan,
            "n_known": n,
            "hits": hits,
            "hit_rate": hits / n if n else math.nan,
            "hit_rate_low": low,
            "hit_rate_high": high,
        }
        if scores is not None:
            scored = known[known["risk_score"].notna()]
            foreseen = float(scored["risk_score"].sum())
            found = float(scored["illicit"].sum())
            row["n_scored"], row["expected"] = len(scored), foreseen
            row["added_value"] = (
                100 * (found - foreseen) / len(scored) if len(scored) else math.nan
            )
        rows.append(row)
    changed = int(flow["type"].isin(TYPES[:-1]).sum())
    agreement = 1 - changed / len(flow) if len(flow) else math.nan
    return OfficerReport(pd.DataFrame(rows), {"agreement": agreement})


def _changed(decisions: pd.DataFrame, overrides: pd.DataFrame) -> pd.DataFrame:
    """Return decisions with what officers made of them."""
    key = list(KEY)
    twice = overrides.duplicated(key)
    if twice.any():
        ids = overrides.loc[twice, "declaration_id"].tolist()
        raise TableError(
            "evaluation.overrides_item_already_keep",
            "judge_overrides: {twice} overrides are of an item that has one "
            "already, as {ids}. Keep the last of each.",
            twice=int(twice.sum()),
            ids=format_values(ids),
        )
    for name, frame in (("decisions", decisions), ("overrides", overrides)):
        strange = sorted(set(frame["channel"].dropna()) - set(_LEVEL))
        if strange:
            raise ArgumentError(
                "evaluation.unknown_channels_known",
                "judge_overrides: unknown channels in {name!r}: {strange}; known "
                "are {LEVEL}.",
                name=name,
                strange=format_values(strange),
                LEVEL=format_values(list(_LEVEL)),
            )
    flow = decisions[[*key, "channel"]].merge(
        overrides[[*key, "channel"]], on=key, how="left", suffixes=("", "_final")
    )
    n_met = int(flow["channel_final"].notna().sum())
    if n_met < len(overrides):
        raise TableError(
            "evaluation.overrides_items_without_decision",
            "judge_overrides: {n_overrides} overrides are of items without a "
            "decision. Pass the decisions of all items.",
            n_overrides=len(overrides) - n_met,
        )
    was = flow["channel"].map(_LEVEL)
    became = flow["channel_final"].map(_LEVEL).fillna(was)
    controlled, now = was >= 2, became >= 2
    flow["type"] = np.select(
        [
            ~controlled & now,
            controlled & ~now,
            became > was,
            became < was,
            controlled,
        ],
        list(TYPES),
        default="",
    )
    return flow


def _with(flow: pd.DataFrame, table: pd.DataFrame | None, name: str) -> pd.DataFrame:
    """Return the flow with a column of another table, missing where it has no row."""
    if table is None:
        return flow.assign(**{name: np.nan})
    if name not in table:
        raise TableError(
            "evaluation.table_lacks_column",
            "judge_overrides: a table lacks the column {name!r}.",
            name=name,
        )
    return flow.merge(numbered(table)[[*KEY, name]], on=list(KEY), how="left")


def inspection_integrity(
    outcomes: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    by: str = "officer_id",
    min_cases: int = 20,
    level: float = 0.05,
) -> OfficerReport:
    """Return whose hit rate departs from what their cases predict.

    Use it to choose whose files to look at: of officers, of brokers, of pairs of both.
    It is a question, never an answer; skill, posts and luck differ too.

    Parameters
    ----------
    outcomes : DataFrame
        OUTCOMES with the column `by`.
    scores : DataFrame
        SCORES of the same items, of a model that did not learn from these results.
    by : str, default="officer_id"
        Column of `outcomes` that names who is compared.
    min_cases : int, default=20
        Who has fewer cases is listed and not tested.
    level : float, default=0.05
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
        If a column is missing, or no result has a score.

    Notes
    -----
    Scores are shifted in log-odds until they sum to the hits of all, so that who is
    compared is compared with the others. Given the cases, hits follow a
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
    check_number("inspection_integrity", "min_cases", min_cases, low=1, integer=True)
    check_number("inspection_integrity", "level", level, low=1e-6, high=0.5)
    for name, frame, column in (
        ("OUTCOMES", outcomes, by),
        ("OUTCOMES", outcomes, "illicit"),
        ("SCORES", scores, "risk_score"),
    ):
        if column not in frame:
            raise TableError(
                "evaluation.lacks_column",
                "inspection_integrity: {name} lacks the column {column!r}.",
                name=name,
                column=column,
            )
    cases = numbered(outcomes).merge(
        numbered(scores)[[*KEY, "risk_score"]], on=list(KEY), how="inner"
    )
    cases = cases[cases[by].notna() & cases["illicit"].notna()]
    if cases.empty:
        raise TableError(
            "evaluation.result_score_check_keys",
            "inspection_integrity: no result has a score; check the keys.",
        )
    hit = cases["illicit"].to_numpy(np.float64)
    chance = _recalibrated(cases["risk_score"].to_numpy(np.float64), hit)
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
    table["flagged"] = adjusted <= level
    table = table.sort_values(["p_value", by], ignore_index=True)
    summary = {
        "n_tested": float(tested.sum()),
        "n_flagged": float(table["flagged"].sum()),
    }
    return OfficerReport(table, summary)


def _recalibrated(risk: Float, hit: Float) -> Float:
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
