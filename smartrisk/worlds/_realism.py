"""How much a set of declarations looks like the ones that are published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError
from smartrisk.results import Result
from smartrisk.worlds._published_figures import ANCHORS

_NEW = pd.DateOffset(months=3)  # the last quarter is what is new
_FEW = 50  # results of an office below which its hit rate says nothing


@dataclass(frozen=True, eq=False, repr=False)
class Realism(Result):
    """Figures of a set of declarations beside published ones.

    Parameters
    ----------
    table : DataFrame
        One row per figure.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations, realism
    >>> report = realism(make_declarations(20_000, random_state=0))
    >>> report.frame()["verdict"].isin(["within", "not judged"]).mean() > 0.8
    np.True_
    """

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per figure.

        Returns
        -------
        frame : DataFrame
            group, figure, value, anchor, low, high, verdict ("within", "outside",
            "not judged" where nothing is published, "not told" where the columns are
            missing), source; and ``reference`` where a reference was given.
        """
        return self.table.copy()

    @property
    def outside(self) -> list[str]:
        """Figures that are outside of their bounds."""
        away = self.table["verdict"] == "outside"
        return self.table.loc[away, "figure"].tolist()

    def __repr__(self) -> str:
        counts = self.table["verdict"].value_counts()
        return f"Realism({counts.get('within', 0)} within, {len(self.outside)} outside)"


def realism(subject: Any, *, reference: Any = None) -> Realism:
    """Return figures of a world or a set beside published ones.

    Use it to see what a scenario resembles, and what it does not: tails, cold start,
    tariff mix, routes, calendar, missing values, fraud and control.

    Parameters
    ----------
    subject : World, PublicSet or DataFrame
        What to describe; a frame of DECLARATIONS has no results to tell of.
    reference : World, PublicSet or DataFrame, default=None
        Another set, described in a column of its own.

    Returns
    -------
    realism : Realism
        Figures, anchors, verdicts.

    Raises
    ------
    ArgumentError
        If something has no declarations.

    Notes
    -----
    An anchor is published of one country or a few; the bounds around it are a
    judgement. Within bounds means that nothing is odd there, not that a world is real.
    "Never seen" is by items: the share of the last three months' items whose importer
    does not occur before them.

    References
    ----------
    Jeong, C., Kim, S., Park, J., Choi, Y. (2022). Customs import declaration
    datasets. arXiv:2208.02484.

    Kim, S., et al. (2020). DATE: Dual attentive tree-aware embedding for customs fraud
    detection. KDD.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations, realism
    >>> realism(make_declarations(20_000, random_state=0)).frame().shape[1]
    8
    """
    figures = _figures(subject)
    table = pd.DataFrame(ANCHORS)
    table.insert(2, "value", table["figure"].map(figures).astype(float))
    if reference is not None:
        other = table["figure"].map(_figures(reference)).astype(float)
        table.insert(3, "reference", other)
    table["anchor"] = table["anchor"].astype(float)
    inside = table["value"].between(table["low"], table["high"])
    verdict = np.where(inside, "within", "outside")
    verdict = np.where(table["anchor"].isna(), "not judged", verdict)
    verdict = np.where(table["value"].isna(), "not told", verdict)
    table.insert(len(table.columns) - 1, "verdict", pd.Series(verdict, dtype="str"))
    return Realism(table)


def _figures(subject: Any) -> dict[str, float]:
    """Return what can be told; figures without their columns are absent."""
    items = getattr(subject, "declarations", subject)
    if not isinstance(items, pd.DataFrame) or "lodged_at" not in items:
        raise ArgumentError(
            "worlds.subject_reference_world_publicset_2",
            "realism: 'subject' and 'reference' must be a World, a PublicSet "
            "or a frame of DECLARATIONS with 'lodged_at'; got {subject_type}.",
            subject_type=type(subject).__name__,
        )
    figures = {
        **_tails(items),
        **_cold_start(items),
        **_mix(items),
        **_calendar(items),
        **_missing(items),
    }
    outcomes = getattr(subject, "outcomes", None)
    if outcomes is not None and len(outcomes):
        figures |= _control(items, outcomes)
    truth = getattr(subject, "truth", None)
    if truth is not None:
        quarter = items["lodged_at"].dt.to_period("Q")
        rate = truth["illicit"].groupby(quarter.to_numpy()).mean()
        figures["illicit among all items"] = float(truth["illicit"].mean())
        if rate.min() > 0:
            ratio = float(rate.max() / rate.min())
            figures["quarter of most fraud to that of least"] = ratio
    return figures


