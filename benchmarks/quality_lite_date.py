"""XGBoost on features like those of DATE, for two tasks: the idea of LITE DATE.

Trees without a network on declared amounts, ratios of taxes, values and masses, goods
codes, the calendar, and flags for the riskiest importers, declarants, goods and
origins; revenue is a second task, as in DATE. Written from the descriptions:

Kim, S. et al. (2020). DATE: dual attentive tree-aware embedding for customs fraud
detection. KDD 2020. LITE DATE as doi:10.20944/preprints202509.1112.v1 describes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

#: Declared amounts, and pairs of them whose ratio is a feature.
AMOUNTS = (
    "customs_value",
    "duties_taxes",
    "gross_mass_kg",
    "net_mass_kg",
    "quantity",
)
RATIOS = (
    ("duties_taxes", "customs_value"),
    ("customs_value", "gross_mass_kg"),
    ("customs_value", "net_mass_kg"),
    ("customs_value", "quantity"),
    ("duties_taxes", "gross_mass_kg"),
)
#: Entities that are flagged when their hit rate is among the highest.
FLAGGED = (
    ("importer_id",),
    ("declarant_id",),
    ("office",),
    ("tariff_code",),
    ("hs6",),
    ("hs4",),
    ("origin",),
    ("hs6", "origin"),
    ("office", "importer_id"),
)
#: Share of the entities that is flagged, and inspections without a hit that each is
#: credited with: as DATE is described.
SHARE, CREDIT = 0.1, 10.0
#: Trees of both tasks.
TREES: dict[str, Any] = {
    "n_estimators": 100,
    "max_depth": 4,
    "learning_rate": 0.3,
    "random_state": 0,
    "n_jobs": 1,
}


class LiteDate:
    """Two XGBoost models on the same features: hit, and revenue."""

    def fit(self, items: pd.DataFrame, hits: np.ndarray, revenue: np.ndarray) -> Any:
        """Learn from inspected items, their labels and the revenue found."""
        import xgboost

        self._flags = {names: flag(entity(items, names), hits) for names in FLAGGED}
        matrix = self._features(items)
        self._risk = xgboost.XGBClassifier(**TREES).fit(matrix, hits)
        amount = np.log1p(np.maximum(revenue, 0.0))
        self._revenue = xgboost.XGBRegressor(**TREES).fit(matrix, amount)
        return self

    def predict(self, items: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the probability of a hit and the revenue of each item."""
        matrix = self._features(items)
        risk = np.asarray(self._risk.predict_proba(matrix)[:, 1], np.float64)
        amount = np.asarray(self._revenue.predict(matrix), np.float64)
        return risk, np.expm1(np.maximum(amount, 0.0))

    def _features(self, items: pd.DataFrame) -> np.ndarray:
        """Return the features of items, side by side."""
        out = {n: items[n].to_numpy(np.float64, na_value=np.nan) for n in AMOUNTS}
        for top, bottom in RATIOS:
            below = np.where(out[bottom] > 0, out[bottom], np.nan)
            out[f"{top} per {bottom}"] = out[top] / below
        codes = items["tariff_code"].astype(str)
        for digits in (2, 4, 6):
            level = pd.to_numeric(codes.str[:digits], errors="coerce")
            out[f"hs{digits}"] = level.to_numpy(np.float64)
        when = items["lodged_at"].dt
        out |= {"month": when.month, "weekday": when.day_of_week, "day": when.day}
        for names, flagged in self._flags.items():
            out[f"flag of {names}"] = entity(items, names).isin(flagged)
        return np.column_stack([np.asarray(v, np.float64) for v in out.values()])


def entity(items: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    """Return one text for each item from its codes."""
    parts = [
        items["tariff_code"].astype(str).str[: int(name[2:])]
        if name.startswith("hs")
        else items[name].astype(str)
        for name in names
    ]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + "|" + part
    return joined


def flag(entities: pd.Series, hits: np.ndarray) -> set[str]:
    """Return the entities with the highest smoothed hit rates, none without a hit."""
    groups = pd.Series(hits, index=entities.index).groupby(entities)
    rate = groups.sum() / (groups.size() + CREDIT)
    rate = rate[rate > 0]
    count = int(np.ceil(groups.ngroups * SHARE))
    return set(rate.sort_values(kind="stable").index[-count:])
