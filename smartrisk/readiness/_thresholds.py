"""How much each use case needs: bounds from where the library defines them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from smartrisk.disclosure import Rules
from smartrisk.engine import StageReport
from smartrisk.models import FEWEST_HITS
from smartrisk.quality import BOUNDS, FEW_DAYS
from smartrisk.statistics import AGE, LEAST_RANDOM

#: Days in which the results of a month count, where months are compared.
AGE_DAYS = pd.Timedelta(AGE).days
#: Distinct traders below which a cell of a table says something of one of them: the
#: same as where figures are published.
LEAST_TRADERS = Rules().min_traders
#: Bounds by the names that the file of questions uses.
THRESHOLDS: Mapping[str, float] = MappingProxyType(
    {
        "none": 0,
        "one": 1,
        # Of the items: an estimate of another policy weighs each of them.
        "all": 1.0,
        "days": FEW_DAYS,
        # To learn from a month, wait for its results, and judge by a third one.
        "judged_months": 3,
        # A comparison has two sides.
        "closed_months": 2,
        "model_results": StageReport.enough,
        "amounts": FEWEST_HITS,
        "random_results": LEAST_RANDOM,
        # Fair completeness: one item in ten is left out.
        "filled": BOUNDS["completeness"][1],
        "traders": LEAST_TRADERS,
    }
)
