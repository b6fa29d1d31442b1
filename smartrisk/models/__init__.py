"""Models of what a control would find, and what it would recover.

Reads a matrix of features and the results of inspected items (or, for the baselines of
the literature, DECLARATIONS themselves); writes calibrated probabilities and amounts.
"""

from smartrisk.models._baselines import (
    ImporterRateBaseline,
    RandomBaseline,
    SmoothedRateSum,
    ValueBaseline,
)
from smartrisk.models._column_boosting import ColumnBoosting
from smartrisk.models._date_features import DateFeaturesClassifier
from smartrisk.models._revenue import RevenueRegressor
from smartrisk.models._risk import RiskClassifier

__all__ = [
    "ColumnBoosting",
    "DateFeaturesClassifier",
    "ImporterRateBaseline",
    "RandomBaseline",
    "RevenueRegressor",
    "RiskClassifier",
    "SmoothedRateSum",
    "ValueBaseline",
]
