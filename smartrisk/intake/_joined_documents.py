"""What joining headers, items and results gave, and what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from smartrisk.errors import Message
from smartrisk.intake._document_rows import Finding
from smartrisk.results import Result

_COLUMNS = ["what", "count", "examples", "message"]


class JoinedDocuments(Result):
    """Items with the fields of their documents, results, and what the join found.

    Made by `join_documents`.

    Parameters
    ----------
    declarations : DataFrame
        One row per item, with the administration's own columns.
    outcomes : DataFrame or None
        One row per item with a result; None where none were passed.
    unmatched : mapping of str to DataFrame
        "header", "items" and "outcomes": rows without a partner, unchanged.
    superseded : mapping of str to DataFrame
        "header" and "items": rows of versions that do not count, unchanged.
    findings : sequence of Finding
        What was found.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.intake import join_documents
    >>> header = pd.DataFrame({"NR": ["A", "B"], "DATE": ["2024-03-01"] * 2})
    >>> items = pd.DataFrame({"NR": ["A", "A"], "item_number": [1, 2]})
    >>> with __import__("warnings").catch_warnings(action="ignore"):
    ...     joined = join_documents(header, items, on="NR")
    >>> joined, joined.unmatched["header"]["NR"].tolist()
    (JoinedDocuments(2 items, 1 finding), ['B'])
    """

    def __init__(
        self,
        *,
        declarations: pd.DataFrame,
        outcomes: pd.DataFrame | None,
        unmatched: Mapping[str, pd.DataFrame],
        superseded: Mapping[str, pd.DataFrame],
        findings: Sequence[Finding],
    ) -> None:
        self._declarations = declarations
        self._outcomes = outcomes
        self._unmatched = dict(unmatched)
        self._superseded = dict(superseded)
        self._findings = tuple(findings)

    @property
    def declarations(self) -> pd.DataFrame:
        """One row per item, with the columns of both tables; a copy."""
        return self._declarations.copy()

    @property
    def outcomes(self) -> pd.DataFrame | None:
        """One row per item with a result; a copy, None where none were passed."""
        return None if self._outcomes is None else self._outcomes.copy()

    @property
    def unmatched(self) -> dict[str, pd.DataFrame]:
        """Rows of "header", "items" and "outcomes" without a partner; copies."""
        return {name: frame.copy() for name, frame in self._unmatched.items()}

    @property
    def superseded(self) -> dict[str, pd.DataFrame]:
        """Rows of "header" and "items" of versions that do not count; copies."""
        return {name: frame.copy() for name, frame in self._superseded.items()}

    def __repr__(self) -> str:
        """Return the numbers of items, of results and of findings."""
        n_found = len(self._findings)
        parts = [f"{len(self._declarations)} items"]
        if self._outcomes is not None:
            parts.append(f"{len(self._outcomes)} results")
        parts.append(f"{n_found} finding{'' if n_found == 1 else 's'}")
        return f"JoinedDocuments({', '.join(parts)})"

    def frame(self) -> pd.DataFrame:
        """Return what the join found.

        Returns
        -------
        findings : DataFrame
            ``what``, ``count``, ``examples`` (keys or values) and ``message``.
        """
        rows = [
            (found.what, found.count, ", ".join(found.examples), str(found.message))
            for found in self._findings
        ]
        return pd.DataFrame(rows, columns=_COLUMNS)

    def messages(self) -> tuple[Message, ...]:
        """Return what the join found, as messages that can be translated.

        Returns
        -------
        messages : tuple of smartrisk.errors.Message
            One for each finding.
        """
        return tuple(found.message for found in self._findings)
