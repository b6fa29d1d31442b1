"""The reference of ``speed.py``: what an expert writes with numba for fixed keys.

One pass over the items in the order of their days per key, with dense accumulators by
code: the items of a day are read before any of them is added, and a second place in
the same order adds the results that were known before that day. No history remains: it
can neither score later items nor be saved.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import pandas as pd
from history import (
    DELAY,
    KEYS,
    PRICE_WEIGHT,
    RATE_WEIGHT,
    codes_of,
    overall,
)


@numba.njit(nogil=True, cache=True)
def one_key(
    codes: Any,
    rows: Any,
    day: Any,
    price: Any,
    part: Any,
    seen: Any,
    hit: Any,
    rate: Any,
    mean: Any,
    variance: Any,
    n_codes: int,
    out: Any,
) -> None:
    """Write the four features of a key; rates, means and variances are by day."""
    n = np.zeros(n_codes, np.int64)
    last = np.zeros(n_codes, np.int64)
    sums = np.zeros((n_codes, 2))
    known = np.zeros((n_codes, 2))
    size, first_day = len(rows), day[rows[0]]
    start = late = 0
    while start < size:
        today = day[rows[start]]
        while late < size and day[rows[late]] + DELAY < today:
            i = rows[late]
            if seen[i]:
                known[codes[i], 0] += 1.0
                known[codes[i], 1] += hit[i]
            late += 1
        stop = start
        while stop < size and day[rows[stop]] == today:
            i = rows[stop]
            c = codes[i]
            at = today - first_day
            out[0, i] = n[c]
            out[1, i] = (known[c, 1] + RATE_WEIGHT * rate[at]) / (
                known[c, 0] + RATE_WEIGHT
            )
            out[2, i] = today - last[c] if n[c] else np.nan
            total = sums[c, 0]
            middle = (total + PRICE_WEIGHT * mean[at]) / (n[c] + PRICE_WEIGHT)
            within = max(sums[c, 1] - total * total / max(n[c], 1), 0.0)
            spread = (within + PRICE_WEIGHT * variance[at]) / (n[c] + PRICE_WEIGHT)
            out[3, i] = (price[i] - middle) / math.sqrt(max(spread, 1e-4))
            stop += 1
        for k in range(start, stop):
            i = rows[k]
            c = codes[i]
            n[c] += 1
            last[c] = today
            sums[c, 0] += part[i]
            sums[c, 1] += part[i] * part[i]
        start = stop


def by_numba(frame: pd.DataFrame, jobs: int) -> list[np.ndarray]:
    """One pass in the order of days per key, keys divided between threads."""
    names = ("day", "price", "part", "seen", "hit")
    arrays = [frame[name].to_numpy() for name in names]
    everyone = overall(frame)
    by_day = [everyone[name].to_numpy() for name in ("rate", "mean", "variance")]
    rows = np.argsort(arrays[0], kind="stable")
    codes = codes_of(frame)

    def one(key: tuple[str, ...]) -> list[np.ndarray]:
        out = np.empty((4, len(frame)), np.float32)
        one_key(codes[key], rows, *arrays, *by_day, int(codes[key].max()) + 1, out)
        return list(out)

    with ThreadPoolExecutor(jobs) as pool:
        return [column for part in pool.map(one, KEYS) for column in part]
