"""What matters over many items: importance, stability, dependence, segments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, check_choice, check_number, suggest_nearest
from smartrisk.explanations._grouping import Float
from smartrisk.explanations._reasons import Reasons

_BY = ("concept", "field", "feature")


def importance(
    reasons: Reasons,
    by: str = "concept",
    *,
    n_boot: int = 200,
    confidence: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return how much each concept, field or feature moves the scores.

    Parameters
    ----------
    reasons : Reasons
        Of many items, as `RiskEngine.explain` gives them.
    by : str, default="concept"
        "concept", "field" or "feature".
    n_boot : int, default=200
        Bootstrap samples of whole declarations.
    confidence : float, default=0.95
        Of the interval.
    random_state : int, default=0
        Seed of the samples.

    Returns
    -------
    frame : DataFrame
        ``name``, ``mean_abs`` (mean size of the contribution, log-odds), ``low``,
        ``high`` and ``share`` (of all of them), the largest first.

    Notes
    -----
    The mean absolute SHAP value of Lundberg and Lee (2017). It tells what the model
    uses, not what causes irregularity.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(200))
    >>> found = sr.explanations.importance(reasons)
    >>> round(float(found["share"].sum()), 6)
    1.0
    """
    check_number("importance", "n_boot", n_boot, low=1, integer=True)
    check_number("importance", "confidence", confidence, low=0, high=1)
    sizes = _folded("importance", reasons, by).abs()
    codes, found = pd.factorize(reasons._declarations["declaration_id"])
    sums = np.zeros((len(found), sizes.shape[1]))
    np.add.at(sums, codes, sizes.to_numpy())
    counts = np.bincount(codes, minlength=len(found)).astype(np.float64)
    rng = np.random.default_rng(random_state)
    drawn = np.empty((n_boot, sizes.shape[1]))
    for number in range(n_boot):
        times = np.bincount(
            rng.integers(0, len(found), len(found)), minlength=len(found)
        )
        drawn[number] = times @ sums / (times @ counts)
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(drawn, [tail, 100.0 - tail], axis=0)
    mean = sizes.mean(axis=0).to_numpy()
    total = mean.sum() or 1.0
    frame = pd.DataFrame(
        {
            "name": list(sizes.columns),
            "mean_abs": mean,
            "low": low,
            "high": high,
            "share": mean / total,
        }
    )
    ranked = frame.sort_values("mean_abs", ascending=False, kind="stable")
    return ranked.reset_index(drop=True)


def stability(
    reasons: Reasons, by: str = "concept", *, period: str = "M"
) -> pd.DataFrame:
    """Return the importance in each period: whether the model keeps its reasons.

    Parameters
    ----------
    reasons : Reasons
        Of many items.
    by : str, default="concept"
        "concept", "field" or "feature".
    period : str, default="M"
        "M" for months, "Q" for quarters, "Y" for years, "W" for weeks.

    Returns
    -------
    frame : DataFrame
        ``period`` (its first day), ``n_items``, ``name``, ``mean_abs``, ``share`` (of
        the period) and ``rank``.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> told = sr.explanations.stability(reasons, period="Q")
    >>> sorted(told.columns)
    ['mean_abs', 'n_items', 'name', 'period', 'rank', 'share']
    """
    check_choice("stability", "period", period, ("W", "M", "Q", "Y"))
    sizes = _folded("stability", reasons, by).abs().reset_index(drop=True)
    lodged = _column("stability", reasons, "lodged_at")
    when = pd.DatetimeIndex(lodged).to_period(period).start_time
    grouped = sizes.groupby(np.asarray(when))
    means = grouped.mean().rename_axis("period").reset_index()
    frame = means.melt("period", var_name="name", value_name="mean_abs")
    frame = frame.sort_values("period", kind="stable", ignore_index=True)
    frame.insert(1, "n_items", frame["period"].map(grouped.size()).astype("int64"))
    total = frame.groupby("period")["mean_abs"].transform("sum")
    frame["share"] = frame["mean_abs"] / total.where(total > 0, 1.0)
    ranks = frame.groupby("period")["mean_abs"].rank(ascending=False, method="first")
    return frame.assign(rank=ranks.astype("int64"))


