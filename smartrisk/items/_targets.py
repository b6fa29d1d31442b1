"""What a model is to find: any irregularity, one kind of offence, or one area."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_choice
from smartrisk.items._inspections import are_document_hits
from smartrisk.schema import AREAS, OFFENCES, TableInput
from smartrisk.tables import read_table

#: Any irregularity: the usual target.
ANY_HIT = "hit"
_REVENUE = "revenue"
#: What a model can be asked to find. Findings about revenue are most of all findings,
#: and an area of their own they are not: their offences are.
TARGETS = (
    ANY_HIT,
    *(f"offence:{kind}" for kind in OFFENCES),
    *(f"area:{area}" for area in AREAS if area != _REVENUE),
)
#: Amounts of a result that belong to its finding.
_AMOUNTS = {"revenue_adjustment": "illicit", "document_revenue": "document_illicit"}


def label_outcomes(outcomes: TableInput, target: str) -> pd.DataFrame:
    """Return OUTCOMES whose hits are those of a target.

    Parameters
    ----------
    outcomes : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES; they stay as they are.
    target : str
        One of `TARGETS`.

    Returns
    -------
    labelled : DataFrame
        The results with the same columns: `illicit` and `document_illicit` are true for
        a finding of the target only, and amounts of other findings are 0. A control
        that found something else did not find the target. A hit of which the offence is
        not stated may be one of the target: it is left out. One without an area is
        taken to be about revenue, as most findings are.

    Raises
    ------
    ArgumentError
        If there is no such target.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import label_outcomes
    >>> found = pd.DataFrame(
    ...     {
    ...         "declaration_id": ["A", "B", "C"],
    ...         "illicit": [1, 1, 0],
    ...         "offence": ["origin", "quantity", None],
    ...     }
    ... )
    >>> label_outcomes(found, "offence:origin")["illicit"].tolist()
    [1, 0, 0]
    """
    check_choice("label_outcomes", "target", target, TARGETS)
    found = read_table("label_outcomes", "'outcomes'", outcomes)
    if target == ANY_HIT:
        return found
    is_target = _are_of(found, target)
    hit = _is_true(found, "illicit")
    of_document = are_document_hits(found)
    labelled = found.copy()
    if "document_illicit" in found:
        document = _is_true(found, "document_illicit")
        labelled["document_illicit"] = found["document_illicit"].mask(
            document & ~is_target, False
        )
    # Whatever was found in a document that is not the target is in none of its items.
    other = (hit | of_document) & ~is_target
    labelled["illicit"] = found["illicit"].mask(other, 0)
    for amount, flag in _AMOUNTS.items():
        if amount in found:
            kept = is_target & _is_true(found, flag)
            labelled[amount] = found[amount].where(kept | found[amount].isna(), 0.0)
    unknown = _are_unknown(found, target)
    return labelled[~unknown] if unknown.any() else labelled


def count_targets(outcomes: TableInput) -> dict[str, int]:
    """Return how many items were found to be a hit of each target.

    Parameters
    ----------
    outcomes : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES.

    Returns
    -------
    counts : dict of str to int
        One entry for each of `TARGETS`. Hits of documents, which are not known to be
        that of an item, are not counted.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import count_targets
    >>> found = pd.DataFrame({"illicit": [1, 1, 0], "area": ["drugs", None, None]})
    >>> counts = count_targets(found)
    >>> counts["hit"], counts["area:drugs"], counts["offence:origin"]
    (2, 1, 0)
    """
    found = read_table("count_targets", "'outcomes'", outcomes)
    hit = _is_true(found, "illicit")
    return {
        target: int((hit & _are_of(found, target)).sum())
        if target != ANY_HIT
        else int(hit.sum())
        for target in TARGETS
    }


def require_target(owner: str, outcomes: pd.DataFrame, target: str) -> None:
    """Raise where no item was found to be a hit of a target other than the usual one.

    Parameters
    ----------
    owner : str
        Who asks, for the message.
    outcomes : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES, before `label_outcomes`.
    target : str
        One of `TARGETS`.

    Raises
    ------
    ArgumentError
        With the counts of all targets.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import require_target
    >>> require_target("fit", pd.DataFrame({"illicit": [0]}), "hit")
    """
    if target == ANY_HIT:
        return
    counts = count_targets(outcomes)
    if counts[target]:
        return
    raise ArgumentError(
        "items.target_without_hit",
        "{owner}: target {target!r} has no hit among the {n_results} results; hits by "
        "target: {counts}. Choose a target that has hits, or state 'offence' and "
        "'area' in OUTCOMES.",
        owner=owner,
        target=target,
        n_results=len(outcomes),
        counts=_format_counts(counts),
    )


def _format_counts(counts: Mapping[str, int]) -> str:
    """Return counts as a text, those without a hit together."""
    some = [f"{name} {n}" for name, n in counts.items() if n]
    none = [name for name, n in counts.items() if not n]
    return ", ".join([*some, *(f"{name} 0" for name in none)])


def _are_of(found: pd.DataFrame, target: str) -> NDArray[np.bool_]:
    """Return which results state the offence or the area of a target."""
    field, _, value = target.partition(":")
    if field not in found:
        return np.zeros(len(found), bool)
    return np.asarray((found[field] == value).fillna(False).to_numpy(bool))


def _are_unknown(found: pd.DataFrame, target: str) -> NDArray[np.bool_]:
    """Return which results are hits of an offence that is not stated."""
    field = target.partition(":")[0]
    if field != "offence":
        return np.zeros(len(found), bool)
    blank = np.ones(len(found), bool)
    if field in found:
        blank = found[field].isna().to_numpy()
    return (_is_true(found, "illicit") | are_document_hits(found)) & blank


def _is_true(found: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return where a column of a label is true; nowhere without the column."""
    if name not in found:
        return np.zeros(len(found), bool)
    flags = found[name].astype("boolean").fillna(False)
    return np.asarray(flags.to_numpy(bool))
