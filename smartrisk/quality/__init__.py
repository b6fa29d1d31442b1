"""Quality: what declarations and results hold, and how good they are.

Reads DECLARATIONS and OUTCOMES; writes a scorecard (five graded dimensions, and the
tables behind them) and a list of what makes data doubtful to learn from.
`smartrisk.pages.DataCard` shows the scorecard as a page.
"""

from smartrisk.quality._doubts import Doubt
from smartrisk.quality._item_checks import FEW_DAYS
from smartrisk.quality._learning_data import LearningData
from smartrisk.quality._plausibility import (
    CHECKS,
    Plausibility,
    judge_items,
    judge_plausibility,
    plausibility,
)
from smartrisk.quality._scorecard import BOUNDS, DataFacts, Scorecard, scorecard

__all__ = [
    "BOUNDS",
    "CHECKS",
    "FEW_DAYS",
    "DataFacts",
    "Doubt",
    "LearningData",
    "Plausibility",
    "Scorecard",
    "judge_items",
    "judge_plausibility",
    "plausibility",
    "scorecard",
]
