"""Results that came without item numbers: of which items they can be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, format_values
from smartrisk.items._hashes import UInt
from smartrisk.items._joins import are_among
from smartrisk.items._keys import document_hashes, item_ids

#: Flag that validation sets on results without the number of the item.
NO_ITEM_NUMBER = "dq_no_item_number"


def check_numbered(
    owner: str,
    outcomes: pd.DataFrame,
    items: pd.DataFrame | None = None,
    knows: Callable[[UInt], NDArray[np.bool_]] | None = None,
) -> None:
    """Raise where results without item numbers are of documents with several items.

    Parameters
    ----------
    owner : str
        Name of the calling function, for the error message.
    outcomes : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES.
    items : DataFrame, default=None
        DECLARATIONS that the results may be of.
    knows : callable, default=None
        Takes ids of items, returns which of them are known.

    Raises
    ------
    TableError
        If a result may be of any of several items.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import check_numbered
    >>> items = pd.DataFrame({"declaration_id": ["A", "B"], "item_number": [1, 1]})
    >>> check_numbered("demo", items.assign(dq_no_item_number=True), items)
    """
    if NO_ITEM_NUMBER not in outcomes:
        return
    flagged = outcomes[outcomes[NO_ITEM_NUMBER].fillna(False).to_numpy(bool)]
    if not len(flagged):
        return
    several = np.zeros(len(flagged), bool)
    documents = document_hashes(flagged)
    if items is not None and len(items):
        every = pd.Series(document_hashes(items))
        several |= are_among(documents, every[every.duplicated()].to_numpy())
    if knows is not None:
        several |= knows(item_ids(flagged.assign(item_number=2)))
    if not several.any():
        return
    names = flagged["declaration_id"].to_numpy(dtype=object)[several]
    raise TableError(
        "items.results_without_item_number",
        "{owner}: {n_results} results have no item_number, but their documents have "
        "several items, such as {examples}. Add the column item_number; if a result "
        "is about the whole document, join it with "
        "smartrisk.intake.join_documents(..., level='document'), or pass --level "
        "document to the command.",
        owner=owner,
        n_results=len(names),
        examples=format_values(dict.fromkeys(names.tolist())),
    )
