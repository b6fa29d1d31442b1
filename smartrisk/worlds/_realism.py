"""How far a set of declarations resembles the published ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartrisk.items import join_by_key
from smartrisk.results import Result
from smartrisk.schema import HS_LEVELS
from smartrisk.worlds._declaration_sets import DeclarationSet, declarations_of
from smartrisk.worlds._published_figures import ANCHORS

#: Last part of a set, for which "never seen" is counted: three months, as published.
_NEW = pd.DateOffset(months=3)
#: Minimum number of results of an office whose hit rate is shown: with 50, a rate of 14
#: % has a standard error of 5 points.
_FEW = 50


class Realism(Result):
    """Figures of a set of declarations next to published ones.

    Made by `realism`.

    Parameters
    ----------
    table : DataFrame
        One row per figure.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations, realism
    >>> report = realism(make_declarations(20_000, random_state=0))
    >>> report
    Realism(30 within, 0 outside)
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table.copy()

    def frame(self) -> pd.DataFrame:
        """Return one row per figure.

        Returns
        -------
        frame : DataFrame
            group, figure, value, anchor, low, high, verdict ("within", "outside",
            "not judged" where no figure is published, "not known" where the columns are
            missing), source; and ``reference`` where a reference was given.
        """
        return self._table.copy()

    @property
    def outside(self) -> list[str]:
        """Figures that are outside of their bounds."""
        outside = self._table["verdict"] == "outside"
        return list(self._table.loc[outside, "figure"])

    def __repr__(self) -> str:
        counts = self._table["verdict"].value_counts()
        return f"Realism({counts.get('within', 0)} within, {len(self.outside)} outside)"


def realism(
    subject: DeclarationSet | pd.DataFrame,
    *,
    reference: DeclarationSet | pd.DataFrame | None = None,
) -> Realism:
    """Return figures of a world or a data set next to published ones.

    Use it to see in which traits a scenario resembles real declarations: tails, cold
    start, tariff mix, routes, calendar, missing values, fraud and control.

    Parameters
    ----------
    subject : World, PublicSet or DataFrame
        The set to describe; a frame of DECLARATIONS has no figures of control.
    reference : World, PublicSet or DataFrame, default=None
        Another set, described in a separate column.

    Returns
    -------
    realism : Realism
        Figures, anchors, verdicts.

    Raises
    ------
    ArgumentError
        If `subject` or `reference` has no declarations.

    Notes
    -----
    An anchor is a published figure of one country or a few; the bounds around it are a
    judgement. Within bounds means that the figure is not implausible, not that the data
    are real.
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
    figures = _compute_figures(subject)
    table = pd.DataFrame(ANCHORS)
    table.insert(2, "value", table["figure"].map(figures).astype(float))
    if reference is not None:
        other = table["figure"].map(_compute_figures(reference)).astype(float)
        table.insert(3, "reference", other)
    table["anchor"] = table["anchor"].astype(float)
    inside = table["value"].between(table["low"], table["high"])
    verdict = np.where(inside, "within", "outside")
    verdict = np.where(table["anchor"].isna(), "not judged", verdict)
    verdict = np.where(table["value"].isna(), "not known", verdict)
    table.insert(len(table.columns) - 1, "verdict", pd.Series(verdict, dtype="str"))
    return Realism(table)


def _compute_figures(subject: DeclarationSet | pd.DataFrame) -> dict[str, float]:
    """Return the figures of a set; those whose columns are missing are absent."""
    items = declarations_of("realism", subject, ("lodged_at",))
    figures = {
        **_tail_figures(items),
        **_cold_start_figures(items),
        **_mix_figures(items),
        **_calendar_figures(items),
        **_missing_figures(items),
    }
    outcomes = getattr(subject, "outcomes", None)
    if outcomes is not None and len(outcomes):
        figures |= _control_figures(items, outcomes)
    truth = getattr(subject, "truth", None)
    if truth is not None:
        quarter = items["lodged_at"].dt.to_period("Q")
        rate = truth["illicit"].groupby(quarter.to_numpy()).mean()
        figures["illicit among all items"] = float(truth["illicit"].mean())
        if rate.min() > 0:
            ratio = float(rate.max() / rate.min())
            figures["quarter of most fraud to that of least"] = ratio
    return figures


def _top_share(amounts: pd.Series, share: float) -> float:
    """Return the part of the sum that the largest `share` of the amounts makes up."""
    values = np.sort(amounts.to_numpy(dtype=float))[::-1]
    total = float(values.sum())
    first = float(values[: max(round(share * len(values)), 1)].sum())
    return first / total if total > 0 else np.nan


def _tail_figures(items: pd.DataFrame) -> dict[str, float]:
    """Return concentrations and sizes."""
    out: dict[str, float] = {}
    for name, word in (("customs_value", "value"), ("net_mass_kg", "mass")):
        if name in items:
            positive = items[name][items[name] > 0]
            log = np.log10(positive.to_numpy(dtype=float))
            out[f"mean of log10 {word}"] = float(log.mean()) if len(log) else np.nan
            out[f"spread of log10 {word}"] = float(log.std()) if len(log) else np.nan
    if "customs_value" in items:
        out["value of the top 1 % of items"] = _top_share(items["customs_value"], 0.01)
        out["value of the top 10 % of items"] = _top_share(items["customs_value"], 0.1)
    named = {
        "importers": items.get("importer_id"),
        "declarants": items.get("declarant_id"),
        "HS6 codes": _hs6_codes(items),
    }
    for word, names in named.items():
        if names is not None:
            counts = names.value_counts()
            for share in (1, 10):
                figure = f"items of the top {share} % of {word}"
                out[figure] = _top_share(counts, share / 100)
            if word == "importers":
                out["importers with one item"] = float((counts == 1).mean())
    return out


def _hs6_codes(items: pd.DataFrame) -> pd.Series | None:
    """Return the subheading of every item, None without tariff codes."""
    if "tariff_code" not in items:
        return None
    return items["tariff_code"].str[: HS_LEVELS["hs6"]]


def _cold_start_figures(items: pd.DataFrame) -> dict[str, float]:
    """Return shares of the last quarter's items whose names never occur before it."""
    late = items["lodged_at"] >= items["lodged_at"].max() - _NEW
    named = {
        "importers": items.get("importer_id"),
        "consignors": items.get("consignor_id"),
        "HS6 codes": _hs6_codes(items),
    }
    out = {}
    for word, names in named.items():
        if names is not None and late.any() and not late.all():
            known = set(names[~late].dropna())
            new = names[late].dropna()
            out[f"items of {word} never seen"] = float((~new.isin(known)).mean())
    return out


