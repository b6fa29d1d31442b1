"""Days as whole numbers that are packed beside a position."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

DAY_BITS = 17  # days since 1900-01-01: until the year 2258
LAST_DAY = (1 << DAY_BITS) - 1
EPOCH = np.datetime64("1900-01-01", "D")
_FIRST_DAY = EPOCH.view(np.int64)


def days(moments: ArrayLike) -> NDArray[np.int64]:
    """Return whole days since 1900-01-01, clipped to what can be packed; NaT is 0."""
    number = np.asarray(moments).astype("datetime64[D]").view(np.int64)
    number -= _FIRST_DAY  # NaT is the least number, far below
    return np.clip(number, 0, LAST_DAY, out=number)
