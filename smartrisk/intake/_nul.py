"""NUL bytes: programs write them for empty fields and to fill fixed widths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEWLINE = 10


def remove_nul(
    data: bytes, edges: bytes
) -> tuple[bytes, NDArray[np.int64], NDArray[np.int64]]:
    r"""Remove the NUL bytes that are next to a separator, a quote or a line end.

    Parameters
    ----------
    data : bytes
        A text.
    edges : bytes
        Separators, quotes and line ends.

    Returns
    -------
    cleaned : bytes
        The text; NUL bytes within a value are still there.
    padded, inside : ndarray of int
        Lines, from 1, from which NUL bytes were removed, and those that have more.

    Examples
    --------
    >>> from smartrisk.intake._nul import remove_nul
    >>> remove_nul(b"a;\0\0;b\nc\0d;e;f\n", b";\n")[0]
    b'a;;b\nc\x00d;e;f\n'
    """
    values = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(values == 0)
    breaks = np.flatnonzero(np.diff(places) > 1)
    first = places[np.concatenate(([0], breaks + 1))]
    last = places[np.concatenate((breaks, [len(places) - 1]))]
    is_edge = np.zeros(256, bool)
    is_edge[list(edges)] = True
    padded = np.concatenate(([_NEWLINE], values, [_NEWLINE]))
    is_free = is_edge[padded[first]] | is_edge[padded[last + 2]]
    kept = np.ones(len(values), bool)
    for start, end in zip(first[is_free], last[is_free], strict=True):
        kept[start : end + 1] = False
    newlines = np.flatnonzero(values == _NEWLINE)
    line = np.searchsorted(newlines, first) + 1
    cleaned = values[kept].tobytes()
    return cleaned, np.unique(line[is_free]), np.unique(line[~is_free])
