"""What rows of OUTCOMES are about: an item, or a document of which one item hit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.validation._missing import (
    MISSING,
    NOT_AVAILABLE,
    clean_texts,
    factorize,
    is_missing_sign,
)
from smartrisk.validation._report import Findings


def has_result(named: Mapping[str, pd.Series]) -> NDArray[np.bool_]:
    """Return which rows state a result, of the item or of its document."""
    stated = ~_is_missing(named["illicit"])
    if "document_illicit" in named:
        stated |= ~_is_missing(named["document_illicit"])
    return stated


def fill_labels(
    named: dict[str, pd.Series],
) -> tuple[dict[str, pd.Series], NDArray[np.bool_] | None]:
    """Return columns whose items without a label have that of their document.

    Returns
    -------
    named : dict of str to Series
        The columns of the fields.
    filled : ndarray of bool, or None
        Items with the label of their document; None where no result is of one.
    """
    if "document_illicit" not in named:
        return named, None
    missing = _is_missing(named["illicit"])
    labels = named["illicit"].astype(object)
    labels = labels.where(~missing, named["document_illicit"].astype(object))
    return {**named, "illicit": labels}, missing


def keep_unknown(
    done: dict[str, pd.Series], filled: NDArray[np.bool_] | None
) -> dict[str, pd.Series]:
    """Return columns in which a hit of a document is no label of its items.

    A document without a finding is one for each of its items.
    """
    if filled is None or "document_illicit" not in done:
        return done
    hit = filled & done["document_illicit"].fillna(False).to_numpy(bool)
    if not hit.any():
        return done
    return {**done, "illicit": done["illicit"].astype("Int64").mask(hit)}


def number_results(done: dict[str, pd.Series], work: Findings) -> None:
    """Give results without item numbers the number 1, unless a document has several.

    They are never numbered by their order: the second result of a document need not be
    that of its second item.
    """
    names = done["declaration_id"]
    several = np.flatnonzero(names.duplicated(keep=False) & names.notna())
    work.note(several, "item_number", "results not numbered", names)
    done["item_number"] = pd.Series(1, index=names.index, dtype=np.int64)


def _is_missing(column: pd.Series) -> NDArray[np.bool_]:
    """Return which values are missing, or written as one of the signs for it."""
    if column.dtype.kind not in "OSU":
        return np.asarray(column.isna().to_numpy(bool))
    codes, unique = factorize(column)
    signs = is_missing_sign(clean_texts(unique), MISSING | NOT_AVAILABLE)
    return np.append(signs, True)[codes]
