"""Printed totals: lines at the end of an export that are no records."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ROWS = (
    r"(?:rows?|records?|lines?|items?|registros?|filas?|l[ií]neas?|lignes?"
    r"|enregistrements?|articles?)"
)
_DIGITS = r"(\d[\d.,'\s\u00a0\u202f]*)"
_TOTAL = re.compile(
    r"\W*(?:(?:grand|sub|sous)[\s-]*)?(?:totals?|totaux|totale?s)"
    r"(?:[\s-]+(?:g[eé]n[eé]rale?|generale?))?\W*[\d.,\s]*",
    re.IGNORECASE,
)
_STARTS_AS_TOTAL = re.compile(
    r"\W*(?:(?:grand|sub|sous)[\s-]*)?(?:totals?|totaux|totale?s)\b", re.IGNORECASE
)
_COUNT = re.compile(
    rf"\W*{_DIGITS}\s*{_ROWS}\b.{{0,40}}"
    rf"|\W*(?:\w+\s+(?:of|de|d['’])\s*)?{_ROWS}\W*{_DIGITS}\W*",
    re.IGNORECASE,
)
_COUNT_WORD = re.compile(rf"\W*(?:\w+\s+(?:of|de|d['’])\s*)?{_ROWS}\W*", re.IGNORECASE)
_END = re.compile(
    r"\W*(?:end\s+of\s+\w+|fin(?:\s+del?\s+\w+)?|eof|page\s+\d+.{0,20})\W*|[-=*_#]{3,}",
    re.IGNORECASE,
)
_RULER = re.compile(r"[-=_*+]{2,}")
#: Share of its fields that a line of totals fills at most.
_FILLED = 0.6


def is_total(fields: Sequence[str], width: int) -> bool:
    """Return whether the fields of a line are a printed total, not a record.

    Parameters
    ----------
    fields : sequence of str
        The fields of a line at the end of a file.
    width : int
        Number of fields of a record.

    Returns
    -------
    answer : bool
        True for words such as "Total" or "12 rows", with numbers beside them.

    Examples
    --------
    >>> from smartrisk.intake._totals import is_total
    >>> is_total(["TOTAL", "", "", "12417"], 4), is_total(["TOTAL SA", "8", "9"], 3)
    (True, False)
    """
    texts = [field.strip() for field in fields if field.strip()]
    if not texts:
        return False
    first = texts[0]
    if is_ruler(fields):
        return True
    if _TOTAL.fullmatch(first):
        return True
    is_sparse = len(texts) <= _FILLED * width or len(fields) != width
    if is_sparse and _STARTS_AS_TOTAL.match(first):
        return True
    if len(texts) <= 2 and len(texts) < max(width, 2):
        return bool(_COUNT.fullmatch(" ".join(texts)) or _END.fullmatch(first))
    return False


def is_ruler(fields: Sequence[str]) -> bool:
    """Return whether fields consist of signs that programs draw lines with."""
    texts = [field.strip() for field in fields if field.strip()]
    return bool(texts) and all(_RULER.fullmatch(text) for text in texts)


def is_strict_total(text: str) -> bool:
    """Return whether a text is a word for a total and nothing else."""
    return bool(_TOTAL.fullmatch(text.strip()))


def stated_count(fields: Sequence[str]) -> int | None:
    """Return the number of rows that a line at the end states, or None.

    Parameters
    ----------
    fields : sequence of str
        The fields of the line.

    Returns
    -------
    count : int or None
        The number beside a word for rows; signs between thousands do not count.

    Examples
    --------
    >>> from smartrisk.intake._totals import stated_count
    >>> stated_count(["Registros: 12.417"]), stated_count(["TOTAL", "12"])
    (12417, None)
    """
    text = " ".join(field.strip() for field in fields if field.strip())
    found = _COUNT.fullmatch(text)
    if found is None:
        return None
    digits = re.sub(r"\D", "", found[1] or found[2])
    return int(digits) if digits else None