def _top(amounts: pd.Series, share: float) -> float:
    """Return what part of the sum the largest `share` of the amounts carries."""
    values = np.sort(amounts.to_numpy(dtype=float))[::-1]
    total = float(values.sum())
    first = float(values[: max(round(share * len(values)), 1)].sum())
    return first / total if total > 0 else np.nan


def _tails(items: pd.DataFrame) -> dict[str, float]:
    """Return concentrations and sizes."""
    out: dict[str, float] = {}
    for name, word in (("customs_value", "value"), ("net_mass_kg", "mass")):
        if name in items:
            positive = items[name][items[name] > 0]
            log = np.log10(positive.to_numpy(dtype=float))
            out[f"mean of log10 {word}"] = float(log.mean()) if len(log) else np.nan
            out[f"spread of log10 {word}"] = float(log.std()) if len(log) else np.nan
    if "customs_value" in items:
        out["value of the top 1 % of items"] = _top(items["customs_value"], 0.01)
        out["value of the top 10 % of items"] = _top(items["customs_value"], 0.1)
    whom = {
        "importers": items.get("importer_id"),
        "declarants": items.get("declarant_id"),
        "HS6 codes": items["tariff_code"].str[:6] if "tariff_code" in items else None,
    }
    for word, names in whom.items():
        if names is not None:
            counts = names.value_counts()
            for share in (1, 10):
                figure = f"items of the top {share} % of {word}"
                out[figure] = _top(counts, share / 100)
            if word == "importers":
                out["importers with one item"] = float((counts == 1).mean())
    return out


def _cold_start(items: pd.DataFrame) -> dict[str, float]:
    """Return shares of the last quarter's items whose names were never seen."""
    late = items["lodged_at"] >= items["lodged_at"].max() - _NEW
    whom = {
        "importers": items.get("importer_id"),
        "consignors": items.get("consignor_id"),
        "HS6 codes": items["tariff_code"].str[:6] if "tariff_code" in items else None,
    }
    out = {}
    for word, names in whom.items():
        if names is not None and late.any() and not late.all():
            known = set(names[~late].dropna())
            new = names[late].dropna()
            out[f"items of {word} never seen"] = float((~new.isin(known)).mean())
    return out


def _mix(items: pd.DataFrame) -> dict[str, float]:
    """Return the mix of tariff and routes, and the size of documents."""
    out = {}
    if "duty_rate" in items:
        out["items free of duty"] = float((items["duty_rate"] == 0).mean())
        top = items["duty_rate"].quantile(0.99)
        out["99th percentile of the duty rate"] = float(top)
    if "origin" in items:
        shares = items["origin"].value_counts(normalize=True)
        out["items from the largest origin"] = float(shares.iloc[0])
        if "departure" in items:
            away = items["origin"] != items["departure"]
            out["departure is not the origin"] = float(away.mean())
    if "transport_mode" in items:
        mode = items["transport_mode"].astype(str).str[0]
        out["items by sea"] = float((mode == "1").mean())
        out["items by air"] = float((mode == "4").mean())
    out["items of a declaration"] = len(items) / items["declaration_id"].nunique()
    return out


def _calendar(items: pd.DataFrame) -> dict[str, float]:
    """Return shares of days of the week, and how months differ."""
    day = items["lodged_at"].dt.day_of_week
    names = ("Monday", "Saturday", "Sunday")
    out = {
        f"items lodged on a {name}": float((day == number).mean())
        for name, number in zip(names, (0, 5, 6), strict=True)
    }
    month = items["lodged_at"].dt.to_period("M").value_counts()
    out["busiest month to the quietest"] = float(month.max() / month.min())
    return out


def _missing(items: pd.DataFrame) -> dict[str, float]:
    """Return shares of what is missing."""
    out = {}
    for name, word in (("consignor_id", "a consignor"), ("carrier_id", "a carrier")):
        if name in items:
            out[f"items without {word}"] = float(items[name].isna().mean())
    if "net_mass_kg" in items:
        out["items of zero mass"] = float((items["net_mass_kg"] == 0).mean())
    return out


def _control(items: pd.DataFrame, outcomes: pd.DataFrame) -> dict[str, float]:
    """Return how many items have a result, the hit rate, and its extremes by office."""
    out = {
        "items with a result": len(outcomes) / len(items),
        "hit rate": float(outcomes["illicit"].mean()),
    }
    if "office" in items:
        key = ["declaration_id", "item_number"]
        both = outcomes[[*key, "illicit"]].merge(items[[*key, "office"]], on=key)
        by_office = both.groupby("office")["illicit"]
        rates = by_office.mean().to_numpy()[by_office.size().to_numpy() >= _FEW]
        if len(rates):
            out["office of the highest hit rate"] = float(rates.max())
            out["office of the lowest hit rate"] = float(rates.min())
    return out
