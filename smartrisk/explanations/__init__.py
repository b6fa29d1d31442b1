"""Why an item has its score: contributions folded into reasons an officer can read.

Reads DECLARATIONS, the matrix of features with a description of each, and the model's
contributions per item; writes reasons: who, what, how strong, and the evidence, what to
check, what would have lowered the score, and what matters over many items.
"""

from smartrisk.explanations._counterfactuals import Counterfactuals, counterfactuals
from smartrisk.explanations._dependence import Dependence, dependence
from smartrisk.explanations._explain import explain
from smartrisk.explanations._grouping import CONCEPTS
from smartrisk.explanations._importance import Importance, importance
from smartrisk.explanations._model_contributions import (
    FittedModel,
    model_contributions,
)
from smartrisk.explanations._reason_order import STRENGTHS
from smartrisk.explanations._reasons import Reasons
from smartrisk.explanations._removal import Removal, removal
from smartrisk.explanations._segment_profile import SegmentProfile, segment_profile
from smartrisk.explanations._stability import Stability, stability
from smartrisk.explanations._wording import Wording
from smartrisk.languages import LANGUAGES

__all__ = [
    "CONCEPTS",
    "LANGUAGES",
    "STRENGTHS",
    "Counterfactuals",
    "Dependence",
    "FittedModel",
    "Importance",
    "Reasons",
    "Removal",
    "SegmentProfile",
    "Stability",
    "Wording",
    "counterfactuals",
    "dependence",
    "explain",
    "importance",
    "model_contributions",
    "removal",
    "segment_profile",
    "stability",
]
