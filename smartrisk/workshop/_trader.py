"""An item of a trader with a past: what was known before it, by the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.features import EntityHistory, Key
from smartrisk.schema import KEY

if TYPE_CHECKING:
    from smartrisk.workshop._lab import Lab

#: What the history of a trader consists of in the labs.
HISTORY = ("n_items", "inspections", "hits")
#: Importers with the most results among which the trader is looked for.
_SEARCHED = 40


def choose_item(lab: Lab) -> pd.Series:
    """Return an item that others precede on its day, with results still to come.

    Parameters
    ----------
    lab : Lab
        Whose items these are.

    Returns
    -------
    item : Series
        An item of `lab.past`: its importer lodged items before it on the same day, and
        some of the importer's controls had a result that was not yet known.
    """
    results = join_results(lab.past, lab.known)
    importers = results["importer_id"].value_counts(sort=True).index[:_SEARCHED]
    best, most = lab.past.iloc[0], -1
    for importer in importers:
        items = lab.past[lab.past["importer_id"] == importer]
        of_importer = results[results["importer_id"] == importer]
        points = _rate_items(items, of_importer)
        place = int(np.argmax(points))
        if points[place] > most:
            best, most = items.iloc[place], int(points[place])
    return best


def _rate_items(items: pd.DataFrame, results: pd.DataFrame) -> NDArray[np.int64]:
    """Return points for each item: what a mistake would change weighs most."""
    moment = items["lodged_at"].to_numpy()[:, None]
    day = items["lodged_at"].dt.normalize().to_numpy()[:, None]
    lodged = items["lodged_at"].to_numpy()[None, :]
    moments = results["known_at"].to_numpy()[None, :]
    known = moments < day
    inspected = results["inspected_at"].to_numpy()[None, :] < day
    hit = known & (results["illicit"].to_numpy() == 1)[None, :]
    same_day = ((lodged < moment) & (lodged >= day)).any(axis=1)
    unknown = (inspected & ~known).any(axis=1)
    arrived = ((moments < moment) & ~known).any(axis=1)
    rare = 4 * same_day + 4 * unknown + 2 * arrived
    points: NDArray[np.int64] = rare + 2 * hit.any(axis=1) + known.any(axis=1)
    return points


def join_results(items: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the results of items with the importer and the moment of lodgement.

    Parameters
    ----------
    items : DataFrame
        DECLARATIONS.
    outcomes : DataFrame
        OUTCOMES.

    Returns
    -------
    results : DataFrame
        A row for each of the outcomes whose item is there.
    """
    columns = [*KEY, "importer_id", "lodged_at"]
    return outcomes.merge(items[columns], on=list(KEY))


def compute_history(
    declarations: pd.DataFrame, outcomes: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    """Return the history of the importers of items, as the library computes it.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        The tables from which the history is made.
    items : DataFrame
        Items of the same table whose history is asked for.

    Returns
    -------
    history : DataFrame
        The key of each item with ``n_items``, ``inspections`` and ``hits``.
    """
    key = Key(("importer_id",), statistics=HISTORY)
    history = EntityHistory(keys=(key,)).fit(declarations, outcomes=outcomes)
    values = pd.DataFrame(
        np.asarray(history.transform(items)), columns=HISTORY, index=items.index
    )
    return pd.concat([items[list(KEY)], values], axis=1)
