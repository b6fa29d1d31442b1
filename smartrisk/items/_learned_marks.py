"""Marks on SCORES: which of their items the scoring model has learned from."""

from __future__ import annotations

import base64

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items._hashes import UInt
from smartrisk.items._joins import are_among
from smartrisk.items._keys import item_ids

#: Key of the mark among `DataFrame.attrs`. Its value is one text: pandas copies the
#: attributes with every table made from another one, compares them when it joins two,
#: and writes them into Parquet as JSON.
_MARK = "smartrisk.learned_items"


def mark_learned(frame: pd.DataFrame, ids: UInt) -> None:
    """Mark a table with the items whose results its model has learned from.

    Parameters
    ----------
    frame : DataFrame
        SCORES or DECISIONS; its `attrs` change.
    ids : ndarray of uint64
        `item_ids` of those of its items that were labels of the model; where there are
        none, no mark is set.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import are_learned, item_ids, mark_learned
    >>> scores = pd.DataFrame({"declaration_id": ["A", "B"], "risk_score": [0.1, 0.2]})
    >>> mark_learned(scores, item_ids(scores.head(1)))
    >>> are_learned(scores[::-1]).tolist()
    [False, True]
    """
    frame.attrs.pop(_MARK, None)
    if len(ids):
        little = np.unique(ids).astype("<u8").tobytes()
        frame.attrs[_MARK] = base64.b64encode(little).decode("ascii")


def are_learned(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which items of a table its model has learned from, by its mark.

    Parameters
    ----------
    frame : DataFrame
        A table that was made from one that `mark_learned` marked, with the key.

    Returns
    -------
    learned : ndarray of bool, shape (n_items,)
        All False where the table has no mark.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import are_learned
    >>> are_learned(pd.DataFrame({"declaration_id": ["A"]})).tolist()
    [False]
    """
    mark = frame.attrs.get(_MARK)
    if not isinstance(mark, str):
        return np.zeros(len(frame), bool)
    ids = np.frombuffer(base64.b64decode(mark), "<u8").astype(np.uint64)
    return are_among(item_ids(frame), ids)
