"""What declarations, results and decisions state, as one number for each fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import (
    are_document_hits,
    check_numbered,
    moments_known,
    positions_of,
)
from smartrisk.lineage import SOURCE_ROW
from smartrisk.quality import FEW_DAYS, Plausibility, plausibility
from smartrisk.readiness._thresholds import AGE_DAYS, LEAST_TRADERS
from smartrisk.schema import DECLARATIONS, TRADERS

#: A count, a share (float), a text, or None where it is not known.
Fact: TypeAlias = int | float | str | None
#: Days from lodgement to a result without `known_at`: the default of the engine.
_LABEL_DELAY = 30
#: Results below which no hit rate is shown: the 95 % interval of one hit among ten
#: reaches from 2 to 40 %.
_LEAST_OF_A_RATE = 10
#: Fields that make two goods lines the same.
_LINE = ("importer_id", "tariff_code", "customs_value", "net_mass_kg")
_KEYS = ("declaration_id", "item_number")
#: Doubts of `plausibility` that a question reports, by the name of the fact.
_DOUBTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "n_unit_changes": ("unit changes",),
        "n_far_dates": ("far dates",),
        "n_contradictions": ("contradictions",),
        "n_blanks": ("blanks as zeros",),
        "n_empty_months": ("months without results",),
        "n_same_day": ("one day for all results",),
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """Canonical tables, and the results that have an item.

    Attributes
    ----------
    items : DataFrame
        DECLARATIONS.
    results : DataFrame
        OUTCOMES of these items.
    rows : ndarray of int
        Position of the item of each result.
    decisions : DataFrame or None
        DECISIONS of these items.
    decided : ndarray of int
        Position of the item of each decision.
    """

    items: pd.DataFrame
    results: pd.DataFrame
    rows: NDArray[np.intp]
    decisions: pd.DataFrame | None
    decided: NDArray[np.intp]


def join_data(
    items: pd.DataFrame,
    outcomes: pd.DataFrame | None,
    decisions: pd.DataFrame | None,
) -> Data:
    """Return results and decisions beside their items; those of others are left out."""
    results = pd.DataFrame({name: [] for name in (*_KEYS, "illicit")})
    rows = decided = np.zeros(0, np.intp)
    if outcomes is not None:
        check_numbered("assess", outcomes, items)
        results = outcomes[~are_document_hits(outcomes)]
        rows = positions_of(results, items, owner="assess", name="'declarations'")
        results, rows = results[rows >= 0], rows[rows >= 0]
    if decisions is not None:
        decided = positions_of(decisions, items, owner="assess", name="'declarations'")
        decisions, decided = decisions[decided >= 0], decided[decided >= 0]
    return Data(
        items=items, results=results, rows=rows, decisions=decisions, decided=decided
    )


def read_facts(data: Data, outcomes: pd.DataFrame | None) -> dict[str, Fact]:
    """Return every fact by its name."""
    doubts = plausibility(data.items, outcomes, label_delay=_LABEL_DELAY)
    return {
        "age_days": AGE_DAYS,
        "least_traders": LEAST_TRADERS,
        "recent_days": FEW_DAYS,
        **_of_fields(data.items),
        **_of_time(data.items),
        **_of_traders(data.items),
        **_of_results(data),
        **_of_days(data),
        **_of_decisions(data),
        **_of_doubts(doubts),
    }


def _share(flags: NDArray[np.bool_]) -> float | None:
    """Return the share of true flags; None where there are none at all."""
    return float(flags.mean()) if len(flags) else None


def _rate(hits: NDArray[np.bool_]) -> float | None:
    """Return a hit rate; None where it would rest on few results."""
    return _share(hits) if len(hits) >= _LEAST_OF_A_RATE else None


def _find_stated(frame: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return which rows state a field; none of them where it is not there."""
    if name not in frame:
        return np.zeros(len(frame), np.bool_)
    return np.asarray(frame[name].notna().to_numpy(), np.bool_)