def dependence(reasons: Reasons, feature: str, *, n_bins: int = 10) -> pd.DataFrame:
    """Return how the contribution of a feature moves with its value.

    Parameters
    ----------
    reasons : Reasons
        Of many items.
    feature : str
        Name of a feature.
    n_bins : int, default=10
        Most groups of like size that the values are cut into.

    Returns
    -------
    frame : DataFrame
        ``low`` and ``high`` (values in the group; missing where the value is),
        ``n_items``, ``mean`` contribution, and its 10th and 90th percentile ``q10`` and
        ``q90``, in log-odds.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> told = sr.explanations.dependence(reasons, "duty_rate")
    >>> int(told["n_items"].sum())
    500
    """
    check_number("dependence", "n_bins", n_bins, low=1, integer=True)
    names = list(reasons._plan.names)
    if feature not in names:
        raise ArgumentError(
            "explanations.feature_among",
            "dependence: no feature {feature!r} among {n_names}.{hint}",
            feature=feature,
            n_names=len(names),
            hint=suggest_nearest(feature, names),
        )
    place = names.index(feature)
    values = pd.Series(np.asarray(reasons._matrix[:, place], np.float64))
    pushed = pd.Series(reasons._contributions[:, place])
    group = values
    if values.nunique() > n_bins:
        group = pd.Series(pd.qcut(values, n_bins, labels=False, duplicates="drop"))
    both = pd.DataFrame({"value": values, "pushed": pushed})
    found = both.groupby(group.fillna(np.inf), sort=True)
    return pd.DataFrame(
        {
            "low": found["value"].min(),
            "high": found["value"].max(),
            "n_items": found.size(),
            "mean": found["pushed"].mean(),
            "q10": found["pushed"].quantile(0.1),
            "q90": found["pushed"].quantile(0.9),
        }
    ).reset_index(drop=True)


def segment_profile(
    reasons: Reasons, segment: Any, *, by: str = "concept"
) -> pd.DataFrame:
    """Return the mean contributions in each segment: why one scores above another.

    Parameters
    ----------
    reasons : Reasons
        Of many items.
    segment : str or array-like of shape (n_items,)
        A declared field, as "office", or a segment per item.
    by : str, default="concept"
        "concept", "field" or "feature".

    Returns
    -------
    frame : DataFrame
        One line per segment: ``n_items``, ``raw_score`` (mean log-odds), ``base`` and
        one column per concept, field or feature. Base and columns add up to
        ``raw_score``.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> told = sr.explanations.segment_profile(reasons, "office")
    >>> int(told["n_items"].sum())
    500
    """
    if isinstance(segment, str):
        segment = _column("segment_profile", reasons, segment)
    groups = np.asarray(segment, dtype=object)
    if groups.shape != (len(reasons),):
        raise ArgumentError(
            "explanations.segment_value_each_items",
            "segment_profile: 'segment' must hold one value for each of the "
            "{n_reasons} items; got the shape {shape}.",
            n_reasons=len(reasons),
            shape=groups.shape,
        )
    parts = _folded("segment_profile", reasons, by).reset_index(drop=True)
    parts.insert(0, "base", reasons.base_values)
    parts.insert(0, "raw_score", reasons.raw_score)
    groups = np.where(pd.isna(groups), "not declared", groups).astype(str)
    found = parts.groupby(groups)
    frame = found.mean().rename_axis("segment")
    frame.insert(0, "n_items", found.size())
    return frame.reset_index()


def _folded(place: str, reasons: Reasons, by: str) -> pd.DataFrame:
    """Return contributions of items by concept, field or feature."""
    check_choice(place, "by", by, _BY)
    if not len(reasons):
        raise ArgumentError(
            "explanations.there_item_explain",
            "{place}: there is no item. Explain at least one.",
            place=place,
        )
    if by == "concept":
        return reasons.by_concept()
    if by == "field":
        return reasons.by_field()
    values: Float = reasons._contributions[:, :-1]
    return pd.DataFrame(values, columns=list(reasons._plan.names))


def _column(place: str, reasons: Reasons, name: str) -> pd.Series:
    """Return a declared column."""
    columns = reasons._declarations.columns
    if name not in columns:
        raise ArgumentError(
            "explanations.items_field",
            "{place}: the items have no field {name!r}.{hint}",
            place=place,
            name=name,
            hint=suggest_nearest(name, columns),
        )
    return reasons._declarations[name]