def _mix_figures(items: pd.DataFrame) -> dict[str, float]:
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
            differs = items["origin"] != items["departure"]
            out["departure is not the origin"] = float(differs.mean())
    if "transport_mode" in items:
        mode = items["transport_mode"].astype(str).str[0]
        out["items by sea"] = float((mode == "1").mean())
        out["items by air"] = float((mode == "4").mean())
    out["items of a declaration"] = len(items) / items["declaration_id"].nunique()
    return out


def _calendar_figures(items: pd.DataFrame) -> dict[str, float]:
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


def _missing_figures(items: pd.DataFrame) -> dict[str, float]:
    """Return shares of items whose consignor, carrier or mass is missing."""
    out = {}
    for name, word in (("consignor_id", "a consignor"), ("carrier_id", "a carrier")):
        if name in items:
            out[f"items without {word}"] = float(items[name].isna().mean())
    if "net_mass_kg" in items:
        out["items of zero mass"] = float((items["net_mass_kg"] == 0).mean())
    return out


def _control_figures(items: pd.DataFrame, outcomes: pd.DataFrame) -> dict[str, float]:
    """Return how many items have a result, the hit rate, and its extremes by office."""
    out = {
        "items with a result": len(outcomes) / len(items),
        "hit rate": float(outcomes["illicit"].mean()),
    }
    if "office" in items:
        results = join_by_key(outcomes, items, ["office"], how="inner", owner="realism")
        by_office = results.groupby("office")["illicit"]
        rates = by_office.mean().to_numpy()[by_office.size().to_numpy() >= _FEW]
        if len(rates):
            out["office of the highest hit rate"] = float(rates.max())
            out["office of the lowest hit rate"] = float(rates.min())
    return out