def _numbers(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a field as numbers; missing where it is not there."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(np.float64, na_value=np.nan)


def _of_fields(items: pd.DataFrame) -> dict[str, Fact]:
    """Return what is filled, and what its numbers say of each other."""
    filled = {
        field.name: float(_find_stated(items, field.name).mean())
        for field in DECLARATIONS
        if _find_stated(items, field.name).any()
    }
    emptiest = min(filled, key=lambda name: filled[name])
    value, net = _numbers(items, "customs_value"), _numbers(items, "net_mass_kg")
    gross = _numbers(items, "gross_mass_kg")
    both = ~np.isnan(net) & ~np.isnan(gross)
    line = [name for name in _LINE if name in items]
    repeated = items.duplicated(line, keep=False).to_numpy(np.bool_)
    return {
        "n_items": len(items),
        "n_fields": len(DECLARATIONS.names),
        "n_present": len(filled),
        "filled": float(np.mean(list(filled.values()))),
        "emptiest": emptiest,
        "emptiest_filled": filled[emptiest],
        "priced": _share((value > 0) & (net > 0)),
        "net_over_gross": _share(net[both] > gross[both]),
        "repeated": _share(repeated) if len(line) == len(_LINE) else None,
        "sourced": _share(_find_stated(items, SOURCE_ROW)),
    }


def _of_time(items: pd.DataFrame) -> dict[str, Fact]:
    """Return how long the items reach."""
    days = items["lodged_at"].to_numpy().astype("datetime64[D]")
    return {
        "n_days": int((days.max() - days.min()) / np.timedelta64(1, "D")) + 1,
        "n_months": len(np.unique(days.astype("datetime64[M]"))),
        "last": str(days.max()),
    }


def _of_traders(items: pd.DataFrame) -> dict[str, Fact]:
    """Return who is named, and how many stand behind a cell of a table."""
    personal = [
        name for name in (*TRADERS, "description") if _find_stated(items, name).any()
    ]
    stated = _find_stated(items, "importer_id")
    facts: dict[str, Fact] = {
        "personal": ", ".join(personal) or None,
        "importer_stated": _share(stated),
        "n_importers": 0,
        "new_share": None,
        "small_cells": None,
    }
    if not stated.any():
        return facts
    known = items[stated]
    facts["n_importers"] = int(known["importer_id"].nunique())
    first = known.groupby("importer_id", observed=True)["lodged_at"].transform("min")
    begin = items["lodged_at"].max() - pd.Timedelta(days=FEW_DAYS)
    recent = (known["lodged_at"] > begin).to_numpy()
    facts["new_share"] = _share((first > begin).to_numpy()[recent])
    if _find_stated(items, "office").any():
        chapter = known["tariff_code"].astype(str).str[:2]
        cells = known.groupby(["office", chapter], observed=True)["importer_id"]
        facts["small_cells"] = _share((cells.nunique() < LEAST_TRADERS).to_numpy())
    return facts


def _of_results(data: Data) -> dict[str, Fact]:
    """Return how many results there are, and what they state."""
    hits = data.results["illicit"].to_numpy(np.int64) > 0
    seen = np.zeros(len(data.items), np.bool_)
    seen[data.rows] = True
    lodged = data.items["lodged_at"].to_numpy()[data.rows]
    later = np.zeros(len(lodged), np.bool_)
    if len(lodged):
        later = lodged >= np.sort(lodged)[len(lodged) // 2]
    return {
        "n_results": len(hits),
        "n_hits": int(hits.sum()),
        "n_misses": int((~hits).sum()),
        "n_amounts": int(
            (_numbers(data.results, "revenue_adjustment")[hits] > 0).sum()
        ),
        "inspected": _share(seen),
        "officer_stated": _share(_find_stated(data.results, "officer_id")),
        "n_earlier": int((~later).sum()),
        "n_later": int(later.sum()),
        "rate_earlier": _rate(hits[~later]),
        "rate_later": _rate(hits[later]),
    }


def _of_days(data: Data) -> dict[str, Fact]:
    """Return when results were known, and how many months are closed."""
    lodged = data.items["lodged_at"].to_numpy()
    facts: dict[str, Fact] = dict.fromkeys(("delay_median", "delay_p90"))
    facts |= {
        "known_stated": _share(_find_stated(data.results, "known_at")),
        "n_closed_months": 0,
    }
    if not len(data.rows):
        return facts
    given = data.results["known_at"].to_numpy() if "known_at" in data.results else None
    known = moments_known(lodged[data.rows], given, _LABEL_DELAY)
    day = np.timedelta64(1, "D")
    delays = (known - lodged[data.rows]) / day
    last = lodged.max().astype("datetime64[D]") + day
    months = np.unique(lodged[data.rows].astype("datetime64[M]"))
    ends = (months + 1).astype("datetime64[D]")
    facts["delay_median"] = round(float(np.median(delays)))
    facts["delay_p90"] = round(float(np.quantile(delays, 0.9)))
    facts["n_closed_months"] = int((ends + AGE_DAYS * day <= last).sum())
    return facts


def _of_decisions(data: Data) -> dict[str, Fact]:
    """Return how many controls were drawn at random, and have a result."""
    facts: dict[str, Fact] = {
        "n_random": 0,
        "random_share": None,
        "propensity_stated": 0.0,
    }
    decisions = data.decisions
    if decisions is None:
        return facts
    stated = _find_stated(decisions, "propensity").sum()
    facts["propensity_stated"] = float(stated / len(data.items))
    controlled = (decisions["channel"] != "green").to_numpy(np.bool_)
    drawn = np.zeros(len(decisions), np.bool_)
    if "selected_by" in decisions:
        drawn = (decisions["selected_by"] == "random").fillna(False).to_numpy(np.bool_)
    facts["random_share"] = _share(drawn[controlled])
    known = np.isin(data.decided, data.rows)
    # A declaration is random only if all its controlled items are, and has a result
    # only when all of them have one.
    whole = pd.Series((drawn & known)[controlled]).groupby(
        decisions["declaration_id"].astype(str).to_numpy()[controlled]
    )
    facts["n_random"] = int(whole.all().sum())
    return facts


def _of_doubts(found: Plausibility) -> dict[str, Fact]:
    """Return how much each check of `plausibility` found."""
    frame = found.frame()
    counts = frame.groupby("check")["count"].sum()
    return {
        fact: int(sum(counts.get(name, 0) for name in names))
        for fact, names in _DOUBTS.items()
    }
