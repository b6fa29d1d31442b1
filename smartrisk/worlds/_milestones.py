"""What happened to each declaration after lodgement: arrival, release, audits."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import document_hashes
from smartrisk.worlds._random_streams import uniforms
from smartrisk.worlds._tariff import Float

Moments = NDArray[np.datetime64]
#: Hours from arrival to lodgement at most, and from lodgement to arrival where it was
#: lodged before (assumption: three of ten are lodged before arrival).
_LATE_HOURS, _EARLY_HOURS, _EARLY_SHARE = 120.0, 72.0, 0.3
#: Hours from the last of arrival, lodgement and control to release, on average
#: (assumption: half of the declarations are released within six hours).
_RELEASE_HOURS = 9.0
#: Share of the declarations that are cancelled, and that another one replaces
#: (assumption).
_CANCELLED, _SUPERSEDED = 0.004, 0.006


def make_milestones(
    seed: int, items: pd.DataFrame, controls: pd.DataFrame, end: np.datetime64
) -> pd.DataFrame:
    """Return MILESTONES of the declarations up to a moment, by time.

    Parameters
    ----------
    seed : int
        Seed of the world.
    items : DataFrame of shape (n_items, n_fields)
        Its declarations.
    controls : DataFrame of shape (n_controls, n_fields)
        OUTCOMES of all its controls, also of those without a result yet.
    end : datetime64
        Events from this moment on are left out.

    Returns
    -------
    milestones : DataFrame
        Key (item 1 of each declaration), kind, at, amount.
    """
    code, names = pd.factorize(items["declaration_id"])
    first = np.unique(code, return_index=True)[1]
    documents = items.iloc[first]
    index = document_hashes(documents).view(np.int64)
    lodged = documents["lodged_at"].to_numpy()

    def draw(purpose: str) -> Float:
        return uniforms(seed, purpose, index)

    early = draw("lodged early") < _EARLY_SHARE
    apart = np.where(early, _EARLY_HOURS, -_LATE_HOURS) * draw("arrival")
    arrived = np.asarray(lodged + _hours(apart), lodged.dtype)
    where = pd.Index(names).get_indexer(pd.Index(controls["declaration_id"]))
    is_audit = controls["channel"].eq("blue").to_numpy()
    checked = _latest(where[~is_audit], controls["inspected_at"][~is_audit], lodged)
    ready = np.maximum(np.maximum(arrived, lodged), checked)
    wait = _hours(-_RELEASE_HOURS * np.log(draw("release")))
    released = np.asarray(ready + wait, lodged.dtype)
    fate = draw("fate")
    cancelled = fate < _CANCELLED
    superseded = ~cancelled & (fate < _CANCELLED + _SUPERSEDED)
    kept = ~(cancelled | superseded)
    stopped = np.asarray(lodged + _hours(24 * draw("stop")), lodged.dtype)
    audits = controls[is_audit]
    ids = documents["declaration_id"].to_numpy(dtype=object)
    parts = [
        _rows(ids, "arrived", arrived),
        _rows(ids[kept], "released", released[kept]),
        _rows(ids[cancelled], "cancelled", stopped[cancelled]),
        _rows(ids[superseded], "superseded", stopped[superseded]),
        _rows(audits["declaration_id"], "audit_opened", audits["inspected_at"]),
        _rows(audits["declaration_id"], "audit_closed", audits["known_at"]).assign(
            amount=audits["revenue_adjustment"].to_numpy()
        ),
    ]
    out = pd.concat(parts, ignore_index=True)
    out = out[(out["at"] < end).to_numpy()]
    by_time: pd.DataFrame = out.sort_values("at", kind="stable", ignore_index=True)
    return by_time


def _hours(hours: Float) -> NDArray[np.timedelta64]:
    """Return hours as a duration, in whole seconds."""
    return np.asarray((hours * 3600).astype(np.int64).astype("timedelta64[s]"))


def _latest(where: NDArray[np.intp], moments: pd.Series, least: Moments) -> Moments:
    """Return the latest moment of each document, the least where it has none."""
    latest = least.copy()
    np.maximum.at(latest, where, moments.to_numpy().astype(least.dtype))
    return np.asarray(latest)


def _rows(
    ids: NDArray[np.object_] | pd.Series, kind: str, at: Moments | pd.Series
) -> pd.DataFrame:
    """Return events of one kind."""
    return pd.DataFrame(
        {
            "declaration_id": pd.Series(np.asarray(ids, dtype=object), dtype="str"),
            "item_number": 1,
            "kind": pd.Series([kind] * len(ids), dtype="str"),
            "at": np.asarray(at).astype("datetime64[us]"),
            "amount": np.nan,
        }
    )
