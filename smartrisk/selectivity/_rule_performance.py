"""What controls found among the items of a rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.intervals import wilson_interval
from smartrisk.items import clean_amounts, item_keys, join_by_key


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """What is known about items: hits, NaN where not inspected, and revenue."""

    hits: NDArray[np.float64]
    revenue: NDArray[np.float64]

    def performance(self, chosen: NDArray[np.bool_]) -> dict[str, float]:
        """Return what was found among chosen items that were inspected."""
        known = chosen & ~np.isnan(self.hits)
        n, hits = int(known.sum()), int(self.hits[known].sum())
        rate = hits / n if n else np.nan
        low, high = wilson_interval([rate], [n])
        return {
            "n_known": n,
            "hits": hits,
            "hit_rate": rate,
            "hit_rate_low": float(low[0]),
            "hit_rate_high": float(high[0]),
            "revenue": float(self.revenue[known].sum()),
        }


def match_findings(
    declarations: pd.DataFrame, outcomes: pd.DataFrame | None
) -> Findings | None:
    """Return what OUTCOMES hold of each declaration; None without outcomes."""
    if outcomes is None:
        return None
    columns = [c for c in ("illicit", "revenue_adjustment") if c in outcomes]
    joined = join_by_key(
        item_keys(declarations),
        outcomes,
        columns,
        owner="RuleSet.report",
        name="OUTCOMES",
    )
    revenue = joined.get("revenue_adjustment")
    return Findings(
        hits=joined["illicit"].to_numpy(np.float64, na_value=np.nan),
        revenue=np.zeros(len(joined)) if revenue is None else clean_amounts(revenue),
    )
