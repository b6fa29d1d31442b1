"""A table of features in which three columns know what nobody knew at lodgement."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartrisk.features import EntityHistory, Key
from smartrisk.items import join_by_key
from smartrisk.schema import KEY

#: Columns that leak: a rate over all results, a date pasted into the table when a file
#: was corrected, and the value after the control.
HIT_SHARE, PASTED_DATE, FINAL_VALUE = (
    "importer_hit_share",
    "days_to_correction",
    "final_value_ratio",
)
LEAKS = (HIT_SHARE, PASTED_DATE, FINAL_VALUE)
#: Columns that were known at lodgement; the last rests on results, and is clean.
CLEAN = (
    "customs_value",
    "net_mass_kg",
    "duty_rate",
    "importer_items_before",
    "importer_hits_before",
)

#: What is known of an importer before an item.
_HISTORY = ("n_items", "inspections", "hits")


def compute_importer_history(
    declarations: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """Return what was known of each item's importer, as the library computes it.

    Parameters
    ----------
    declarations : DataFrame
        DECLARATIONS.
    outcomes : DataFrame
        OUTCOMES with ``known_at``.

    Returns
    -------
    history : DataFrame
        ``n_items``, ``inspections`` and ``hits`` of each of the declarations, with
        their index.
    """
    key = Key(("importer_id",), statistics=_HISTORY)
    history = EntityHistory(keys=(key,)).fit(declarations, outcomes=outcomes)
    values = np.asarray(history.transform(declarations))
    return pd.DataFrame(values, columns=_HISTORY, index=declarations.index)


def make_leaky_table(
    declarations: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """Return eight columns for each item, of which three leak.

    Parameters
    ----------
    declarations : DataFrame
        DECLARATIONS.
    outcomes : DataFrame
        OUTCOMES with ``known_at``.

    Returns
    -------
    table : DataFrame
        A row for each of the declarations, with their index.
    """
    wanted = ["illicit", "known_at", "assessed_value"]
    found = join_by_key(declarations[list(KEY)], outcomes, wanted)
    found.index = declarations.index
    illicit = found["illicit"].astype(float)
    history = compute_importer_history(declarations, outcomes)
    days = (found["known_at"] - declarations["lodged_at"]).dt.days
    ratio = found["assessed_value"].astype(float) / declarations["customs_value"]
    table = declarations[["customs_value", "net_mass_kg", "duty_rate"]].assign(
        importer_items_before=history["n_items"],
        importer_hits_before=history["hits"],
        importer_hit_share=illicit.groupby(declarations["importer_id"]).transform(
            "mean"
        ),
        days_to_correction=days.where(illicit == 1, 0).astype(float),
        final_value_ratio=ratio.replace([np.inf, -np.inf], np.nan),
    )
    table["importer_hit_share"] = table["importer_hit_share"].fillna(0.0)
    table["final_value_ratio"] = table["final_value_ratio"].fillna(1.0)
    return table[sorted(table.columns)]
