"""Models of what a control would find, and what it would recover.

Reads a matrix of features and the results of inspected items (or, for the baselines of
the literature, DECLARATIONS themselves); writes calibrated probabilities and amounts.
"""

from smartrisk.models._adapters import ClassifierAdapter, RegressorAdapter
from smartrisk.models._baselines import (
    DutyBaseline,
    ImporterRateBaseline,
    RandomBaseline,
    SmoothedRateSum,
    ValueBaseline,
)
from smartrisk.models._calibration import ScoreCalibration, fit_calibration
from smartrisk.models._column_boosting import ColumnBoosting
from smartrisk.models._date_features import DateFeaturesClassifier
from smartrisk.models._estimator_checks import check_classifier, check_regressor
from smartrisk.models._members import MEMBERS
from smartrisk.models._revenue import FEWEST_HITS, RevenueRegressor
from smartrisk.models._risk import RiskClassifier
from smartrisk.models._signals import SignalScore
from smartrisk.models._stored_estimators import dump_estimator, load_estimator
from smartrisk.models._tree_text import TreeText, check_tree_text

__all__ = [
    "FEWEST_HITS",
    "MEMBERS",
    "ClassifierAdapter",
    "ColumnBoosting",
    "DateFeaturesClassifier",
    "DutyBaseline",
    "ImporterRateBaseline",
    "RandomBaseline",
    "RegressorAdapter",
    "RevenueRegressor",
    "RiskClassifier",
    "ScoreCalibration",
    "SignalScore",
    "SmoothedRateSum",
    "TreeText",
    "ValueBaseline",
    "check_classifier",
    "check_regressor",
    "check_tree_text",
    "dump_estimator",
    "fit_calibration",
    "load_estimator",
]
