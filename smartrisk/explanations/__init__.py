"""Why an item has its score: contributions folded into reasons an officer can read.

Reads DECLARATIONS, the matrix of features with what each says, and the model's
contributions per item; writes reasons: who, what, how strong, and the evidence.
"""

from smartrisk.explanations._messages import LANGUAGES
from smartrisk.explanations._plan import CONCEPTS
from smartrisk.explanations._reasons import STRENGTHS, Reasons, explain

__all__ = ["CONCEPTS", "LANGUAGES", "STRENGTHS", "Reasons", "explain"]
