"""When the result of an item is known, and what it recovered."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def moments_known(
    lodged: NDArray[np.datetime64],
    known_at: NDArray[np.datetime64] | None,
    label_delay: int,
) -> NDArray[np.datetime64]:
    """Return when each result was known: the one rule of the library.

    Parameters
    ----------
    lodged : ndarray of datetime64, shape (n_results,)
        When the item of each result was lodged; NaT where there is no such item.
    known_at : ndarray of datetime64, shape (n_results,), or None
        When the result was known, as the administration recorded it; NaT where it did
        not, None where it never does.
    label_delay : int
        Days from lodgement to the result where `known_at` is missing.

    Returns
    -------
    moments : ndarray of datetime64, shape (n_results,)
        `known_at` where there is one, but never before lodgement; else lodgement plus
        the delay. NaT where nothing is known about the result or its item.

    Notes
    -----
    A result dated before lodgement is a data-entry error. Moved to the moment of
    lodgement, it counts for no item that was lodged before the controlled one.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import moments_known
    >>> lodged = np.array(["2024-03-01"] * 3, "datetime64[D]")
    >>> known_at = np.array(["2024-03-09", "2024-02-01", "NaT"], "datetime64[D]")
    >>> [str(day) for day in moments_known(lodged, known_at, 30)]
    ['2024-03-09', '2024-03-01', '2024-03-31']
    """
    usual = lodged + np.timedelta64(label_delay, "D")
    if known_at is None:
        return np.asarray(usual)
    lifted = np.fmax(known_at, lodged)  # fmax ignores NaT, maximum would return it
    return np.asarray(np.where(np.isnat(known_at), usual, lifted))


def are_document_hits(outcomes: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which results are a hit of a document, not known to be that of an item.

    Parameters
    ----------
    outcomes : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES.

    Returns
    -------
    of_document : ndarray of bool, shape (n_results,)
        True where `illicit` is missing and `document_illicit` is true. Such a result
        is no label: it counts in histories only.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import are_document_hits
    >>> labels = pd.array([1, None], "Int64")
    >>> documents = pd.array([True, True], "boolean")
    >>> frame = pd.DataFrame({"illicit": labels, "document_illicit": documents})
    >>> are_document_hits(frame).tolist()
    [False, True]
    """
    if "document_illicit" not in outcomes or "illicit" not in outcomes:
        return np.zeros(len(outcomes), bool)
    hit = outcomes["document_illicit"].astype("boolean").fillna(False)
    return np.asarray((hit & outcomes["illicit"].isna()).to_numpy(bool))


def clean_amounts(values: pd.Series | ArrayLike) -> NDArray[np.float64]:
    """Return amounts of money as plain numbers: missing and negative ones are 0.

    Parameters
    ----------
    values : Series or array-like of float, shape (n_items,)
        Amounts in national currency, such as `revenue_adjustment`.

    Returns
    -------
    amounts : ndarray of float64, shape (n_items,)
        Not negative, never missing.

    Notes
    -----
    A negative adjustment is a refund. It is not revenue of the control, and counting
    it would let one large refund hide many hits; validation flags it as
    `dq_negative_adjustment`.

    Examples
    --------
    >>> from smartrisk.items import clean_amounts
    >>> clean_amounts([120.0, float("nan"), -5.0]).tolist()
    [120.0, 0.0, 0.0]
    """
    if isinstance(values, pd.Series):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        numbers = np.asarray(values, np.float64)
    return np.asarray(np.maximum(np.nan_to_num(numbers, nan=0.0), 0.0))
